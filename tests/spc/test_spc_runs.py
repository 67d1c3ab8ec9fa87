"""Runs analysis: published limits, exact quantiles, and an oracle that walks the points."""

from itertools import groupby
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc.runs import analyse_runs, crossings_min, longest_run_max

# Anhoej & Olesen 2014, table of signal limits: useful points, longest run, fewest crossings.
PUBLISHED = [(10, 6, 2), (12, 7, 3), (16, 7, 4), (20, 7, 6), (22, 7, 7), (24, 8, 8), (30, 8, 10)]


@pytest.mark.parametrize(("useful", "longest", "crossings"), PUBLISHED)
def test_published_limits(useful: int, longest: int, crossings: int) -> None:
    assert longest_run_max(useful) == longest
    assert crossings_min(useful) == crossings


def test_crossings_min_is_the_binomial_quantile() -> None:
    for useful in [*range(1, 300), 1000, 9_999, 10_000]:
        trials, below, term = useful - 1, 0, 1
        for crossings in range(crossings_min(useful)):
            below += term
            term = term * (trials - crossings) // (crossings + 1)
        assert 20 * below < 2**trials <= 20 * (below + term)


def test_longest_run_max_is_rounded_after_the_logarithm() -> None:
    for useful in range(1, 10_001):
        assert longest_run_max(useful) == round(log2(useful)) + 3
    assert longest_run_max(17) == 7  # where rounding after adding, or rounding up, differ


@given(st.binary(max_size=60).map(lambda text: bytes(code % 3 for code in text)))
def test_runs_of_any_sides(codes: bytes) -> None:
    useful = [code for code in codes if code]
    lengths = [len(list(run)) for _, run in groupby(useful)]
    runs = analyse_runs(codes)
    assert runs.useful_points == len(useful)
    assert runs.longest_run == (max(lengths) if lengths else None)
    assert runs.crossings == (len(lengths) - 1 if lengths else None)


def test_no_useful_point_has_no_runs_and_no_signal() -> None:
    runs = analyse_runs(b"\x00\x00")
    assert tuple(runs) == (0, None, None, None, None)
    assert not runs.is_long
    assert not runs.is_rarely_crossing


def test_limits_are_strict() -> None:
    at_the_limit = analyse_runs(b"\x01" * 7 + b"\x02\x01\x02\x01\x02\x01")  # 13 useful, at most 7
    assert not at_the_limit.is_long
    assert analyse_runs(b"\x01" * 8 + b"\x02\x01\x02\x01\x02").is_long
    assert not analyse_runs(b"\x01" * 4 + b"\x02" * 3 + b"\x01" * 2).is_rarely_crossing  # 2 of 2
    assert analyse_runs(b"\x01" * 5 + b"\x02" * 5).is_rarely_crossing  # 1, at least 2
