"""Runs analysis: longest run, crossings of the centre, and the number of runs.

Sources: Anhoej & Olesen 2014, PLoS ONE 9(11): e113825, for the longest run and the crossings;
Swed & Eisenhart 1943, Annals of Mathematical Statistics 14: 66-87, for the number of runs.
"""

import math
from collections.abc import Iterable
from functools import cache
from math import comb
from typing import NamedTuple

import numpy as np

from app.spc.sides import BREAK, HIGH, LOW, ON, ByteArray

_HIGH_LOW, _LOW_HIGH = HIGH + LOW, LOW + HIGH
_HIGH_SPACE_LOW, _LOW_SPACE_HIGH = HIGH + b" " + LOW, LOW + b" " + HIGH
_MANY = 500  # points
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


_NO_RUNS = Runs(0, None, None, None, None)


def analyse_runs(centre: bytes) -> list[Runs]:
    """Runs of each phase from the sides of its points, the phases joined by BREAK."""
    useful = centre.replace(ON, b"")
    if len(useful) > _MANY:
        return _runs_of_many(np.frombuffer(useful, np.uint8))
    # A space between neighbours of different sides makes words of the runs.
    spaced = useful.replace(_HIGH_LOW, _HIGH_SPACE_LOW).replace(_LOW_HIGH, _LOW_SPACE_HIGH)
    found = []
    for phase in spaced.split(BREAK):
        words = phase.split(b" ")
        found.append(_runs(len(phase) - len(words) + 1, max(map(len, words)), len(words)))
    return found


def _runs_of_many(codes: ByteArray) -> list[Runs]:
    """The same for many points, where arrays are quicker than words."""
    starts = np.concatenate(([0], np.flatnonzero(codes[1:] != codes[:-1]) + 1))
    lengths = np.diff(starts, append=len(codes))
    breaks = codes[starts] == BREAK[0]
    phases = np.cumsum(lengths * breaks)  # how many breaks lie before
    size = int(phases[-1]) + 1
    phases, lengths = phases[~breaks], lengths[~breaks]
    points = np.bincount(phases, lengths, size).astype(np.int64)
    longest = np.zeros(size, np.int64)
    np.maximum.at(longest, phases, lengths)
    numbers = np.bincount(phases, minlength=size)
    return list(map(_runs, points.tolist(), longest.tolist(), numbers.tolist()))


def _runs(points: int, longest: int, number: int) -> Runs:
    if not points:
        return _NO_RUNS
    return Runs(points, longest, longest_run_max(points), number - 1, crossings_min(points))


@cache
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
