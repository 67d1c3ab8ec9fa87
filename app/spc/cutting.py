"""Cuts what was drawn and judged for many series together into one chart for each."""

from collections.abc import Sequence

from app.spc.judging import Found
from app.spc.labels import label_keys
from app.spc.results import Chart, Drawing, Place
from app.spc.series import Series
from app.spc.settings import Settings, targets
from app.spc.signals import Scene, Signal, signals_of

Request = tuple[Series, Settings]


def cut(
    drawing: Drawing, found: Sequence[Sequence[Found]], requests: Sequence[Request]
) -> list[Chart]:
    """One chart a request; `found` has one entry a phase."""
    charts = []
    row = phase = 0
    for (series, settings), phases in zip(requests, drawing.layout.phase_counts, strict=True):
        size = len(series.x)
        stop, last = row + size, phase + phases
        place = Place(slice(row, stop), slice(phase, last))
        keys = label_keys(series.x)
        signals: tuple[Signal, ...] = ()
        if found[phase] if phases == 1 else any(found[phase:last]):
            signals = _signals(found, place, drawing, keys, settings)
        charts.append(Chart(series, settings, targets(settings, size), signals, drawing, place))
        row, phase = stop, last
    return charts


def _signals(
    found: Sequence[Sequence[Found]],
    place: Place,
    drawing: Drawing,
    keys: Sequence[str],
    settings: Settings,
) -> tuple[Signal, ...]:
    offset, signals = place.rows.start, []
    segments = drawing.layout.segments[place.phases]
    for index, ((start, stop), each) in enumerate(zip(segments, found[place.phases], strict=True)):
        scene = Scene(index, start - offset, stop - offset, offset, keys, settings.direction)
        signals += signals_of(each, scene, drawing.rules)
    return tuple(signals)
