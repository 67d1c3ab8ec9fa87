"""Cuts what was drawn and judged for many series together into one chart for each."""

from collections.abc import Sequence

from app.spc.labels import label_keys
from app.spc.results import Chart, Drawing
from app.spc.series import Series
from app.spc.settings import Settings, targets
from app.spc.signals import Scene, Signal, signals_of

Request = tuple[Series, Settings]


def cut(drawing: Drawing, requests: Sequence[Request]) -> list[Chart]:
    """One chart a request."""
    charts, found = [], drawing.judgement.found
    row = phase = 0
    for (series, settings), phases in zip(requests, drawing.layout.phase_counts, strict=True):
        stop, last = row + len(series.x), phase + phases
        keys = label_keys(series.x)
        signals: tuple[Signal, ...] = ()
        if found[phase] if phases == 1 else any(found[phase:last]):
            segments = drawing.layout.segments[phase:last]
            scenes = [
                Scene(index, start - row, end - row, row, keys, settings.direction)
                for index, (start, end) in enumerate(segments)
            ]
            each = zip(scenes, found[phase:last], strict=True)
            signals = tuple(
                [one for scene, some in each for one in signals_of(some, scene, drawing.rules)]
            )
        target = targets(settings, stop - row)
        charts.append(Chart(series, settings, target, signals, drawing, slice(row, stop), phase))
        row, phase = stop, last
    return charts
