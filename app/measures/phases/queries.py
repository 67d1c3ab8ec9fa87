"""Reads of phases."""

import uuid
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.kit.filters import archived_filter, one_of
from app.kit.pagination import Page, Pager, order_by
from app.measures.models import DataPoint, Measure, Phase, PhaseStatus
from app.measures.phases.schemas import PhaseQuery
from app.measures.queries import get_measure
from app.programmes.models import Programme

_SORTS: dict[str, Any] = {"starts_on": Phase.starts_on, "created_at": Phase.created_at}


class Span(NamedTuple):
    """The first and the last day that a phase of a measure can reasonably start on."""

    first: date
    last: date


def get_phase(session: Session, *, actor: Actor, phase_id: uuid.UUID) -> Phase:
    """One phase. Raises `NotFound`."""
    return get_visible(
        session, actor=actor, entity=Phase, permission=Permission.MEASURE_READ, row_id=phase_id
    )


def list_phases(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: PhaseQuery, pager: Pager
) -> Page[Phase]:
    """A page of a measure's phases, the earliest first. Raises `NotFound`."""
    measure = get_measure(session, actor=actor, measure_id=measure_id)
    statement = select_visible(actor, Phase, Permission.MEASURE_READ).where(
        col(Phase.measure_id) == measure.id,
        *archived_filter(Phase, query),
        *one_of(Phase.status, query.status),
        *one_of(Phase.reason, query.reason),
    )
    order = order_by(query.sort, _SORTS, default="starts_on", last=Phase.id)
    return pager.page(session, statement, query=query, order=order)


def find_drawn(
    session: Session, *, measure_id: uuid.UUID, starts_on: date, besides: uuid.UUID
) -> Phase | None:
    """Another live approved phase from the same day on. The caller has checked access."""
    statement = select(Phase).where(
        col(Phase.measure_id) == measure_id,
        col(Phase.starts_on) == starts_on,
        col(Phase.status) == PhaseStatus.APPROVED,
        col(Phase.archived_at).is_(None),
        col(Phase.id) != besides,
    )
    return session.exec(statement).first()


def list_answers(session: Session, *, measure_id: uuid.UUID, detector: str) -> list[Phase]:
    """The live phases that answer what a detector proposed. The caller has checked access."""
    statement = (
        select(Phase)
        .where(
            col(Phase.measure_id) == measure_id,
            col(Phase.detector) == detector,
            col(Phase.archived_at).is_(None),
        )
        .order_by(col(Phase.created_at), col(Phase.id))
    )
    return list(session.exec(statement))


def span_of(session: Session, *, measure: Measure, today: date) -> Span:
    """The programme's and the data's days together, up to today. The caller has checked access."""
    first, last, ends = session.execute(
        sa.select(
            sa.func.min(col(DataPoint.period_start)),
            sa.func.max(col(DataPoint.period_start)),
            sa.func.max(col(DataPoint.period_end)),
        ).where(col(DataPoint.measure_id) == measure.id, col(DataPoint.archived_at).is_(None))
    ).one()
    programme = session.get_one(Programme, measure.programme_id)
    return Span(
        min(day for day in (first, programme.starts_on) if day is not None),
        max(day for day in (last, ends, programme.ends_on, today) if day is not None),
    )
