"""Turns a measure and its points into what the SPC engine takes. Pure: plain values in and out."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
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


class PhaseRow(NamedTuple):
    """The columns of an approved phase that a chart needs, in this order."""

    starts_on: date
    baseline_points: int | None  # None is the whole phase
    label: str | None
    reason: str


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
    measure: ChartSettings,
    points: Sequence[PointRow],
    overrides: Overrides = AS_STORED,
    phases: Sequence[PhaseRow] = (),
) -> tuple[spc.Series, spc.Settings]:
    """The engine's series and settings. Points and phases come in the order of their days."""
    days = [point[0] for point in points]
    chart = (
        overrides.chart
        or measure.chart
        or recommended_chart(measure.data_type, (point[1] for point in points))
    )
    return _series(measure, points, days), spc.Settings(
        chart=chart,
        rule_set=_rule_set(measure, chart, overrides),
        direction=overrides.direction or measure.direction,  # type: ignore[arg-type]
        **_phases(measure, days, overrides, phases),
        target=_targets(measure, days, overrides.target),
        screen_moving_ranges=overrides.screen_moving_ranges is not False,
        multiplier=overrides.multiplier or measure.multiplier,
        title=measure.title,
        unit=measure.unit,
    )


def recommended_chart(data_type: DataType, values: Iterable[float | None]) -> str:
    """The field's default; a t chart cannot show two events at one time, a run chart can."""
    chart = spc.recommend_chart(data_type.value)
    if chart == "t" and any(value is not None and value <= 0 for value in values):
        return "run"
    return chart


def _phases(
    measure: ChartSettings, days: Sequence[date], overrides: Overrides, stored: Sequence[PhaseRow]
) -> dict[str, Any]:
    """The settings about phases. Days that a request names take the place of all stored phases."""
    baseline = overrides.baseline_points or measure.baseline_points
    starts = [bisect_left(days, day) for day in overrides.phase_starts]
    drawn = {} if starts else _drawn(days, stored)
    if not drawn:
        return {"phase_starts": starts, "baseline_points": baseline}
    if 0 not in drawn:  # the first phase begins at the first point, whether or not it is stored
        drawn = {0: PhaseRow(days[0], measure.baseline_points, None, "initial"), **drawn}
    rows = list(drawn.values())
    baselines = [row.baseline_points for row in rows]
    return {
        "phase_starts": list(drawn)[1:],
        "baseline_points": overrides.baseline_points
        or (baselines if len(baselines) > 1 else baselines[0]),
        "phase_labels": [row.label for row in rows],
        "phase_reasons": [row.reason for row in rows],
    }


def _drawn(days: Sequence[date], stored: Sequence[PhaseRow]) -> dict[int, PhaseRow]:
    """The phases that have points, by their first row.

    One that starts before the first point starts with it; one after the last is not drawn yet. Of
    several that start between the same two points, only the last has points.
    """
    rows = ((bisect_left(days, phase.starts_on), phase) for phase in stored)
    return {row: phase for row, phase in rows if row < len(days)}


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
    columns = map(list, zip(*points, strict=True)) if points else ([] for _ in range(6))
    _, values, numerators, denominators, excluded, notes = columns
    return spc.Series(
        x=[day.isoformat() for day in days],
        values=None if is_ratio else values,
        numerators=numerators if is_ratio else None,
        denominators=denominators if is_ratio else None,
        excluded=excluded,
        notes=notes,
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
