"""Reads of stored series for EWMA and CUSUM charts."""

import uuid
from typing import Any

from sqlmodel import Session

from app import spc
from app.access.actor import Actor
from app.analytics.comparisons.drawing import refusals, tag_of
from app.analytics.comparisons.schemas import CusumQuery, EwmaQuery, MemoryQuery
from app.analytics.drawing import in_query
from app.analytics.queries import as_of, assemble_one, get_measure_row
from app.measures.models import RATIO_TYPES, SHARE_TYPES, DataType
from app.measures.series import Overrides
from app.spc.cusum import CusumSettings, cusum
from app.spc.ewma import EwmaSettings, ewma

# What charts with a memory share with the others.
_SHARED = (
    "phase_starts",
    "baseline_points",
    "phase_labels",
    "phase_reasons",
    "screen_moving_ranges",
    "multiplier",
    "title",
    "unit",
)


class StoredSeries:
    """A measure that the caller may read; its points are read only if its chart must be drawn."""

    def __init__(self, session: Session, row: Any, query: MemoryQuery) -> None:
        self._session, self._row, self._query = session, row, query

    @property
    def tag(self) -> str:
        """It changes with whatever the chart prints."""
        stated = f"{type(self._query).__name__}|{self._query.model_dump_json()}"
        return f"{self._row.series_revision}-{tag_of(stated)[:12]}"

    @property
    def as_of(self) -> str:
        """When anything that the chart prints last changed."""
        return as_of(self._row)

    def assembled(self) -> tuple[spc.Series, dict[str, Any]]:
        """The series, and what any chart with a memory is told of it."""
        query = self._query
        overrides = Overrides(
            chart="i",
            direction=query.direction,
            baseline_points=query.baseline_points,
            multiplier=query.multiplier,
            screen_moving_ranges=query.screen_moving_ranges,
            phase_starts=tuple(query.phase_starts),
        )
        connection = self._session.connection()
        series, settings, _ = assemble_one(connection, self._row, query.stratum, overrides)
        return series, {
            "data": query.data or _data(self._row.data_type),
            "centre": query.centre,
            "sigma": query.sigma,
            "direction": str(settings.direction),
            **{name: getattr(settings, name) for name in _SHARED},
        }


def _data(data_type: DataType) -> str:
    if data_type in SHARE_TYPES:
        return "proportion"
    return "rate" if data_type in RATIO_TYPES else "values"


def get_series(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: MemoryQuery
) -> StoredSeries:
    """The series of a measure. Raises `NotFound`."""
    row = get_measure_row(session.connection(), actor=actor, measure_id=measure_id)
    return StoredSeries(session, row, query)


def draw_measure_ewma(stored: StoredSeries, query: EwmaQuery) -> dict[str, Any]:
    """The EWMA document of the points as they are now. Raises `Unchartable`."""
    series, told = stored.assembled()
    own = query.model_dump(include={"weight", "limit_width", "limits"})
    with refusals(in_query):
        return ewma(series, EwmaSettings(**told, **own), as_of=stored.as_of)


def draw_measure_cusum(stored: StoredSeries, query: CusumQuery) -> dict[str, Any]:
    """The CUSUM document of the points as they are now. Raises `Unchartable`."""
    series, told = stored.assembled()
    own = query.model_dump(
        include={"allowance", "decision_interval", "head_start", "restart_after_signal"}
    )
    with refusals(in_query):
        return cusum(series, CusumSettings(**told, **own), as_of=stored.as_of)
