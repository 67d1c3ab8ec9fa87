"""Centres and mean moving ranges of parts.

Sums are exactly rounded, so that they depend neither on the order of the points nor on the
machine's vector width: the same input gives the same bytes everywhere. Of many numbers all parts
are summed at once, and only those are looked at alone that want more than a sum; plain numbers are
quicker for few.
"""

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from app.spc.ragged import Ragged
from app.spc.series import FloatArray
from app.spc.sums import sums

SCREEN_FACTOR = 3.267  # D4 of two observations: the upper limit of a moving range
_SMALLER = 2.0**-16  # exact in binary, and makes the sum of MAX_POINTS of the largest doubles fit
_NEAR = 1e-9  # relative; rounding moves a mean by much less
_MANY = 400  # numbers, from which arrays are quicker


def means(parts: Ragged) -> FloatArray:
    """The mean of each part."""
    averages = _averages(parts) if len(parts.numbers) > _MANY else None
    if averages is None:
        return np.array([mean(part) for part in parts.parts()])
    for index in _near_first(averages, parts):
        averages[index] = mean(parts.part(index))
    return averages


def medians(parts: Ragged) -> FloatArray:
    """The median of each part."""
    return np.array([median(part) for part in parts.parts()])


def ratios_of_sums(numerators: Ragged, denominators: Ragged, ratios: Ragged) -> FloatArray:
    """The overall ratio of each part."""
    above = below = None
    if len(numerators.numbers) > _MANY:
        above, below = sums(numerators), sums(denominators)
    if above is None or below is None:
        each = zip(numerators.parts(), denominators.parts(), ratios.parts(), strict=True)
        return np.array([ratio_of_sums(*part) for part in each])
    overall = _divided(above, below)
    for index in _near_first(overall, ratios):
        parts = [each.part(index) for each in (numerators, denominators, ratios)]
        overall[index] = ratio_of_sums(*parts)
    return overall


def mean_ranges(ranges: Ragged, *, screen: bool) -> FloatArray:
    """The mean of the moving ranges of each part, NaN where they say nothing about spread.

    A mean of zero says nothing: no limits rather than limits of no width.
    """
    averages = _averages(ranges) if len(ranges.numbers) > _MANY else None
    if averages is None:
        average = screened_average if screen else _average
        return np.array([average(part) or np.nan for part in ranges.parts()])
    if screen:
        averages = _screened(averages, ranges)
    averages[averages == 0] = np.nan
    return averages


def _averages(parts: Ragged) -> FloatArray | None:
    """As _average() of each part; None where sums() has none."""
    totals = sums(parts)
    return None if totals is None else _divided(totals, np.diff(parts.edges))


def _divided(above: FloatArray, below: npt.NDArray[np.float64 | np.int64]) -> FloatArray:
    """Quotients; where there is nothing to divide by the very NaN that plain numbers give."""
    quotients = np.full(len(above), np.nan)
    np.divide(above, below, out=quotients, where=below != 0)
    return quotients


def _near_first(averages: FloatArray, parts: Ragged) -> Sequence[int]:
    """The parts whose average is near their first number, where rounding needs a look."""
    filled = np.flatnonzero(np.diff(parts.edges))
    first, found = parts.numbers[np.asarray(parts.edges)[filled]], averages[filled]
    near = np.abs(found - first) <= _NEAR * np.maximum(np.abs(found), np.abs(first))
    indices: list[int] = filled[near].tolist()
    return indices


def _screened(averages: FloatArray, ranges: Ragged) -> FloatArray:
    """As screened_average() of each part."""
    kept = ranges.numbers < np.repeat(SCREEN_FACTOR * averages, np.diff(ranges.edges))
    if np.count_nonzero(kept) == len(kept):
        return averages
    inner = ranges.where(kept)
    retaken = _averages(inner)
    return averages if retaken is None else np.where(retaken > 0, retaken, averages)


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean, never outside the values; NaN of nothing."""
    average = _average(values)
    # Rounding may put the mean of equal values beside them, and a flat series would look shifted.
    # It moves a mean by less than a billionth, so one value further off shows there is room.
    if values and math.isclose(average, values[0], rel_tol=_NEAR):
        return min(max(average, min(values)), max(values))
    return average


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the middle two; NaN of nothing."""
    size = len(values)
    return mean(sorted(values)[(size - 1) // 2 : size // 2 + 1]) if size else np.nan


def ratio_of_sums(
    numerators: Sequence[float], denominators: Sequence[float], ratios: Sequence[float]
) -> float:
    """sum(numerators) / sum(denominators), never outside the single ratios; NaN of nothing."""
    if not ratios:
        return np.nan
    try:
        ratio = _ratio(numerators, denominators)
    except ValueError:  # totals of subgroups may be infinite, on both sides of zero
        return np.inf
    if math.isclose(ratio, ratios[0], rel_tol=_NEAR):  # as in mean()
        return min(max(ratio, min(ratios)), max(ratios))
    return ratio


def _ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    try:
        return math.fsum(numerators) / math.fsum(denominators)
    except OverflowError:  # only the sums are too large for a double
        above = math.fsum([number * _SMALLER for number in numerators])
        return above / math.fsum([number * _SMALLER for number in denominators])


def screened_average(ranges: Sequence[float]) -> float:
    """The mean range without the extreme ones; NaN of nothing.

    Once: ranges of 3.267 means or more are dropped and the mean is retaken. Where that leaves no
    range or a zero mean, the unscreened mean stands.
    """
    unscreened = _average(ranges)
    cut = SCREEN_FACTOR * unscreened
    if not ranges or math.isinf(cut) or max(ranges) < cut:
        return unscreened
    return _average([size for size in ranges if size < cut] or ranges) or unscreened


def _average(values: Sequence[float]) -> float:
    size = len(values)
    if not size:
        return np.nan
    try:
        return math.fsum(values) / size
    except OverflowError:  # only the sum is too large for a double
        return math.fsum([value * _SMALLER for value in values]) / size / _SMALLER
