"""Reads of PDSA cycles, with what is derived of them."""

import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.events import queries as events
from app.events.models import Event
from app.events.schemas import HistoryQuery
from app.kit.filters import archived_filter, one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.measures.models import DataPoint, Measure
from app.pdsa.models import CycleState, PDSACycle
from app.pdsa.schemas import PDSACycleQuery, PDSACycleRead
from app.programmes.models import Programme
from app.projects.models import Project
from app.projects.queries import get_project
from app.references.queries import refers_to, with_references
from app.references.resources import ResourceType

_SORTS: dict[str, Any] = {
    "created_at": PDSACycle.created_at,
    "updated_at": PDSACycle.updated_at,
    "cycle_no": PDSACycle.cycle_no,
}
Referred = type[Measure] | type[DataPoint] | type[PDSACycle]
_READS: dict[Referred, Permission] = {
    Measure: Permission.MEASURE_READ,
    DataPoint: Permission.MEASURE_READ,
    PDSACycle: Permission.PDSA_CYCLE_READ,
}


def get_pdsa_cycle(session: Session, *, actor: Actor, cycle_id: uuid.UUID) -> PDSACycle:
    """One cycle. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=PDSACycle,
        permission=Permission.PDSA_CYCLE_READ,
        row_id=cycle_id,
    )


def get_project_of_cycles(session: Session, *, actor: Actor, project_id: uuid.UUID) -> Project:
    """The project, to whoever may read its cycles. Raises `NotFound`."""
    return get_project(
        session, actor=actor, project_id=project_id, permission=Permission.PDSA_CYCLE_READ
    )


def find_in_project(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    entity: Referred,
    ids: Collection[uuid.UUID],
) -> set[uuid.UUID]:
    """Which of the identifiers are of live measures, points or cycles of the project."""
    if not ids:
        return set()
    statement = select_visible(actor, entity, _READS[entity]).where(
        entity.project_id == project_id,
        col(entity.archived_at).is_(None),
        col(entity.id).in_(ids),
    )
    return set(session.scalars(statement.with_only_columns(col(entity.id))))


def length_of_ramp(session: Session, *, ramp_id: uuid.UUID) -> int:
    """How many cycles it has; the archived ones keep their numbers."""
    return _lengths(session, [ramp_id]).get(ramp_id, 0)


def _lengths(session: Session, ramp_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    statement = (
        sa.select(col(PDSACycle.ramp_id), sa.func.max(PDSACycle.cycle_no))
        .where(col(PDSACycle.ramp_id).in_(ramp_ids))
        .group_by(col(PDSACycle.ramp_id))
    )
    return {row[0]: row[1] for row in session.execute(statement)}


def _is_stalled(cycle: PDSACycle, today: date) -> bool:
    ends = cycle.plan.get("when_end")
    return cycle.state is CycleState.DOING and ends is not None and date.fromisoformat(ends) < today


def read_cycles(
    session: Session, cycles: Sequence[PDSACycle], *, now: datetime
) -> list[PDSACycleRead]:
    """The cycles of one programme as they are answered; three queries, however many there are."""
    if not cycles:
        return []
    programme = session.get_one(Programme, cycles[0].programme_id)
    today = now.astimezone(ZoneInfo(programme.timezone)).date()
    lengths = _lengths(session, {cycle.ramp_id for cycle in cycles})
    reads = [
        PDSACycleRead.model_validate(
            cycle.model_dump()
            | {"ramp_length": lengths[cycle.ramp_id], "is_stalled": _is_stalled(cycle, today)}
        )
        for cycle in cycles
    ]
    return with_references(session, ResourceType.PDSA_CYCLE, reads)


def read_cycle(session: Session, cycle: PDSACycle, *, now: datetime) -> PDSACycleRead:
    """One cycle as it is answered."""
    return read_cycles(session, [cycle], now=now)[0]


def list_pdsa_cycles(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    query: PDSACycleQuery,
    pager: Pager,
    now: datetime,
) -> Page[PDSACycleRead]:
    """A page of a project's cycles, the oldest first."""
    project = get_project_of_cycles(session, actor=actor, project_id=project_id)
    statement = select_visible(actor, PDSACycle, Permission.PDSA_CYCLE_READ).where(
        PDSACycle.project_id == project.id,
        *archived_filter(PDSACycle, query),
        *text_contains(PDSACycle.title, query.q),
        *one_of(PDSACycle.state, query.state),
        *one_of(PDSACycle.purpose, query.purpose),
        *one_of(PDSACycle.ramp_id, query.ramp_id),
        *refers_to(PDSACycle, ResourceType.PDSA_CYCLE, query.external_ref),
    )
    order = order_by(query.sort, _SORTS, default="created_at", last=PDSACycle.id)
    page: Page[PDSACycle] = pager.page(session, statement, query=query, order=order)
    return page.of(read_cycles(session, page.items, now=now))


def list_pdsa_cycle_history(
    session: Session, *, actor: Actor, cycle_id: uuid.UUID, query: HistoryQuery, pager: Pager
) -> Page[Event]:
    """What happened to a cycle."""
    cycle = get_pdsa_cycle(session, actor=actor, cycle_id=cycle_id)
    return events.list_history(session, resource_id=cycle.id, query=query, pager=pager)
