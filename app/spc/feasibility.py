"""What a plan of data collection can show, before anything is collected: feasibility(plan)."""

import math
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from app.spc.advice import default_rule_set, recommend_chart
from app.spc.calendar import DAYS, count_periods, day_after
from app.spc.charts import CHARTS
from app.spc.lookup import FAMILIES, false_signal_rate, minimum_detectable_shift
from app.spc.quality import FEWEST_POINTS, LARGE_COUNT, TRIAL_BELOW, LimitsQuality, judge_limits

Frequency = Literal["per_case", "daily", "weekly", "fortnightly", "monthly", "quarterly"]
# From the least work to the most.
FREQUENCIES: tuple[Frequency, ...] = (
    "quarterly",
    "monthly",
    "fortnightly",
    "weekly",
    "daily",
    "per_case",
)
_SHARES = frozenset({"proportion", "yes_no"})
_RATIOS = _SHARES | {"rate"}
_BETWEEN = frozenset({"time_between", "count_between"})


@dataclass(frozen=True, slots=True)
class CollectionPlan:
    """What is to be collected. None is unknown, or the default.

    starts_on, ends_on: first and last day of collection.
    first_change_on: planned start of the first test of change; None assumes a third of the way.
    cases_per_week: denominators a week, or events where each is a point of its own (`per_case`).
    level: expected level in the displayed unit; of counts, a point at the frequency `stated_at`.
    spread: standard deviation between points in the displayed unit, at the frequency `stated_at`.
    stated_at: the frequency that level and spread were seen at; None is the planned one.
    """

    starts_on: date
    ends_on: date
    frequency: Frequency
    data_type: str
    first_change_on: date | None = None
    chart: str | None = None
    rule_set: str | None = None
    cases_per_week: float | None = None
    level: float | None = None
    spread: float | None = None
    stated_at: Frequency | None = None
    multiplier: float = 1.0


class Option(NamedTuple):
    """What one frequency of collection gives.

    minimum_detectable_shift is in sigma, shift_in_unit in the displayed unit, shift_of_level as a
    share of the level: the one that can be compared between frequencies.
    """

    frequency: Frequency
    points: int
    points_before: int
    points_after: int
    cases_per_point: float | None
    events_per_point: float | None
    limits: LimitsQuality
    false_signal_rate: float | None
    minimum_detectable_shift: float | None
    shift_in_unit: float | None
    shift_of_level: float | None

    @property
    def is_small(self) -> bool:
        """Whether the counts are too small for limits that follow from them."""
        return self.events_per_point is not None and self.events_per_point < LARGE_COUNT


class ChartSupport(NamedTuple):
    """Whether the plan supports a chart, and why."""

    chart: str
    is_supported: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Feasibility:
    """What a plan can show, what others would, and which one is worth its work."""

    plan: CollectionPlan
    chart: str
    rule_set: str
    first_change_on: date
    chosen: Option
    charts: tuple[ChartSupport, ...]
    alternatives: tuple[Option, ...]
    recommended: Frequency | None  # None: no frequency gives enough points


def feasibility(plan: CollectionPlan) -> Feasibility:
    """Judge a plan; `explain` says it in sentences.

    Raises ValueError for `per_case` without `cases_per_week`: nothing tells how many points come.
    """
    if plan.frequency == "per_case" and plan.cases_per_week is None:
        raise ValueError("per_case needs cases_per_week")
    chart = plan.chart or recommend_chart(plan.data_type)
    rule_set = plan.rule_set or default_rule_set(chart)
    change = plan.first_change_on or _third(plan.starts_on, plan.ends_on)
    options = {
        frequency: _option(plan, frequency, change, chart, rule_set)
        for frequency in FREQUENCIES
        if frequency == plan.frequency or _is_possible(frequency, plan)
    }
    chosen = options.pop(plan.frequency)
    return Feasibility(
        plan,
        chart,
        rule_set,
        change,
        chosen,
        tuple(_support(name, plan, chosen) for name in _candidates(plan.data_type)),
        tuple(options.values()),
        _recommend(chosen, tuple(options.values()), CHARTS[chart].counts),
    )


def _is_possible(frequency: Frequency, plan: CollectionPlan) -> bool:
    """What lies between events comes with each event; a count has no single cases."""
    if plan.data_type in _BETWEEN or frequency == "per_case":
        is_single = plan.data_type != "count" and plan.cases_per_week is not None
        return frequency == "per_case" and is_single
    return True


def _third(starts_on: date, ends_on: date) -> date:
    first = starts_on.toordinal()
    return date.fromordinal(first + (ends_on.toordinal() - first + 1) // 3)


def _option(
    plan: CollectionPlan, frequency: Frequency, change: date, chart: str, rule_set: str
) -> Option:
    end = day_after(plan.ends_on)
    stop = min(max(change, plan.starts_on), end)
    points = count_periods(plan.starts_on, end, frequency, plan.cases_per_week)
    before = min(points, count_periods(plan.starts_on, stop, frequency, plan.cases_per_week))
    after = points - before
    cases, events = _sizes(plan, frequency)
    is_small = CHARTS[chart].counts and events is not None and events < LARGE_COUNT
    shift = None if is_small else minimum_detectable_shift(chart, rule_set, before, after)
    sigma = _sigma(plan, frequency, chart, cases)
    in_unit = None if shift is None or sigma is None else shift * sigma
    level = _level(plan, frequency)
    return Option(
        frequency,
        points,
        before,
        after,
        cases,
        events,
        judge_limits(before, has_limits=CHARTS[chart].has_limits and before > 1),
        None if is_small else false_signal_rate(chart, rule_set, before, after),
        shift,
        in_unit,
        in_unit / abs(level) if in_unit is not None and level else None,
    )


def _sizes(plan: CollectionPlan, frequency: Frequency) -> tuple[float | None, float | None]:
    """Cases a point, and events a point (of shares, those of the rarer outcome)."""
    level = _level(plan, frequency)
    if plan.data_type == "count":
        return None, level
    if plan.data_type not in _RATIOS or plan.cases_per_week is None:
        return None, None
    cases = 1.0 if frequency == "per_case" else plan.cases_per_week * DAYS[frequency] / 7
    if level is None:
        return cases, None
    ratio = level / plan.multiplier
    return cases, cases * (min(ratio, 1 - ratio) if plan.data_type in _SHARES else ratio)


def _level(plan: CollectionPlan, frequency: Frequency) -> float | None:
    """The expected level of one point; only counts grow with the period."""
    if plan.level is None or plan.data_type != "count":
        return plan.level
    stated_at = plan.stated_at or plan.frequency
    if frequency == stated_at:
        return plan.level
    if "per_case" in (frequency, stated_at):
        return None
    return plan.level * DAYS[frequency] / DAYS[stated_at]


def _sigma(
    plan: CollectionPlan, frequency: Frequency, chart: str, cases: float | None
) -> float | None:
    """The sigma of one point in the displayed unit: from the counts, else as seen."""
    level = _level(plan, frequency)
    if CHARTS[chart].counts and FAMILIES.get(chart) == "counts" and level is not None:
        return _sigma_of_counts(plan, level / plan.multiplier, cases)
    if plan.spread is not None and frequency == (plan.stated_at or plan.frequency):
        return plan.spread
    if chart == "run" and plan.spread is None and level is not None:
        return _sigma_of_counts(plan, level / plan.multiplier, cases)
    return None  # how a spread shrinks over longer periods, nobody knows beforehand


def _sigma_of_counts(plan: CollectionPlan, level: float, cases: float | None) -> float | None:
    if plan.data_type == "count":
        variance = level
    elif cases:
        variance = level * (1 - level if plan.data_type in _SHARES else 1) / cases
    else:
        return None
    return math.sqrt(variance) * plan.multiplier if variance > 0 else None


_BY_TYPE = {
    "proportion": ("p", "p_prime", "np", "i", "run"),
    "yes_no": ("p", "p_prime", "np", "i", "run"),
    "rate": ("u", "u_prime", "i", "run"),
    "count": ("c", "i", "run"),
    "continuous": ("i", "i_median", "mr", "run"),
    "time_between": ("t", "i", "run"),
    "count_between": ("g", "i", "run"),
}


def _candidates(data_type: str) -> list[str]:
    return [name for name in _BY_TYPE.get(data_type, ("run",)) if name in CHARTS]


def _support(chart: str, plan: CollectionPlan, option: Option) -> ChartSupport:
    kind, before = CHARTS[chart], option.points_before
    if not kind.has_limits:
        enough = option.points >= FEWEST_POINTS
        reason = f"{option.points} points in all; runs take {FEWEST_POINTS} or more."
        return ChartSupport(chart, enough, reason)
    if option.is_small and FAMILIES.get(chart) == "counts":
        reason = (
            f"A point would count about {option.events_per_point:.1f} events; limits that follow "
            f"from counts take {LARGE_COUNT} or more."
        )
        return ChartSupport(chart, False, reason)
    if before < TRIAL_BELOW:
        reason = (
            f"{before} points before the first change give trial limits at best; "
            f"provisional ones take {TRIAL_BELOW}."
        )
        return ChartSupport(chart, False, reason)
    reason = f"{before} points before the first change give {option.limits} limits."
    return ChartSupport(chart, True, reason)


def _is_enough(option: Option, counts: bool) -> bool:
    """Whether a baseline stands before the change and as much follows it."""
    fits = not (counts and option.is_small)
    return option.points_before >= TRIAL_BELOW <= option.points_after and fits


def _recommend(chosen: Option, others: tuple[Option, ...], counts: bool) -> Frequency | None:
    """The planned frequency if it is enough, else the one that is enough with the least work."""
    enough = (option.frequency for option in (chosen, *others) if _is_enough(option, counts))
    return next(enough, None)
