"""Centres and mean moving ranges.

Sums are exactly rounded (math.fsum), so that they depend neither on the order of the points nor
on the machine's vector width: the same input gives the same bytes everywhere.
"""

import math

import numpy as np

from app.spc.series import FloatArray

SCREEN_FACTOR = 3.267  # D4 of two observations: the upper limit of a moving range
_SMALLER = 2.0**-16  # exact in binary, and makes the sum of MAX_POINTS of the largest doubles fit


def mean(values: FloatArray) -> float:
    """The arithmetic mean, never outside the values; NaN of nothing."""
    average = _average(values)
    # Rounding may put the mean of equal values beside them, and a flat series would look shifted.
    # It moves a mean by less than a billionth, so one value further off shows there is room.
    if len(values) and math.isclose(average, values[0], rel_tol=1e-9):
        return float(min(max(average, values.min()), values.max()))
    return average


def median(values: FloatArray) -> float:
    """The middle value, or the mean of the middle two; NaN of nothing."""
    size = len(values)
    return mean(np.sort(values)[(size - 1) // 2 : size // 2 + 1]) if size else np.nan


def ratio_of_sums(numerators: FloatArray, denominators: FloatArray) -> float:
    """sum(numerators) / sum(denominators), never outside the single ratios; NaN of nothing."""
    if not len(denominators):
        return np.nan
    try:
        ratio = math.fsum(numerators.tolist()) / math.fsum(denominators.tolist())
    except OverflowError:
        scaled = math.fsum((numerators * _SMALLER).tolist())
        ratio = scaled / math.fsum((denominators * _SMALLER).tolist())
    if math.isclose(ratio, numerators[0] / denominators[0], rel_tol=1e-9):  # as in mean()
        ratios = numerators / denominators
        return float(min(max(ratio, ratios.min()), ratios.max()))
    return ratio


def mean_moving_range(values: FloatArray, *, screen: bool) -> float:
    """Mean absolute difference of neighbours; a NaN entry loses both of its ranges; NaN of none.

    Screening (once): ranges of 3.267 means or more are dropped and the mean is retaken. Where
    that leaves no range or a zero mean, the unscreened mean stands.
    """
    ranges = np.abs(values[1:] - values[:-1])
    ranges = ranges[ranges == ranges]
    unscreened = _average(ranges)
    cut = SCREEN_FACTOR * unscreened
    if not screen or math.isinf(cut):
        return unscreened
    kept = ranges[ranges < cut]
    if len(kept) in (0, len(ranges)):
        return unscreened
    return _average(kept) or unscreened


def _average(values: FloatArray) -> float:
    size = len(values)
    if not size:
        return np.nan
    try:
        return math.fsum(values.tolist()) / size
    except OverflowError:  # only the sum is too large for a double
        return math.fsum((values * _SMALLER).tolist()) / size / _SMALLER
