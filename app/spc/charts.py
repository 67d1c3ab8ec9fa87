"""The charts by name: how each estimates its centre and sigma from the base points of a phase."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from app.spc.means import mean, mean_moving_range, median, ratio_of_sums
from app.spc.series import FloatArray

# Sigma is the mean moving range over d2. `standard`: d2 of two observations (Shewhart tables).
# `mdc`: Making Data Count prints limits at 2.66 mean ranges, that is 3 sigma for this d2.
_D2 = {"standard": 1.128, "mdc": 3 / 2.66}


class Base(NamedTuple):
    """What a phase is estimated from, in raw units.

    Numerators, denominators and sizes are empty where a series states plain values.
    """

    with_gaps: FloatArray  # values of the baseline in order, without excluded points; NaN is a gap
    values: FloatArray  # of the base points: those that are neither missing nor excluded
    numerators: FloatArray
    denominators: FloatArray
    sizes: FloatArray  # denominators of every row of the phase; NaN is a gap
    screen: bool  # screen the moving ranges
    constants: str  # "standard" or "mdc"


class Estimate(NamedTuple):
    """Centre and sigma in raw units; sigma is one number or one a row, NaN where undefined."""

    centre: float
    sigma: float | FloatArray = np.nan


@dataclass(frozen=True, slots=True)
class ChartType:
    """A chart: what data it takes and how its lines are estimated."""

    name: str
    description: str
    data: Literal["values", "ratios", "either"]
    estimate: Callable[[Base], Estimate]
    has_limits: bool = True
    floor: float | None = None  # lines are clipped here, before the multiplier
    ceiling: float | None = None
    counts: bool = False  # values, or numerators, below zero are refused


def _run(base: Base) -> Estimate:
    return Estimate(median(base.values))


def _individuals(base: Base) -> Estimate:
    moving_range = mean_moving_range(base.with_gaps, screen=base.screen)
    # A mean range of zero says nothing about the spread: no limits rather than limits of no width.
    return Estimate(mean(base.values), moving_range / _D2[base.constants] or np.nan)


def _counts(base: Base) -> Estimate:
    centre = mean(base.values)
    return Estimate(centre, math.sqrt(centre))


def _rates(base: Base) -> Estimate:
    centre = ratio_of_sums(base.numerators, base.denominators)
    return Estimate(centre, np.sqrt(centre / base.sizes))


def _proportions(base: Base) -> Estimate:
    centre = ratio_of_sums(base.numerators, base.denominators)
    return Estimate(centre, np.sqrt(centre * (1 - centre) / base.sizes))


_TABLE = (
    ChartType("run", "Run chart: median, no limits", "either", _run, has_limits=False),
    ChartType("i", "Individuals chart (XmR)", "either", _individuals),
    ChartType("c", "Counts, equal opportunity", "values", _counts, floor=0.0, counts=True),
    ChartType("u", "Rates, varying opportunity", "ratios", _rates, floor=0.0, counts=True),
    ChartType("p", "Proportions", "ratios", _proportions, floor=0.0, ceiling=1.0, counts=True),
)
CHARTS = {chart.name: chart for chart in _TABLE}
