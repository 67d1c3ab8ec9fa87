"""Quantiles and tails of distributions that funnel plots ask for: exact sums, no scipy."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from app.spc.series import FloatArray

Z = NormalDist().inv_cdf
_EXACT_UP_TO = 10_000.0  # variance; beyond it three terms of Cornish & Fisher are as good


def binomial_limits(n: float, chance: float, levels: Sequence[float]) -> list[float]:
    """Interpolated quantiles of a binomial count of n trials, n whole; see `_interpolated`."""
    variance = n * chance * (1 - chance)
    if variance > _EXACT_UP_TO:
        skewness = (1 - 2 * chance) / math.sqrt(variance)
        excess = (1 - 6 * chance * (1 - chance)) / variance
        return [_expanded(level, n * chance, variance, skewness, excess) for level in levels]
    counts = _window(n * chance, variance, n)
    ratios = (n - counts[:-1]) / counts[1:] * (chance / (1 - chance))
    return _interpolated(counts, ratios, n * chance, levels)


def poisson_limits(expected: float, levels: Sequence[float]) -> list[float]:
    """Interpolated quantiles of a Poisson count; see `_interpolated`."""
    if expected > _EXACT_UP_TO:
        skewness, excess = 1 / math.sqrt(expected), 1 / expected
        return [_expanded(level, expected, expected, skewness, excess) for level in levels]
    counts = _window(expected, expected, math.inf)
    return _interpolated(counts, expected / counts[1:], expected, levels)


def _window(mean: float, variance: float, most: float) -> FloatArray:
    """The counts that are worth summing: what lies beyond is less than rounding."""
    reach = 12 * math.sqrt(variance) + 60
    return np.arange(max(0, math.floor(mean - reach)), min(most, math.ceil(mean + reach)) + 1)


def _interpolated(
    counts: FloatArray, ratios: FloatArray, mean: float, levels: Sequence[float]
) -> list[float]:
    """Spiegelhalter 2005, appendix A.1: r - alpha, not below 0.

    r is the least count with F(r) >= level; alpha = (F(r) - level) / (F(r) - F(r - 1)).
    `ratios` are those of the probabilities of each count and the one before it.
    """
    mode = min(max(int(mean - counts[0]), 0), len(counts) - 1)
    chances = np.ones(len(counts))  # relative to that of the mode, so that nothing overflows
    chances[mode + 1 :] = np.cumprod(ratios[mode:])
    chances[:mode] = np.cumprod(1 / ratios[:mode][::-1])[::-1]
    cumulative = np.cumsum(chances)
    cumulative /= cumulative[-1]
    limits = []
    for level in levels:
        at = min(int(np.searchsorted(cumulative, level)), len(counts) - 1)
        below = float(cumulative[at - 1]) if at else 0.0
        alpha = (float(cumulative[at]) - level) / (float(cumulative[at]) - below)
        limits.append(max(0.0, float(counts[at]) - alpha))
    return limits


def _expanded(level: float, mean: float, variance: float, skewness: float, excess: float) -> float:
    """The same quantile of a large count by the expansion of Cornish & Fisher.

    Interpolating between whole counts lowers a quantile by one half.
    """
    z = Z(level)
    shape = z + skewness * (z * z - 1) / 6 + excess * (z**3 - 3 * z) / 24
    shape -= skewness * skewness * (2 * z**3 - 5 * z) / 36
    return max(0.0, mean + math.sqrt(variance) * shape - 0.5)


def chi_square_tail(statistic: float, degrees: int) -> float:
    """The chance that a chi-square variable exceeds the statistic, by the regularised gamma.

    Series below its mean, Lentz's continued fraction above (Abramowitz & Stegun 6.5.29, 6.5.31).
    """
    a, x = degrees / 2, statistic / 2
    if x <= 0:
        return 1.0
    front = math.exp(a * math.log(x) - x - math.lgamma(a))
    if x < a + 1:
        term = total = 1 / a
        step = a
        while term > total * 1e-16:
            step += 1
            term *= x / step
            total += term
        return max(0.0, 1 - front * total)
    b = x + 1 - a
    c, d = 1e300, 1 / b
    fraction = d
    for step in range(1, 10_000):
        factor = step * (a - step)
        b += 2
        d = 1 / (factor * d + b)
        c = b + factor / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return min(1.0, front * fraction)
