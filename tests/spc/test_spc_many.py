"""Many numbers at once: sums to the last bit, and the same charts as from plain numbers."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import accumulate, chain, pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import Series, Settings, charts, means, rules, runs, series
from app.spc.ragged import Ragged
from app.spc.sums import sums
from tests.spc.drawn import any_chart
from tests.spc.requests import labels
from tests.spc.test_spc_batch import Request, alone, essence

numbers = st.floats(-1e250, 1e250) | st.floats(-1e3, 1e3) | st.integers(-99, 99).map(float)
parts = st.lists(st.lists(numbers, max_size=40), max_size=6)


def ragged(lists: Sequence[Sequence[float]]) -> Ragged:
    edges = [0, *accumulate(map(len, lists))]
    return Ragged(np.array([*chain.from_iterable(lists)], dtype=np.float64), edges)


@given(parts)
def test_sums_are_rounded_once(lists: list[list[float]]) -> None:
    found = sums(ragged(lists))
    assert found is not None
    assert list(map(repr, found.tolist())) == [repr(math.fsum(part)) for part in lists]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, 1e300, -1e300])
def test_undefined_and_huge_numbers_have_no_sum_here(odd: float) -> None:
    assert sums(ragged([[1.0, odd], [2.0]])) is None


def test_sums_of_long_series_of_very_different_numbers() -> None:
    given = np.random.default_rng(1).normal(0, 1, 10_000) ** 9
    edges = [0, 9_000, 9_000, 10_000]
    found = sums(Ragged(given, edges))
    assert found is not None
    assert found.tolist() == [
        math.fsum(given[start:stop].tolist()) for start, stop in pairwise(edges)
    ]


@contextmanager
def many_from(points: int) -> Iterator[None]:
    """So many points count as many wherever arrays and plain numbers part ways."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in (means, "_MANY"), (rules, "_FEW"), (runs, "_MANY"), (series, "_MANY"):
            patch.setattr(module, name, points)
        yield


@given(st.lists(any_chart(), min_size=1, max_size=4))
def test_charts_are_the_same_by_arrays_and_by_plain_numbers(requests: list[Request]) -> None:
    with many_from(0):
        by_arrays = [essence(outcome) for outcome in charts(requests)]
    with many_from(10_000):
        assert by_arrays == [alone(request) for request in requests]


@given(any_chart())
def test_arrays_are_taken_as_lists_are(request: Request) -> None:
    stated, chosen = request
    columns: dict[str, Any] = {
        name: np.array(given)
        for name in ("values", "numerators", "denominators", "excluded")
        if (given := getattr(stated, name)) is not None and None not in given
    }
    assert alone((replace(stated, **columns), chosen)) == alone(request)


def test_series_of_one_batch_may_differ_in_their_form_of_numbers() -> None:
    chosen = Settings("i", rule_set="mdc")
    forms: list[Any] = [[1, 2, 4], np.array([1, 2, 4]), np.array([1.0, 2.0, 4.0]), (1.0, 2, 4)]
    with_gaps = [*forms, np.array([1, 2, None]), [1, None, 4]]
    for given_forms in (forms, with_gaps):
        requests = [(Series(labels(3), form), chosen) for form in given_forms]
        assert [essence(each) for each in charts(requests)] == [alone(each) for each in requests]


def test_an_array_changed_afterwards_changes_no_chart() -> None:
    given = np.array([1.0, 2.0, 4.0])
    (judged,) = charts([(Series(labels(3), given), Settings("i", rule_set="mdc"))])
    before = essence(judged)
    given[:] = 9
    assert essence(judged) == before
