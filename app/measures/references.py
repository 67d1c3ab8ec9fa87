"""Checks the PDSA cycles that a phase or an annotation names."""

import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.kit.errors import ReferenceNotFound
from app.projects.models import Project

CYCLES_FIELD = "pdsa_cycle_ids"
# By name: cycles stand above measures.
_CYCLE = sa.table(
    "pdsa_cycle",
    sa.column("id", sa.Uuid),
    sa.column("project_id", sa.Uuid),
    sa.column("archived_at"),
)


def check_cycles(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    cycle_ids: Sequence[str],
    known: Collection[str] = (),
) -> None:
    """What is new must be a live cycle of the same project; what stood there before may stay.

    Raises `ReferenceNotFound` with a pointer to the first that is not.
    """
    added = {uuid.UUID(cycle_id) for cycle_id in cycle_ids if cycle_id not in known}
    if not added:
        return
    found: set[uuid.UUID] = set()
    place = session.get_one(Project, project_id).place
    if actor.span(Permission.PDSA_CYCLE_READ).covers(place):
        statement = sa.select(_CYCLE.c.id).where(
            _CYCLE.c.id.in_(added),
            _CYCLE.c.project_id == project_id,
            _CYCLE.c.archived_at.is_(None),
        )
        found = set(session.scalars(statement))
    for index, cycle_id in enumerate(cycle_ids):
        if uuid.UUID(cycle_id) in added - found:
            raise ReferenceNotFound.in_field(CYCLES_FIELD, index)
