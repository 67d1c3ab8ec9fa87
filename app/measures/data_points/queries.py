"""Reads of data points."""

import uuid
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.kit.filters import Clauses, archived_filter, one_of
from app.kit.pagination import Page, Pager, SortKey, order_by
from app.measures.data_points.schemas import DataPointQuery
from app.measures.models import DataPoint, Measure
from app.measures.queries import get_measure

_STRATUM: Any = DataPoint.stratum
_SORTS: dict[str, Any] = {"period_start": DataPoint.period_start}


def get_data_point(session: Session, *, actor: Actor, data_point_id: uuid.UUID) -> DataPoint:
    """One data point. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=DataPoint,
        permission=Permission.MEASURE_READ,
        row_id=data_point_id,
    )


def _between(query: DataPointQuery) -> Clauses:
    clauses: Clauses = []
    if query.period_start_from is not None:
        clauses.append(col(DataPoint.period_start) >= query.period_start_from)
    if query.period_start_to is not None:
        clauses.append(col(DataPoint.period_start) <= query.period_start_to)
    if query.excluded is not None:
        clauses.append(col(DataPoint.excluded).is_(query.excluded))
    return clauses


def _selected(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: DataPointQuery
) -> tuple[Measure, SelectOfScalar[DataPoint], list[SortKey]]:
    measure = get_measure(session, actor=actor, measure_id=measure_id)
    statement = select_visible(actor, DataPoint, Permission.MEASURE_READ).where(
        col(DataPoint.measure_id) == measure.id,
        *archived_filter(DataPoint, query),
        *one_of(DataPoint.stratum, query.stratum),
        *one_of(DataPoint.status, query.status),
        *_between(query),
    )
    period, last = order_by(query.sort, _SORTS, default="period_start", last=DataPoint.id)
    return measure, statement, [period, SortKey(_STRATUM), last]


def list_data_points(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: DataPointQuery, pager: Pager
) -> Page[DataPoint]:
    """A page of a measure's data points, the first period first. Raises `NotFound`."""
    _, statement, order = _selected(session, actor=actor, measure_id=measure_id, query=query)
    return pager.page(session, statement, query=query, order=order)


def select_data_points(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: DataPointQuery
) -> tuple[Measure, sa.Select[Any]]:
    """The measure and the ordered statement of all its data points that fit the filter."""
    measure, statement, order = _selected(session, actor=actor, measure_id=measure_id, query=query)
    return measure, statement.order_by(*(term for key in order for term in key.order()))


def find_live(
    session: Session, *, measure_id: uuid.UUID, stratum: str, period_start: date
) -> DataPoint | None:
    """The live data point of a period. The caller has checked access to the measure."""
    statement = select(DataPoint).where(
        col(DataPoint.measure_id) == measure_id,
        col(DataPoint.stratum) == stratum,
        col(DataPoint.period_start) == period_start,
        col(DataPoint.archived_at).is_(None),
    )
    return session.exec(statement).one_or_none()
