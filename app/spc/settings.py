"""What a caller may choose about a chart, the checks of those choices, and their hash."""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from app.spc.advice import default_rule_set
from app.spc.charts import CHARTS, ChartType
from app.spc.errors import SpcError
from app.spc.rule_sets import RULE_SETS, RuleSet
from app.spc.series import FloatArray, Numbers

ENGINE_VERSION = "2"
DIRECTIONS = ("increase", "decrease", "neutral")

Direction = Literal["increase", "decrease", "neutral"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to chart a series.

    chart: a name of CHARTS. rule_set: a name of RULE_SETS; None is the chart's default.
    direction: which way improvement lies.
    phase_starts: first row of each later phase, from 0 and rising; the first phase starts at row 0.
    baseline_points: rows from the start of each phase that lines are taken from (missing and
        excluded rows count); one number, or one a phase; None is the whole phase.
    target: in the displayed unit, one number or one a point; None is no target.
    multiplier: applied to values and lines, never to the target (100 shows per cent).
    phase_labels, phase_reasons: one a phase, printed only.
    """

    chart: str
    rule_set: str | None = None
    direction: Direction = "neutral"
    phase_starts: Sequence[int] = ()
    baseline_points: int | Sequence[int | None] | None = None
    target: float | Numbers | None = None
    screen_moving_ranges: bool = True
    multiplier: float = 1
    title: str | None = None
    unit: str | None = None
    phase_labels: Sequence[str | None] | None = None
    phase_reasons: Sequence[str | None] | None = None


def chart_type(settings: Settings) -> ChartType:
    """The chart asked for; SpcError for an unknown one."""
    found = CHARTS.get(settings.chart)
    if found is None:
        detail = f"There is no chart of this name; choose one of {', '.join(CHARTS)}."
        raise SpcError("unknown_chart", detail, "/chart")
    return found


def rule_set(settings: Settings) -> RuleSet:
    """The rule set asked for, or the default of the chart; SpcError for an unknown one."""
    found = RULE_SETS.get(settings.rule_set or default_rule_set(settings.chart))
    if found is None:
        detail = f"There is no rule set of this name; choose one of {', '.join(RULE_SETS)}."
        raise SpcError("unknown_rule_set", detail, "/rule_set")
    return found


def phase_bounds(settings: Settings, size: int) -> list[tuple[int, int]]:
    """First row and row after the last of each phase, for a series of so many points."""
    if not settings.phase_starts:
        return [(0, size)]
    edges = [0, *settings.phase_starts]
    for position, start in enumerate(edges[1:]):
        pointer = f"/phase_starts/{position}"
        if not 0 < start < size:
            detail = f"A later phase starts at a row from 1 to {size - 1}; row 0 starts the first."
            raise SpcError("phase_start_out_of_range", detail, pointer)
        if start <= edges[position]:
            detail = "Phase starts must rise and none may repeat; sort them."
            raise SpcError("phase_starts_out_of_order", detail, pointer)
    return list(zip(edges, [*edges[1:], size], strict=True))


def baselines(settings: Settings, phases: int) -> list[int | None]:
    """Baseline rows of each phase; None is the whole phase."""
    given = settings.baseline_points
    if given is None:
        return [None] * phases
    if isinstance(given, int):
        _check_baseline(given, "/baseline_points")
        return [given] * phases
    if len(given) != phases:
        detail = f"There are {phases} phases; give one number of baseline points for each."
        raise SpcError("baseline_points_wrong_length", detail, "/baseline_points")
    for phase, rows in enumerate(given):
        _check_baseline(rows, f"/baseline_points/{phase}")
    return list(given)


def _check_baseline(rows: int | None, pointer: str) -> None:
    if rows is not None and rows < 1:
        detail = "A baseline has at least one point; leave it out to use the whole phase."
        raise SpcError("baseline_points_too_few", detail, pointer)


def check_phase_texts(settings: Settings, phases: int) -> None:
    """Refuse labels or reasons that are not one a phase."""
    for field in ("phase_labels", "phase_reasons"):
        texts = getattr(settings, field)
        if texts is not None and len(texts) != phases:
            detail = f"There are {phases} phases but {len(texts)} {field}; give one for each phase."
            raise SpcError("phase_texts_wrong_length", detail, f"/{field}")


def targets(settings: Settings, size: int) -> FloatArray | None:
    """The target of every point in the displayed unit, NaN where there is none."""
    given = settings.target
    if given is None:
        return None
    if isinstance(given, int | float):
        if not math.isfinite(given):
            raise SpcError("target_not_finite", "A target is a finite number.", "/target")
        return np.full(size, given, dtype=np.float64)
    if len(given) != size:
        detail = (
            f"There are {size} points but {len(given)} targets; give one number, or one a point."
        )
        raise SpcError("target_wrong_length", detail, "/target")
    for row, target in enumerate(given):
        if target is not None and not math.isfinite(target):
            detail = "A target is a finite number, or null for none."
            raise SpcError("target_not_finite", detail, f"/target/{row}")
    return np.array(given, dtype=np.float64)


def check_choices(settings: Settings) -> None:
    """Refuse a multiplier or a direction that means nothing."""
    if not 0 < settings.multiplier < math.inf:
        detail = "The multiplier must be a number above zero, such as 100 for per cent."
        raise SpcError("multiplier_not_positive", detail, "/multiplier")
    if settings.direction not in DIRECTIONS:
        detail = f"The direction of improvement is one of {', '.join(DIRECTIONS)}."
        raise SpcError("unknown_direction", detail, "/direction")


def stated(settings: Settings) -> dict[str, Any]:
    """The settings that decide the numbers, defaults filled in, ready for JSON."""
    rules = rule_set(settings)
    return {
        "chart": settings.chart,
        "rule_set": rules.name,
        "rule_set_version": rules.version,
        "direction": settings.direction,
        "phases": list(settings.phase_starts),
        "baseline_points": _plain(settings.baseline_points),
        "screen_moving_ranges": settings.screen_moving_ranges,
        "multiplier": settings.multiplier,
        "target": _plain(settings.target),
        "constants": rules.constants,
    }


def settings_hash(settings: Settings) -> str:
    """SHA-256 (hex) of the engine version and every setting that decides a number or a signal.

    Title, unit, and the labels and reasons of phases are only printed and are not part of it.
    """
    return hash_of(stated(settings))


def hash_of(said: Any) -> str:
    """The same of settings that are ready for JSON."""
    text = json.dumps([ENGINE_VERSION, said], separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(given: Any) -> Any:
    if isinstance(given, np.ndarray):
        return given.tolist()
    return given if given is None or isinstance(given, int | float) else list(given)
