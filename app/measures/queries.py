"""Reads of measures."""

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.events.models import Event
from app.events.queries import list_history
from app.events.schemas import HistoryQuery
from app.kit.filters import archived_filter, one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.measures.models import RATIO_TYPES, DataPoint, Family, Measure
from app.measures.schemas import MeasureQuery
from app.projects.queries import get_project
from app.references.queries import refers_to
from app.references.resources import ResourceType

MANY_MEASURES = 8  # more than a team can keep collecting
_WANTED = (Family.OUTCOME, Family.PROCESS, Family.BALANCING)
_SORTS: dict[str, Any] = {
    "position": Measure.position,
    "name": Measure.name,
    "updated_at": Measure.updated_at,
}


def get_measure(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    permission: Permission = Permission.MEASURE_READ,
) -> Measure:
    """One measure. `permission` names what of it is read. Raises `NotFound`."""
    return get_visible(
        session, actor=actor, entity=Measure, permission=permission, row_id=measure_id
    )


def list_measures(
    session: Session, *, actor: Actor, project_id: uuid.UUID, query: MeasureQuery, pager: Pager
) -> Page[Measure]:
    """A page of a project's measures in their order. Raises `NotFound` for the project."""
    project = get_project(
        session, actor=actor, project_id=project_id, permission=Permission.MEASURE_READ
    )
    statement = select_visible(actor, Measure, Permission.MEASURE_READ).where(
        col(Measure.project_id) == project.id,
        *archived_filter(Measure, query),
        *text_contains(Measure.name, query.q),
        *one_of(Measure.family, query.family),
        *one_of(Measure.data_type, query.data_type),
        *refers_to(Measure, ResourceType.MEASURE, query.external_ref),
    )
    if query.code is not None:
        statement = statement.where(col(Measure.code) == query.code)
    if query.is_headline is not None:
        statement = statement.where(col(Measure.is_headline).is_(query.is_headline))
    order = order_by(query.sort, _SORTS, default="position", last=Measure.id)
    return pager.page(session, statement, query=query, order=order)


def get_measure_history(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: HistoryQuery, pager: Pager
) -> Page[Event]:
    """What happened to a measure and to its data points."""
    measure = get_measure(session, actor=actor, measure_id=measure_id)
    return list_history(session, resource_id=measure.id, query=query, pager=pager)


def count_families(session: Session, *, project_id: uuid.UUID) -> dict[Family, int]:
    """How many live measures of each family a project has. The caller has checked access."""
    statement = (
        select(Measure.family, sa.func.count())
        .where(col(Measure.project_id) == project_id, col(Measure.archived_at).is_(None))
        .group_by(col(Measure.family))
    )
    return {Family(family): number for family, number in session.exec(statement)}


def is_defined(measure: Measure) -> bool:
    """Whether somebody else could collect the same numbers from the definitions."""
    texts = [measure.operational_definition]
    if measure.data_type in RATIO_TYPES:
        texts += [measure.numerator_definition, measure.denominator_definition]
    return all(texts)


def warnings_of(measure: Measure, families: Mapping[Family, int]) -> list[str]:
    """What the measure and its project still lack."""
    warnings = [] if is_defined(measure) else ["measure_definition_missing"]
    if sum(families.values()) > MANY_MEASURES:
        warnings.append("too_many_measures")
    return warnings + [f"no_{family}_measure" for family in _WANTED if not families.get(family)]


def has_data(session: Session, *, measure_id: uuid.UUID) -> bool:
    """Whether points were ever recorded; an archived one can come back."""
    statement = select(DataPoint.id).where(col(DataPoint.measure_id) == measure_id).limit(1)
    return session.exec(statement).first() is not None


def list_headlines(session: Session, *, project_id: uuid.UUID) -> list[Measure]:
    """The live headline measures of a project: at most one outside a transaction."""
    statement = select(Measure).where(
        col(Measure.project_id) == project_id,
        col(Measure.is_headline),
        col(Measure.archived_at).is_(None),
    )
    return list(session.exec(statement))
