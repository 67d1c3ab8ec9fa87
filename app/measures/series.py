"""Turns a measure and its points into what the SPC engine takes. Pure: plain values in and out."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from app import spc
from app.measures.models import RATIO_TYPES, DataType


class PointRow(NamedTuple):
    """The columns of a data point that a chart needs, in this order."""

    period_start: date
    value: float | None
    numerator: float | None
    denominator: float | None
    excluded: bool
    note: str | None


@dataclass(frozen=True, slots=True)
class ChartSettings:
    """What a measure has stored about its chart. None means: the default."""

    data_type: DataType
    direction: str
    chart: str | None = None
    rule_set: str | None = None
    programme_rule_set: str | None = None
    baseline_points: int | None = None
    multiplier: float = 1.0
    targets: Sequence[dict[str, Any]] = ()
    title: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Overrides:
    """What one request wants otherwise. None means: as stored."""

    chart: str | None = None
    rule_set: str | None = None
    direction: str | None = None
    baseline_points: int | None = None
    target: float | None = None
    multiplier: float | None = None
    screen_moving_ranges: bool | None = None
    phase_starts: tuple[date, ...] = ()


AS_STORED = Overrides()


def assemble(
    measure: ChartSettings, points: Sequence[PointRow], overrides: Overrides = AS_STORED
) -> tuple[spc.Series, spc.Settings]:
    """The engine's series and settings. Points come in the order of their periods."""
    days = [point[0] for point in points]
    chart = overrides.chart or measure.chart or _recommended(measure.data_type, points)
    return _series(measure, points, days), spc.Settings(
        chart=chart,
        rule_set=_rule_set(measure, chart, overrides),
        direction=overrides.direction or measure.direction,  # type: ignore[arg-type]
        phase_starts=[bisect_left(days, day) for day in overrides.phase_starts],
        baseline_points=overrides.baseline_points or measure.baseline_points,
        target=_targets(measure, days, overrides.target),
        screen_moving_ranges=overrides.screen_moving_ranges is not False,
        multiplier=overrides.multiplier or measure.multiplier,
        title=measure.title,
        unit=measure.unit,
    )


def _recommended(data_type: DataType, points: Sequence[PointRow]) -> str:
    """The field's default; a t chart cannot show two events at one time, a run chart can."""
    chart = spc.recommend_chart(data_type.value)
    if chart == "t" and any(point[1] is not None and point[1] <= 0 for point in points):
        return "run"
    return chart


def _rule_set(measure: ChartSettings, chart: str, overrides: Overrides) -> str:
    """The programme's default is for charts with limits and run rules; others keep their own.

    What a measure has stored is for its own chart too: moving ranges take no run rules.
    """
    default = spc.default_rule_set(chart)
    if default == "limits_only":
        return overrides.rule_set or default
    stated = overrides.rule_set or measure.rule_set
    if stated is None and measure.programme_rule_set and default != "anhoej":
        return measure.programme_rule_set
    return stated or default


def _series(measure: ChartSettings, points: Sequence[PointRow], days: Sequence[date]) -> spc.Series:
    is_ratio = measure.data_type in RATIO_TYPES
    return spc.Series(
        x=[day.isoformat() for day in days],
        values=None if is_ratio else [point[1] for point in points],
        numerators=[point[2] for point in points] if is_ratio else None,
        denominators=[point[3] for point in points] if is_ratio else None,
        excluded=[point[4] for point in points],
        notes=[point[5] for point in points],
    )


def _targets(
    measure: ChartSettings, days: Sequence[date], override: float | None
) -> float | list[float | None] | None:
    """The target of each day: the latest one stated on or before it."""
    if override is not None:
        return override
    if not measure.targets:
        return None
    if len(measure.targets) == 1 and measure.targets[0].get("from") is None:
        return float(measure.targets[0]["value"])
    starts = [date.fromisoformat(target["from"] or "0001-01-01") for target in measure.targets]
    values = [None, *(float(target["value"]) for target in measure.targets)]
    return [values[bisect_right(starts, day)] for day in days]
