"""Runs analysis: longest run, crossings of the centre, and the number of runs.

Sources: Anhoej & Olesen 2014, PLoS ONE 9(11): e113825, for the longest run and the crossings;
Swed & Eisenhart 1943, Annals of Mathematical Statistics 14: 66-87, for the number of runs.
"""

import math
from collections.abc import Iterable
from functools import cache
from math import comb
from typing import NamedTuple

from app.spc.sides import HIGH, LOW, ON

_HIGH_LOW, _LOW_HIGH = HIGH + LOW, LOW + HIGH
_NEGLIGIBLE = 1e-20


class Runs(NamedTuple):
    """Runs of the useful points: those off the centre, not missing, not excluded.

    Without a useful point everything but `useful_points` is None.
    """

    useful_points: int
    longest_run: int | None
    longest_run_max: int | None
    crossings: int | None
    crossings_min: int | None

    @property
    def runs(self) -> int:
        """The number of runs."""
        return 0 if self.crossings is None else self.crossings + 1

    @property
    def runs_min(self) -> int | None:
        """The fewest runs that chance explains, as runs_limits."""
        return runs_limits(self.useful_points)[0]

    @property
    def runs_max(self) -> int | None:
        """The most runs that chance explains, as runs_limits."""
        return runs_limits(self.useful_points)[1]

    @property
    def is_long(self) -> bool:
        """Whether the longest run is longer than chance explains."""
        return (self.longest_run or 0) > (self.longest_run_max or 0)

    @property
    def is_rarely_crossing(self) -> bool:
        """Whether the centre is crossed more seldom than chance explains."""
        return (self.crossings or 0) < (self.crossings_min or 0)


def analyse_runs(codes: bytes) -> Runs:
    """Runs of one phase from the sides of its points."""
    useful = codes.replace(ON, b"")
    count = len(useful)
    if not count:
        return Runs(0, None, None, None, None)
    # A space between neighbours of different sides: the words are the runs.
    spaced = useful.replace(_HIGH_LOW, b"\x01 \x02").replace(_LOW_HIGH, b"\x02 \x01")
    words = spaced.split(b" ")
    longest = max(map(len, words))
    return Runs(count, longest, longest_run_max(count), len(words) - 1, crossings_min(count))


def longest_run_max(useful_points: int) -> int:
    """round(log2 k) + 3 in exact integers: k*k has 2 round(log2 k) or one more binary digits."""
    return (useful_points * useful_points).bit_length() // 2 + 3


@cache
def crossings_min(useful_points: int) -> int:
    """The 5 % quantile of a binomial with k - 1 trials at one half, in exact integers.

    The smallest q with sum(C(k-1, 0..q)) >= 2**(k-1) / 20. The search starts at the middle, where
    the sum is known by symmetry, so that only a few standard deviations of terms are visited.
    """
    trials = useful_points - 1
    quantile = trials // 2
    term = comb(trials, quantile)
    doubled = 2**trials + (term if trials % 2 == 0 else 0)  # twice the sum up to the middle
    while 10 * (doubled - 2 * term) >= 2**trials:
        doubled -= 2 * term
        term = term * quantile // (trials - quantile + 1)
        quantile -= 1
    return quantile


FEWEST_FOR_RUNS = 10  # the published tables start at so many useful points
_TAIL = 0.025  # of each side: the tables are two-sided at 5 %


@cache
def runs_limits(useful_points: int) -> tuple[int, int] | tuple[None, None]:
    """Fewest and most runs that chance explains; None below 10 useful points.

    The distribution of Wald & Wolfowitz, given that the points are split evenly over both sides
    of the centre, as a median splits them; the published tables for run charts make the same
    assumption. Fewer runs than the first number, or more than the second, have a chance of at
    most 2.5 %. The critical values of Swed & Eisenhart are met exactly; the table for run charts
    after Provost & Murray, as others reprint it, is one run wider at some numbers of points.
    """
    if useful_points < FEWEST_FOR_RUNS:
        return None, None
    chances = _chances_of_runs(useful_points)
    cut = _TAIL * math.fsum(chances.values())
    return _beyond(sorted(chances.items()), cut), _beyond(sorted(chances.items())[::-1], cut)


def _beyond(chances: Iterable[tuple[int, float]], cut: float) -> int:
    """The first number of runs whose chances, summed up to it, exceed the cut."""
    total = 0.0
    for runs, chance in chances:
        total += chance
        if total > cut:
            return runs
    raise AssertionError("the chances sum to more than any tail")


def _chances_of_runs(useful_points: int) -> dict[int, float]:
    """Chances of each number of runs relative to a middling one; those near zero are left out.

    With n1 and n2 points on the sides, 2k runs have C(n1-1, k-1) C(n2-1, k-1) arrangements for
    either side to start, and 2k+1 runs as many times the mean of (n1-k)/k and (n2-k)/k. Walking
    from the middle keeps thousands of points within the range of a double.
    """
    few, many = useful_points // 2, (useful_points + 1) // 2
    chances: dict[int, float] = {}
    middle = (few + 1) // 2
    pairs, chance = middle, 1.0
    while pairs <= few and chance > _NEGLIGIBLE:
        more, most = (few - pairs) / pairs, (many - pairs) / pairs
        chances |= {2 * pairs: chance, 2 * pairs + 1: chance * (more + most) / 2}
        pairs, chance = pairs + 1, chance * more * most
    pairs, chance = middle, 1.0
    while pairs > 1 and chance > _NEGLIGIBLE:
        pairs -= 1
        more, most = (few - pairs) / pairs, (many - pairs) / pairs
        chance /= more * most
        chances |= {2 * pairs: chance, 2 * pairs + 1: chance * (more + most) / 2}
    return chances
