"""The parts of a document that charts with a memory (EWMA, CUSUM) have in common."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from app.spc.memory import MemorySettings, Prepared
from app.spc.quality import judge_limits, over_dispersion
from app.spc.series import FloatArray, Numbers, Series
from app.spc.settings import ENGINE_VERSION, Direction, hash_of
from app.spc.sides import Side
from app.spc.signals import Meaning, signal_id
from app.spc.spread import base_points


class MemorySignal(NamedTuple):
    """A stretch of points that took the statistic beyond a limit."""

    rule: str
    direction: Side
    members: list[int]  # rows, ascending
    completed_at: int
    phase: int
    level: float | None = None  # estimated since the change, raw


def meaning(side: Side, direction: Direction) -> Meaning:
    """What a side means where improvement lies that way."""
    if direction == "neutral":
        return "neither"
    return "improvement" if (side == "high") == (direction == "increase") else "concern"


def plain(number: float) -> float | None:
    """A number for JSON: None for what is undefined or overflowed."""
    return float(number) if math.isfinite(number) else None


def numbers(array: FloatArray) -> list[float | None]:
    """Numbers for JSON."""
    return [number if math.isfinite(number) else None for number in array.tolist()]


def given(stated: Numbers | None, size: int) -> Sequence[float | None]:
    """Numbers as the caller stated them: whole ones stay whole."""
    if stated is None:
        return [None] * size
    return stated.tolist() if isinstance(stated, np.ndarray) else stated


def stated(settings: MemorySettings, **own: Any) -> dict[str, Any]:
    """The settings that decide the numbers; `own` are those of one chart."""
    rows = settings.baseline_points
    return {
        "data": settings.data,
        **own,
        "direction": settings.direction,
        "phases": list(settings.phase_starts),
        "baseline_points": rows if rows is None or isinstance(rows, int) else list(rows),
        "screen_moving_ranges": settings.screen_moving_ranges,
        "centre": settings.centre,
        "sigma": settings.sigma,
        "multiplier": settings.multiplier,
    }


def head(
    chart: str, settings: MemorySettings, said: dict[str, Any], as_of: str | None
) -> dict[str, Any]:
    """What stands before the points."""
    return {
        "chart": chart,
        "title": settings.title,
        "unit": settings.unit,
        "engine_version": ENGINE_VERSION,
        "settings": said,
        "settings_hash": hash_of([chart, said]),
        "as_of": as_of,
    }


def points(
    series: Series,
    ready: Prepared,
    multiplier: float,
    columns: Mapping[str, Sequence[Any]],
    ids: Sequence[Sequence[str]],
) -> list[dict[str, Any]]:
    """One row a point; `columns` are those of one chart, between the data and the signals."""
    size = len(series.x)
    excluded = ready.observed.excluded
    phase_of = [base.number for base in ready.phases for _ in range(base.start, base.stop)]
    base_rows = {row for base in ready.phases for row in range(base.start, base.baseline_stop)}
    table: dict[str, Iterable[Any]] = {
        "x": series.x,
        "value": numbers(ready.observed.values * multiplier),
        "numerator": given(series.numerators, size),
        "denominator": given(series.denominators, size),
        "phase": phase_of,
        "excluded": [False] * size if excluded is None else excluded.tolist(),
        "in_baseline": [row in base_rows and ok for row, ok in enumerate(ready.usable)],
        **columns,
        "signals": ids,
        "note": series.notes or [None] * size,
    }
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


def phases(ready: Prepared, labels: Sequence[str], multiplier: float) -> list[dict[str, Any]]:
    """The phases with their estimates; sigma is null where it varies from point to point."""
    return [
        {
            "index": base.number,
            "starts_at": labels[base.start] if base.start < base.stop else None,
            "points": base.stop - base.start,
            "base_points": base.points,
            "centre": plain(base.centre * multiplier),
            "sigma": _common(base.sigma * multiplier),
            "label": base.label,
            "reason": base.reason,
        }
        for base in ready.phases
    ]


def _common(sigma: FloatArray) -> float | None:
    first = sigma[0] if len(sigma) else np.nan
    return plain(first) if bool(np.all(sigma == first)) else None


def signals(
    found: Sequence[MemorySignal], settings: MemorySettings, ready: Prepared, **parameters: float
) -> list[dict[str, Any]]:
    """Signals as documents print them, in the order of their first members."""
    keys = ready.keys
    return [
        {
            "id": signal_id(
                f"{signal.rule}/{signal.direction}",
                ENGINE_VERSION,
                keys[ready.phases[signal.phase].start],
                keys[signal.members[0]],
            ),
            "rule": signal.rule,
            "parameters": dict(parameters),
            "direction": signal.direction,
            "meaning": meaning(signal.direction, settings.direction),
            "start": signal.members[0],
            "end": signal.members[-1],
            "members": signal.members,
            "completed_at": signal.completed_at,
            "phase": signal.phase,
            "explained_by": [],
        }
        for signal in found
    ]


def ids_of_rows(printed: Sequence[dict[str, Any]], size: int) -> list[list[str]]:
    """The ids of the signals that each row is a member of."""
    ids: list[list[str]] = [[] for _ in range(size)]
    for signal in printed:
        for row in signal["members"]:
            ids[row].append(signal["id"])
    return ids


def quality(
    series: Series, settings: MemorySettings, ready: Prepared, *, overflowed: bool
) -> dict[str, Any]:
    """How far the limits of the latest phase can be trusted."""
    base = ready.phases[-1]
    is_known = settings.centre is not None and (
        settings.sigma is not None or settings.data != "values"
    )
    has_limits = bool(np.any(base.sigma == base.sigma))
    return {
        "points": len(series.x),
        "baseline_points": base.points,
        "limits": "firm"
        if is_known and has_limits
        else judge_limits(base.points, has_limits=has_limits),
        "warnings": [
            *_warnings(series, ready, has_limits, overflowed),
            *_doubts(settings, ready, has_limits),
        ],
    }


def _doubts(
    settings: MemorySettings, ready: Prepared, has_limits: bool
) -> Iterable[dict[str, str]]:
    """Whether the latest base points vary more than a proportion or rate of such counts does."""
    base = ready.phases[-1]
    if settings.data == "values" or not has_limits or not base.points:
        return
    counted = base_points(ready.observed, base.start, base.baseline_stop, base.points)
    chart = "p" if settings.data == "proportion" else "u"
    found = over_dispersion(
        counted, chart, "say values as the data, whose sigma comes from the moving ranges"
    )
    if found is not None:
        yield found._asdict()


def _warnings(
    series: Series, ready: Prepared, has_limits: bool, overflowed: bool
) -> Iterable[dict[str, str]]:
    zero = ready.observed.zero_denominators
    if zero:
        shown = ", ".join(series.x[row] for row in zero[:5])
        more = " and later ones" if len(zero) > 5 else ""
        detail = f"A zero denominator is shown as a gap: {shown}{more}."
        yield {"code": "denominator_zero", "detail": detail}
    if overflowed:
        detail = "Some numbers are too large to be computed and are shown as undefined."
        yield {"code": "overflow", "detail": detail}
    elif not has_limits and ready.phases[-1].points > 1:
        detail = "The base points of the latest phase do not vary, so it has no limits."
        yield {"code": "no_variation", "detail": detail}
