"""The charts by name: how each estimates its centre and sigma from the base points of a phase.

Sources, unless a chart names its own: Montgomery, Introduction to Statistical Quality Control;
Provost & Murray, The Health Care Data Guide. All functions take the phases of many series at once:
a formula reads as for one phase, and computes arrays of one number a phase, or one a row.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from app.spc.bases import Base
from app.spc.constants import c4, d2_d3
from app.spc.means import SCREEN_FACTOR, mean_ranges, means, medians, ratios_of_sums
from app.spc.ragged import Ragged
from app.spc.scales import POWER, SHARE, Scale, roots
from app.spc.series import ONE, BoolArray, FloatArray, Observations
from app.spc.tracks import Segment

# Mean range of two observations for a sigma of one. `standard`: as Shewhart tables print it.
# `mdc`: Making Data Count prints limits at 2.66 mean ranges, that is 3 sigma for this d2.
D2 = {"standard": 1.128, "mdc": 3 / 2.66}
_D2_OF_LANEY = D2["standard"]  # whatever the rule set: his charts have one definition


class Estimate(NamedTuple):
    """Centre and sigma on the scale that is judged; NaN where undefined."""

    centre: FloatArray  # one a phase
    sigma: FloatArray | None = None  # one a phase; None where it depends on the size of each row
    sigma_of_rows: FloatArray | None = None
    centre_of_rows: FloatArray | None = None  # where it depends on the size of each row
    middle: FloatArray | None = None  # of the limits, one a phase, where it is not the centre
    sigma_z: FloatArray | None = None  # one a phase: Laney's spread between points


def _given(column: FloatArray | None) -> FloatArray:
    """A column that series have if they are of the form that the chart takes."""
    assert column is not None
    return column


def _values(observed: Observations, segments: Sequence[Segment]) -> FloatArray:
    return observed.values


@dataclass(frozen=True, slots=True)
class ChartType:
    """A chart: what data it takes, what it shows of them, and how its lines are estimated."""

    name: str
    description: str
    data: Literal["values", "ratios", "either", "subgroups"]
    estimate: Callable[[Base], Estimate]
    has_limits: bool = True
    floor: float | None = None  # limits and warning lines are clipped here, before the multiplier
    ceiling: float | None = None
    counts: bool = False  # values, or numerators, below zero are refused
    above_zero: bool = False  # values of zero or below are refused
    run_rules: bool = True  # False: only rules about single points make sense
    statistic: Callable[[Observations, Sequence[Segment]], FloatArray] = _values  # is judged
    scale: Scale | None = None  # None: what is judged is drawn


def _run(base: Base) -> Estimate:
    centre = medians(base.judged)
    return Estimate(centre, np.full(len(centre), np.nan))


def _individuals(base: Base) -> Estimate:
    sigma = base.mean_ranges(base.values) / base.d2
    return Estimate(means(base.judged), sigma)


def _individuals_about_the_median(base: Base) -> Estimate:
    sigma = base.mean_ranges(base.values) / base.d2
    return Estimate(medians(base.judged), sigma)


def _ratios_as_individuals(base: Base) -> Estimate:
    """Each range is divided by what two sizes make of a sigma of one: sqrt(1/n + 1/m) sqrt(2/pi).

    With equal sizes this is an individuals chart, but for d2 to all its digits.
    """
    values, parts = base.track(base.values), base.track(1 / base.sizes).numbers
    ranges = np.abs(values.numbers[1:] - values.numbers[:-1])
    unit_ranges = values.steps(ranges / np.sqrt(parts[1:] + parts[:-1]))
    spread = mean_ranges(unit_ranges, screen=base.screen) * math.sqrt(math.pi / 2)
    return Estimate(base.overall(), sigma_of_rows=base.rows(spread) / np.sqrt(base.sizes))


def _moving_ranges(observed: Observations, segments: Sequence[Segment]) -> FloatArray:
    """The range from each row to the next; an excluded point keeps its two ranges."""
    ranges = np.full(len(observed.values), np.nan)
    ranges[1:] = np.abs(observed.values[1:] - observed.values[:-1])
    for segment in segments:
        ranges[segment.start : segment.start + 1] = np.nan
    return ranges


def _ranges_of_individuals(base: Base) -> Estimate:
    centre = means(base.judged)
    limit = SCREEN_FACTOR * np.where(centre == 0, np.nan, centre)
    return Estimate(centre, limit / 3, middle=np.zeros(len(centre)))


def _are_alike(sizes: Ragged) -> BoolArray:
    """Whether the subgroups of a part have one size."""
    return np.array([len(set(part)) <= 1 for part in sizes.without_gaps().parts()])


def _spread_inside(base: Base) -> FloatArray:
    """S of each phase: the mean standard deviation, of subgroups that differ in size the pooled.

    All sizes of the phase count, those beyond the baseline and of excluded subgroups too.
    """
    spreads = _given(base.observed.spreads)
    freedom = np.where(spreads == spreads, base.sizes - 1, np.nan)
    variances = (freedom * spreads**2, freedom, spreads**2)
    pooled = np.sqrt(ratios_of_sums(*[base.points(each).without_gaps() for each in variances]))
    mean = means(base.points(spreads).without_gaps())
    spread = np.where(_are_alike(base.whole(base.sizes)), mean, pooled)
    return np.where(spread == 0, np.nan, spread)  # as a mean range of zero: no limits


def _subgroup_means(base: Base) -> Estimate:
    sigma = base.rows(_spread_inside(base)) / (c4(base.sizes) * np.sqrt(base.sizes))
    return Estimate(base.overall(), sigma_of_rows=sigma)


def _spreads(observed: Observations, segments: Sequence[Segment]) -> FloatArray:
    return _given(observed.spreads)


def _subgroup_spreads(base: Base) -> Estimate:
    spread, factor = _spread_inside(base), c4(base.sizes)
    sigma = base.rows(spread) * (np.sqrt(1 - factor * factor) / factor)
    centre = np.where(np.isnan(spread), means(base.judged), spread)
    return Estimate(centre, sigma_of_rows=sigma)


def _ranges(observed: Observations, segments: Sequence[Segment]) -> FloatArray:
    return _given(observed.ranges)


def _subgroup_ranges(base: Base) -> Estimate:
    """Of subgroups that differ in size, each range is compared with d2 for its own size."""
    d2, d3 = d2_d3(base.sizes)
    alike = _are_alike(base.track(base.sizes))
    centre = np.where(alike, means(base.judged), np.nan)
    unit = means(base.points(base.values / d2))  # sigma inside the subgroups
    centres = np.where(base.rows(alike), base.rows(centre), base.rows(unit) * d2)
    sigma = np.where(centres == 0, np.nan, centres) * (d3 / d2)
    return Estimate(centre, sigma_of_rows=sigma, centre_of_rows=centres)


def _counts(base: Base) -> Estimate:
    centre = means(base.judged)
    return Estimate(centre, np.sqrt(centre))


def _rates(base: Base) -> Estimate:
    centre = base.overall()
    return Estimate(centre, sigma_of_rows=np.sqrt(base.rows(centre) / base.sizes))


def _proportions(base: Base) -> Estimate:
    centre = base.overall()
    return Estimate(centre, sigma_of_rows=np.sqrt(base.rows(centre * (ONE - centre)) / base.sizes))


def _laney(within: Callable[[Base], Estimate]) -> Callable[[Base], Estimate]:
    """Limits widened by sigma_z, the sigma of the points in units of their sampling error.

    Source: Laney 2002, Improved control charts for attributes, Quality Engineering 14(4).
    """

    def estimate(base: Base) -> Estimate:
        centre, sampling = (plain := within(base)).centre, plain.sigma_of_rows
        assert sampling is not None
        scores = (base.values - base.rows(centre)) / sampling
        sigma_z = base.mean_ranges(scores) / _D2_OF_LANEY
        return Estimate(centre, sigma_of_rows=sampling * base.rows(sigma_z), sigma_z=sigma_z)

    return estimate


def _cases_between(base: Base) -> Estimate:
    """The geometric distribution is skewed: the median is drawn, the limits are the mean's.

    Source: Benneyan 2001, Number-between g-type charts, Health Care Management Science 4.
    """
    mean = means(base.judged)
    return Estimate(medians(base.judged), np.sqrt(mean * (mean + 1)), middle=mean)


_TABLE = (
    ChartType("run", "Run chart: median, no limits", "either", _run, has_limits=False),
    ChartType("i", "Individuals chart (XmR)", "either", _individuals),
    ChartType(
        "i_median",
        "Individuals chart about the median, limits from the mean moving range (Wheeler)",
        "either",
        _individuals_about_the_median,
    ),
    ChartType(
        "i_prime",
        "Individuals chart of ratios whose denominators vary (Taylor 2017)",
        "ratios",
        _ratios_as_individuals,
    ),
    ChartType(
        "mr",
        "Moving ranges of an individuals chart",
        "either",
        _ranges_of_individuals,
        floor=0.0,
        run_rules=False,  # neighbouring ranges share a point
        statistic=_moving_ranges,
    ),
    ChartType("xbar", "Means of subgroups", "subgroups", _subgroup_means),
    ChartType(
        "s",
        "Standard deviations of subgroups",
        "subgroups",
        _subgroup_spreads,
        floor=0.0,
        statistic=_spreads,
    ),
    ChartType(
        "r", "Ranges of subgroups", "subgroups", _subgroup_ranges, floor=0.0, statistic=_ranges
    ),
    ChartType("c", "Counts, equal opportunity", "values", _counts, floor=0.0, counts=True),
    ChartType("u", "Rates, varying opportunity", "ratios", _rates, floor=0.0, counts=True),
    ChartType(
        "u_prime",
        "Rates with limits for over- or underdispersion (Laney)",
        "ratios",
        _laney(_rates),
        floor=0.0,
        counts=True,
    ),
    ChartType("p", "Proportions", "ratios", _proportions, floor=0.0, ceiling=1.0, counts=True),
    ChartType(
        "p_prime",
        "Proportions with limits for over- or underdispersion (Laney)",
        "ratios",
        _laney(_proportions),
        floor=0.0,
        ceiling=1.0,
        counts=True,
    ),
    ChartType(
        "np",
        "Counts out of samples: a p chart drawn in counts",
        "ratios",
        _proportions,
        floor=0.0,
        ceiling=1.0,
        counts=True,
        scale=SHARE,
    ),
    ChartType(
        "t",
        "Times between rare events, judged as the 3.6th root (Nelson 1994)",
        "values",
        _individuals,
        above_zero=True,
        statistic=roots,
        scale=POWER,
    ),
    ChartType("g", "Cases between rare events", "values", _cases_between, floor=0.0, counts=True),
)
CHARTS = {chart.name: chart for chart in _TABLE}
