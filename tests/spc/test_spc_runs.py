"""Runs analysis: published limits, exact quantiles, and an oracle that walks the points."""

from itertools import groupby
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc.runs import Runs, analyse_runs, crossings_min, longest_run_max, runs_limits
from app.spc.sides import BREAK, HIGH, LOW, ON
from tests.spc import oracle

parts = st.sampled_from([HIGH, LOW, ON]) | st.binary(min_size=1, max_size=1).map(
    lambda byte: (HIGH, LOW, HIGH + ON, LOW)[byte[0] % 4] * byte[0]
)
sides = st.lists(parts, max_size=60).map(b"".join)

# Anhoej & Olesen 2014, table of signal limits: useful points, longest run, fewest crossings.
PUBLISHED = [(10, 6, 2), (12, 7, 3), (16, 7, 4), (20, 7, 6), (22, 7, 7), (24, 8, 8), (30, 8, 10)]

# Swed & Eisenhart 1943, 2.5 % points for equal sides: points, and the highest number of runs that
# is significantly low, which is one below the fewest that chance explains.
TOO_FEW = [(10, 2), (20, 6), (24, 7), (30, 10), (40, 14)]

# The table of run charts after Provost & Murray as it is reprinted: points, fewest, most runs.
REPRINTED = [
    *[(10, 3, 9), (11, 3, 10), (12, 3, 11), (13, 4, 11), (14, 4, 12), (15, 5, 12), (16, 5, 13)],
    *[(18, 6, 14), (19, 6, 15), (20, 6, 16), (21, 7, 16), (22, 7, 17), (24, 8, 18), (26, 9, 19)],
    *[(28, 10, 20), (34, 12, 24), (36, 13, 25), (38, 14, 26), (40, 15, 27)],
]
WIDER_IN_PRINT = {11, 12, 20, 22}


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


@pytest.mark.parametrize(("useful", "significant"), TOO_FEW)
def test_too_few_runs_as_swed_and_eisenhart(useful: int, significant: int) -> None:
    assert runs_limits(useful)[0] == significant + 1


@pytest.mark.parametrize(("useful", "fewest", "most"), REPRINTED)
def test_limits_of_runs_beside_the_reprinted_table(useful: int, fewest: int, most: int) -> None:
    by_one = useful in WIDER_IN_PRINT
    assert runs_limits(useful) == (fewest + by_one, most - by_one)


def test_limits_of_runs_are_exact() -> None:
    for useful in [*range(150), 999, 1000]:
        assert runs_limits(useful) == (oracle.runs_limits(useful) or (None, None))


def test_limits_of_runs_of_the_longest_series() -> None:
    fewest, most = runs_limits(10_000)
    assert fewest is not None
    assert most is not None
    assert fewest + most == 10_002  # symmetrical where the sides are equal
    assert 5001 - fewest == round(1.96 * 50)  # the standard deviation is 50


@given(sides)
def test_runs_of_any_sides(codes: bytes) -> None:
    useful = [code for code in codes if code]
    lengths = [len(list(run)) for _, run in groupby(useful)]
    (runs,) = analyse_runs(codes)
    assert runs.useful_points == len(useful)
    assert runs.longest_run == (max(lengths) if lengths else None)
    assert runs.crossings == (len(lengths) - 1 if lengths else None)
    assert runs.runs == len(lengths)


@given(st.lists(sides, min_size=1))
def test_joined_phases_are_analysed_one_by_one(phases: list[bytes]) -> None:
    assert analyse_runs(BREAK.join(phases)) == [analyse_runs(phase)[0] for phase in phases]


def test_no_useful_point_has_no_runs_and_no_signal() -> None:
    (runs,) = analyse_runs(ON + ON)
    assert tuple(runs) == (0, None, None, None, None)
    assert not runs.is_long
    assert not runs.is_rarely_crossing
    assert (runs.runs, runs.runs_min, runs.runs_max) == (0, None, None)


def of(*lengths: int) -> Runs:
    """Runs of these lengths, on one side and the other in turn."""
    runs = [(HIGH, LOW)[position % 2] * length for position, length in enumerate(lengths)]
    return analyse_runs(b"".join(runs))[0]


def test_limits_are_strict() -> None:
    assert not of(7, 1, 1, 1, 1, 1, 1).is_long  # 13 useful, at most 7
    assert of(8, 1, 1, 1, 1, 1).is_long
    assert not of(4, 3, 2).is_rarely_crossing  # 2 of 2
    assert of(5, 5).is_rarely_crossing  # 1, at least 2
