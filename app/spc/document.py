"""document(): a chart as the one JSON document that every representation is made from."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from app.spc.phases import Phase
from app.spc.results import Chart
from app.spc.series import FloatArray, Numbers
from app.spc.settings import ENGINE_VERSION, hash_of, stated
from app.spc.signals import Signal, signals_of_points

_NONE: Sequence[Any] = ()


def document(
    chart: Chart,
    *,
    as_of: str | None = None,
    annotations: Mapping[int, Sequence[Any]] | None = None,
    explained_by: Mapping[str, Sequence[Any]] | None = None,
) -> dict[str, Any]:
    """The SpcChart document in plain Python, ready for json.dumps(allow_nan=False).

    as_of: RFC 3339 instant of the last change to stored data; left out if None.
    annotations: by row. explained_by: by signal id. Numbers are full doubles, None if undefined.
    """
    settings = stated(chart.settings)
    settings_hash = hash_of(settings)
    head = {
        "chart": settings.pop("chart"),
        "title": chart.settings.title,
        "unit": chart.settings.unit,
        "engine_version": ENGINE_VERSION,
        "settings": settings,
        "settings_hash": settings_hash,
    }
    if as_of is not None:
        head["as_of"] = as_of
    labels = chart.series.x
    return head | {
        "points": _points(chart, annotations or {}),
        "phases": [_phase(phase, labels) for phase in chart.phases],
        "signals": [_signal(signal, explained_by or {}) for signal in chart.signals],
        "variation": chart.variation,
        "assurance": chart.assurance,
        "quality": chart.quality._asdict()
        | {"warnings": [warning._asdict() for warning in chart.quality.warnings]},
    }


def _points(chart: Chart, annotations: Mapping[int, Sequence[Any]]) -> list[dict[str, Any]]:
    size = len(chart.series.x)
    nothing = [None] * size
    excluded = _excluded(chart)
    rows = zip(
        chart.series.x,
        _numbers(chart.values),
        _given(chart.series.numerators, size),
        _given(chart.series.denominators, size),
        _phase_of_rows(chart),
        excluded,
        _in_baseline(chart, excluded),
        *map(_numbers, chart.lines),
        nothing if chart.target is None else _numbers(chart.target),
        chart.outside_limits.tolist(),
        _signals_of_rows(chart),
        nothing if chart.series.notes is None else chart.series.notes,
        [list(annotations.get(row, _NONE)) for row in range(size)],
        strict=True,
    )
    return _named(rows)


def _named(rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """The cells of each point by name; a literal is twice as quick as pairing them."""
    return [
        {
            "x": x,
            "value": value,
            "numerator": numerator,
            "denominator": denominator,
            "phase": phase,
            "excluded": is_excluded,
            "in_baseline": in_baseline,
            "centre": centre,
            "lower_limit": lower_limit,
            "upper_limit": upper_limit,
            "lower_warning": lower_warning,
            "upper_warning": upper_warning,
            "target": target,
            "outside_limits": outside_limits,
            "signals": signals,
            "note": note,
            "annotations": noted,
        }
        for (
            x,
            value,
            numerator,
            denominator,
            phase,
            is_excluded,
            in_baseline,
            centre,
            lower_limit,
            upper_limit,
            lower_warning,
            upper_warning,
            target,
            outside_limits,
            signals,
            note,
            noted,
        ) in rows
    ]


def _numbers(numbers: FloatArray) -> list[float | None]:
    return [None if number != number else number for number in numbers.tolist()]


def _given(numbers: Numbers | None, size: int) -> Sequence[float | None]:
    """Numbers as the caller stated them: whole ones stay whole."""
    if numbers is None:
        return [None] * size
    return numbers.tolist() if isinstance(numbers, np.ndarray) else numbers


def _phase_of_rows(chart: Chart) -> list[int]:
    return [phase.index for phase in chart.phases for _ in range(phase.start, phase.stop)]


def _excluded(chart: Chart) -> list[bool]:
    given = chart.series.excluded
    return [False] * len(chart.series.x) if given is None else [bool(flag) for flag in given]


def _in_baseline(chart: Chart, excluded: Sequence[bool]) -> list[bool]:
    """Whether a row is a base point: in the baseline of its phase, not missing, not excluded."""
    flags = [False] * len(excluded)
    for phase in chart.phases:
        rows = slice(phase.start, phase.baseline_stop)
        flags[rows] = [True] * (rows.stop - rows.start)
    missing = (~chart.present).tolist()
    each = zip(flags, excluded, missing, strict=True)
    return [flag and not (out or gap) for flag, out, gap in each]


def _signals_of_rows(chart: Chart) -> list[list[str]]:
    rows = signals_of_points(chart.signals, len(chart.series.x), chart.rules)
    return [[signal.id for signal in signals] for signals in rows]


def _phase(phase: Phase, labels: Sequence[str]) -> dict[str, Any]:
    runs = phase.runs
    return {
        "index": phase.index,
        "starts_at": labels[phase.start] if phase.start < phase.stop else None,
        "points": phase.stop - phase.start,
        "useful_points": runs.useful_points,
        "centre": phase.centre,
        "sigma": phase.sigma,
        "sigma_z": phase.sigma_z,
        "longest_run": runs.longest_run,
        "longest_run_max": runs.longest_run_max,
        "crossings": runs.crossings,
        "crossings_min": runs.crossings_min,
        "runs_signal": runs.is_long or runs.is_rarely_crossing,
        "label": phase.label,
        "reason": phase.reason,
    }


def _signal(signal: Signal, explained_by: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    return {
        "id": signal.id,
        "rule": signal.rule,
        "parameters": dict(signal.parameters),
        "direction": signal.direction,
        "meaning": signal.meaning,
        "start": signal.start,
        "end": signal.end,
        "members": list(signal.members),
        "completed_at": signal.completed_at,
        "phase": signal.phase,
        "explained_by": list(explained_by.get(signal.id, _NONE)),
    }
