"""Phases: which rows each one has, and the lines drawn from what was estimated of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.spc.bases import Base, Layout
from app.spc.charts import ChartType, Estimate
from app.spc.runs import Runs
from app.spc.series import BoolArray, FloatArray, Series
from app.spc.settings import Settings, baselines, check_phase_texts, phase_bounds
from app.spc.tracks import Segment

_MULTIPLES = np.array([[-3.0], [3.0], [-2.0], [2.0], [-1.0], [1.0]])  # of sigma
DRAWN = 5  # centre, limits and warning lines; the 1 sigma lines serve rules alone


@dataclass(slots=True)
class Phase:
    """One phase of a chart; rows `start` to `stop - 1`; centre and sigma in the displayed unit."""

    index: int
    start: int
    stop: int
    baseline_stop: int  # row after the baseline
    base_points: int  # of the baseline: neither missing nor excluded
    centre: float | None  # None where it varies from point to point, or is undefined
    sigma: float | None  # None where it depends on the size of each point, or is undefined
    sigma_z: float | None  # of Laney's charts: spread between points in units of sampling error
    runs: Runs
    label: str | None
    reason: str | None


def lay_out(requests: Sequence[tuple[Series, Settings]]) -> Layout:
    """The phases of series that are joined end to end."""
    segments: list[Segment] = []
    baseline_stops: list[int] = []
    phase_counts: list[int] = []
    offset = 0
    for series, settings in requests:
        size = len(series.x)
        if _is_whole(settings):
            segments.append(Segment(offset, offset + size))
            baseline_stops.append(offset + size)
            phase_counts.append(1)
        else:
            bounds = phase_bounds(settings, size)
            segments += [Segment(offset + start, offset + stop) for start, stop in bounds]
            baseline_stops += [offset + stop for stop in _baseline_stops(settings, bounds)]
            phase_counts.append(len(bounds))
        offset += size
    return Layout(segments, baseline_stops, phase_counts)


def _is_whole(settings: Settings) -> bool:
    """Whether the series is one phase, all of it the baseline, of which nothing is said."""
    return (
        settings.baseline_points is None
        and not settings.phase_starts
        and settings.phase_labels is None
        and settings.phase_reasons is None
    )


def _baseline_stops(settings: Settings, bounds: Sequence[tuple[int, int]]) -> list[int]:
    rows = baselines(settings, len(bounds))
    check_phase_texts(settings, len(bounds))
    return [
        stop if baseline is None else min(stop, start + baseline)
        for (start, stop), baseline in zip(bounds, rows, strict=True)
    ]


def estimate(kind: ChartType, base: Base) -> Estimate:
    """Centre and sigma of every phase; one base point says nothing about spread."""
    found = kind.estimate(base)
    if min(base.counts) >= 2:
        return found
    few = np.array(base.counts) < 2
    return found._replace(
        sigma=_without(found.sigma, few),
        sigma_of_rows=_without(found.sigma_of_rows, base.rows(few)),
        sigma_z=_without(found.sigma_z, few),
    )


def _without(sigma: FloatArray | None, few: BoolArray) -> FloatArray | None:
    return None if sigma is None else np.where(few, np.nan, sigma)


def draw_lines(kind: ChartType, found: Estimate, base: Base) -> FloatArray:
    """Lines as judged, a row each: centre, then lower and upper line at 3, 2 and 1 sigma."""
    lines = np.empty((len(_MULTIPLES) + 1, len(base.values)))
    centre, sigma = found.centre_of_rows, found.sigma_of_rows
    if centre is None:
        centre = base.rows(found.centre)
    if sigma is None:
        assert found.sigma is not None  # an estimate has the one or the other
        sigma = base.rows(found.sigma)
    lines[0] = centre
    band, clipped = lines[1:], lines[1:DRAWN]
    np.multiply(_MULTIPLES, sigma, out=band)
    band += centre if found.middle is None else base.rows(found.middle)
    if kind.floor is not None:
        np.maximum(clipped, kind.floor, out=clipped)
    if kind.ceiling is not None:
        np.minimum(clipped, kind.ceiling, out=clipped)
    return lines
