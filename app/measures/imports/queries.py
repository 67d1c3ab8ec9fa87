"""Reads the measures of a project that the rows of a file can be of."""

import uuid
from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import select_visible
from app.measures.models import DataType, Measure
from app.references.models import ExternalReference
from app.references.resources import ResourceType


class Known(NamedTuple):
    """A measure as far as a row needs it; `external_id` is that of the system asked for."""

    id: uuid.UUID
    name: str
    data_type: DataType
    is_archived: bool
    external_id: str | None


def list_known(
    session: Session, *, actor: Actor, project_id: uuid.UUID, system: str | None
) -> list[Known]:
    """All measures of a project that the actor sees, in one statement."""
    reference = ExternalReference.__table__  # type: ignore[attr-defined]
    is_name = sa.and_(
        reference.c.resource_id == Measure.id,
        reference.c.resource_type == ResourceType.MEASURE,
        reference.c.system == system,
    )
    statement = (
        select_visible(actor, Measure, Permission.MEASURE_READ)
        .where(col(Measure.project_id) == project_id)
        .outerjoin(reference, is_name)
        .with_only_columns(
            col(Measure.id),
            col(Measure.name),
            col(Measure.data_type),
            col(Measure.archived_at).is_not(None),
            reference.c.external_id,
        )
        .order_by(col(Measure.id))
    )
    return [Known(*row) for row in session.execute(statement)]


def list_live(
    session: Session, *, actor: Actor, project_id: uuid.UUID, measure_ids: Collection[uuid.UUID]
) -> list[Measure]:
    """Those of some measures of a project that the actor sees and that are not archived."""
    statement = select_visible(actor, Measure, Permission.MEASURE_READ).where(
        col(Measure.project_id) == project_id,
        col(Measure.id).in_(measure_ids),
        col(Measure.archived_at).is_(None),
    )
    return list(session.exec(statement))
