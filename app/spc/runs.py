"""Runs analysis: longest run and crossings of the centre.

Source: Anhoej & Olesen 2014, PLoS ONE 9(11): e113825.
"""

from functools import cache
from math import comb
from typing import NamedTuple

from app.spc.sides import HIGH, LOW, ON

_HIGH_LOW, _LOW_HIGH = HIGH + LOW, LOW + HIGH


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
