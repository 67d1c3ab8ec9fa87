"""Reads of stored series for EWMA and CUSUM charts."""

import uuid
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import Session, col

from app import spc
from app.access.actor import Actor
from app.analytics.comparisons.drawing import in_parameters, printed, refusals, tag_of
from app.analytics.comparisons.schemas import CusumQuery, EwmaQuery, MemoryQuery
from app.measures.models import RATIO_TYPES, SHARE_TYPES, DataPoint, Measure
from app.measures.queries import get_measure
from app.measures.series import ChartSettings, Overrides, PointRow, assemble
from app.spc.cusum import CusumSettings, cusum
from app.spc.ewma import EwmaSettings, ewma

_POINT: list[Any] = [
    col(column)
    for column in (
        DataPoint.period_start,
        DataPoint.value,
        DataPoint.numerator,
        DataPoint.denominator,
        DataPoint.excluded,
        DataPoint.note,
    )
]


class StoredSeries:
    """A measure that the caller may read; its points are read only if its chart must be drawn."""

    def __init__(self, session: Session, measure: Measure, query: MemoryQuery) -> None:
        self._session, self._measure, self._query = session, measure, query

    @property
    def tag(self) -> str:
        """It changes with whatever the chart prints."""
        measure, query = self._measure, self._query
        stated = f"{type(query).__name__}|{query.model_dump_json()}"
        return f"{measure.series_revision}-{tag_of(stated)[:12]}"

    def assembled(self) -> tuple[spc.Series, dict[str, Any], str]:
        """The series, what any chart with a memory is told of it, and when it last changed."""
        measure, query = self._measure, self._query
        overrides = Overrides(
            chart="i",
            direction=query.direction,
            baseline_points=query.baseline_points,
            multiplier=query.multiplier,
            screen_moving_ranges=query.screen_moving_ranges,
            phase_starts=tuple(query.phase_starts),
        )
        stored = ChartSettings(
            data_type=measure.data_type,
            direction=measure.direction,
            baseline_points=measure.baseline_points,
            multiplier=measure.multiplier,
            title=measure.name,
            unit=measure.unit,
        )
        series, settings = assemble(stored, self._points(), overrides)
        told = {
            "data": query.data or _data(measure),
            "centre": query.centre,
            "sigma": query.sigma,
            "direction": str(settings.direction),
            "phase_starts": settings.phase_starts,
            "baseline_points": settings.baseline_points,
            "phase_labels": settings.phase_labels,
            "phase_reasons": settings.phase_reasons,
            "screen_moving_ranges": settings.screen_moving_ranges,
            "multiplier": settings.multiplier,
            "title": settings.title,
            "unit": settings.unit,
        }
        return series, told, printed(measure.series_changed_at)

    def _points(self) -> Sequence[PointRow]:
        statement = (
            sa.select(*_POINT)
            .where(
                col(DataPoint.measure_id) == self._measure.id,
                col(DataPoint.stratum) == self._query.stratum,
                col(DataPoint.archived_at).is_(None),
            )
            .order_by(col(DataPoint.period_start))
        )
        return cast(Sequence[PointRow], self._session.connection().execute(statement).all())


def _data(measure: Measure) -> str:
    if measure.data_type in SHARE_TYPES:
        return "proportion"
    return "rate" if measure.data_type in RATIO_TYPES else "values"


def get_series(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: MemoryQuery
) -> StoredSeries:
    """The series of a measure. Raises `NotFound`."""
    return StoredSeries(session, get_measure(session, actor=actor, measure_id=measure_id), query)


def draw_measure_ewma(stored: StoredSeries, query: EwmaQuery) -> dict[str, Any]:
    """The EWMA document of the points as they are now. Raises `Unchartable`."""
    series, told, as_of = stored.assembled()
    own = query.model_dump(include={"weight", "limit_width", "limits"})
    with refusals(in_parameters):
        return ewma(series, EwmaSettings(**told, **own), as_of=as_of)


def draw_measure_cusum(stored: StoredSeries, query: CusumQuery) -> dict[str, Any]:
    """The CUSUM document of the points as they are now. Raises `Unchartable`."""
    series, told, as_of = stored.assembled()
    own = query.model_dump(
        include={"allowance", "decision_interval", "head_start", "restart_after_signal"}
    )
    with refusals(in_parameters):
        return cusum(series, CusumSettings(**told, **own), as_of=as_of)
