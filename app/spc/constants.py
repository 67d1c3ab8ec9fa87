"""Constants of samples from a normal distribution, computed rather than copied from a table.

c4 is the mean of a sample's standard deviation, d2 the mean and d3 the standard deviation of its
range, all for a sigma of one (definitions: Montgomery, Introduction to Statistical Quality Control,
appendix VI). Sizes run from 2 to MAX_SUBGROUP; every other size, and NaN, gives NaN.
"""

import math
from functools import cache

import numpy as np

from app.spc.series import MAX_SUBGROUP, FloatArray

# Steps of the integrals behind d2 and d3. They leave an error below 1e-11; rounding to ten decimals
# hides it, so that neither the machine's erf nor its exp shows.
_STEP, _REACH, _NODES, _WIDEST, _DECIMALS = 1 / 8, 8.5, 60, 16.0, 10


def c4(sizes: FloatArray) -> FloatArray:
    """c4 of each sample size."""
    found: FloatArray = _c4_table()[np.nan_to_num(sizes).astype(np.int64)]
    return found


def d2_d3(sizes: FloatArray) -> tuple[FloatArray, FloatArray]:
    """d2 and d3 of each sample size."""
    moments = [_range_moments(int(size)) if size >= 2 else (np.nan, np.nan) for size in sizes]
    d2, d3 = np.array(moments).reshape(-1, 2).T
    return d2, d3


@cache
def _c4_table() -> FloatArray:
    """By sample size, from c4(2) = sqrt(2 / pi) and c4(n) c4(n + 1) = sqrt((n - 1) / n)."""
    table = [math.nan, math.nan, math.sqrt(2 / math.pi)]
    for size in range(2, MAX_SUBGROUP):
        table.append(math.sqrt((size - 1) / size) / table[size])
    return np.array(table)


@cache
def _range_moments(size: int) -> tuple[float, float]:
    """d2 and d3, from how probable each larger range is (Gauss-Legendre over its width)."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    widths = ((nodes + 1) * _WIDEST / 2).tolist()
    exceeding = [
        weight * _WIDEST / 2 * (1 - _probability_within(width, size))
        for width, weight in zip(widths, weights.tolist(), strict=True)
    ]
    mean = math.fsum(exceeding)
    mean_square = math.fsum(2 * width * each for width, each in zip(widths, exceeding, strict=True))
    return round(mean, _DECIMALS), round(math.sqrt(mean_square - mean * mean), _DECIMALS)


def _probability_within(width: float, size: int) -> float:
    """How probable a range of at most `width` is: the smallest value at x, the others above it."""
    return math.fsum(
        _STEP * size * density * (_below(x + width) - below) ** (size - 1)
        for x, density, below in _normal_grid()
    )


@cache
def _normal_grid() -> list[tuple[float, float, float]]:
    steps = round(_REACH / _STEP)
    grid = [step * _STEP for step in range(-steps, steps + 1)]
    return [(x, math.exp(-x * x / 2) / math.sqrt(2 * math.pi), _below(x)) for x in grid]


def _below(x: float) -> float:
    return math.erfc(-x / math.sqrt(2)) / 2
