"""Cuts what was drawn and judged for many series together into one chart for each."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.spc.bases import Layout
from app.spc.charts import ChartType, Estimate
from app.spc.judging import Judgement
from app.spc.labels import label_keys
from app.spc.phases import DRAWN, Phase
from app.spc.results import Chart
from app.spc.rule_sets import RuleSet
from app.spc.series import BoolArray, FloatArray, Observations, Series
from app.spc.settings import Settings, phase_texts, targets
from app.spc.signals import Scene, Signal, signals_of

Request = tuple[Series, Settings]


class Drawing(NamedTuple):
    """Joined series as they were judged."""

    kind: ChartType
    rules: RuleSet
    observed: Observations
    layout: Layout
    base_points: Sequence[int]  # of each phase
    values: FloatArray
    estimate: Estimate
    lines: FloatArray
    judgement: Judgement


class _Shown(NamedTuple):
    """Joined series in the displayed unit."""

    present: BoolArray
    values: FloatArray
    lines: FloatArray
    infinite: BoolArray | None  # rows with numbers too large; None where there are none


class _Place(NamedTuple):
    """Where one series lies in the joined arrays."""

    rows: slice
    phases: slice


class _Levels(NamedTuple):
    """What documents print of every phase, before the multiplier; NaN is undefined."""

    centres: Sequence[float]
    sigmas: Sequence[float]
    sigma_zs: Sequence[float]


def cut(drawing: Drawing, requests: Sequence[Request]) -> list[Chart]:
    """One chart a request."""
    multipliers = [settings.multiplier for _, settings in requests]
    shown = _show(drawing, multipliers, [len(series.x) for series, _ in requests])
    levels = _levels(drawing)
    charts = []
    row = phase = 0
    for (series, settings), phases in zip(requests, drawing.layout.phase_counts, strict=True):
        place = _Place(slice(row, row + len(series.x)), slice(phase, phase + phases))
        charts.append(_chart(series, settings, place, drawing, shown, levels))
        row, phase = place.rows.stop, place.phases.stop
    return charts


def _chart(
    series: Series,
    settings: Settings,
    place: _Place,
    drawing: Drawing,
    shown: _Shown,
    levels: _Levels,
) -> Chart:
    rows = place.rows
    keys = label_keys(series.x)
    phases = _phases(settings, place, drawing, levels)
    return Chart(
        series,
        settings,
        drawing.rules,
        drawing.kind,
        shown.present[rows],
        shown.values[rows],
        shown.lines[:, rows],
        targets(settings, len(series.x)),
        drawing.judgement.outside_limits[rows],
        phases,
        _signals(phases, keys, settings, place, drawing),
        shown.infinite is not None and bool(shown.infinite[rows].any()),
        drawing.observed,
        rows,
    )


def _show(drawing: Drawing, multipliers: Sequence[float], sizes: Sequence[int]) -> _Shown:
    values, lines, scale = drawing.values, drawing.lines[:DRAWN], drawing.kind.scale
    present = values == values
    if scale is not None:
        values = scale.values(drawing.observed)
        lines = scale.lines(lines, drawing.observed, drawing.layout.segments)
    if any(multiplier != 1 for multiplier in multipliers):
        factor = multipliers[0] if len(multipliers) == 1 else np.repeat(multipliers, sizes)
        values, lines = values * factor, lines * factor
    if not (np.count_nonzero(np.isinf(values)) or np.count_nonzero(np.isinf(lines))):
        return _Shown(present, values, lines, None)
    infinite = np.isinf(values) | np.isinf(lines).any(axis=0)
    values = np.where(np.isinf(values), np.nan, values)
    return _Shown(present, values, np.where(np.isinf(lines), np.nan, lines), infinite)


def _levels(drawing: Drawing) -> _Levels:
    estimate, nothing = drawing.estimate, [math.nan] * len(drawing.layout.segments)
    scale = drawing.kind.scale
    varies = scale is not None or estimate.centre_of_rows is not None
    return _Levels(
        _level_centres(drawing) if varies else estimate.centre.tolist(),
        nothing if scale is not None or estimate.sigma is None else estimate.sigma.tolist(),
        nothing if estimate.sigma_z is None else estimate.sigma_z.tolist(),
    )


def _level_centres(drawing: Drawing) -> list[float]:
    """The centre line of each phase where it is level, NaN where it is not."""
    line, scale, segments = drawing.lines[:1], drawing.kind.scale, drawing.layout.segments
    if scale is not None:
        line = scale.lines(line, drawing.observed, segments)
    centres = [set(line[0, start:stop].tolist()) for start, stop in segments]
    levels = [{centre for centre in each if centre == centre} for each in centres]
    return [each.pop() if len(each) == 1 else math.nan for each in levels]


def _phases(
    settings: Settings, place: _Place, drawing: Drawing, levels: _Levels
) -> tuple[Phase, ...]:
    layout, offset = drawing.layout, place.rows.start
    segments = layout.segments[place.phases]
    labels = phase_texts(settings.phase_labels, len(segments), "phase_labels")
    reasons = phase_texts(settings.phase_reasons, len(segments), "phase_reasons")
    phases = []
    for index, (start, stop) in enumerate(segments):
        number = place.phases.start + index
        phases.append(
            Phase(
                index,
                start - offset,
                stop - offset,
                layout.baseline_stops[number] - offset,
                drawing.base_points[number],
                _finite(levels.centres[number] * settings.multiplier),
                _finite(levels.sigmas[number] * settings.multiplier),
                _finite(levels.sigma_zs[number]),
                drawing.judgement.runs[number],
                labels[index],
                reasons[index],
            )
        )
    return tuple(phases)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _signals(
    phases: Sequence[Phase],
    keys: Sequence[str],
    settings: Settings,
    place: _Place,
    drawing: Drawing,
) -> tuple[Signal, ...]:
    signals: list[Signal] = []
    for phase, found in zip(phases, drawing.judgement.found[place.phases], strict=True):
        if found:
            offset, direction = place.rows.start, settings.direction
            scene = Scene(phase.index, phase.start, phase.stop, offset, keys, direction)
            signals += signals_of(found, scene, drawing.rules)
    return tuple(signals)
