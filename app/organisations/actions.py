"""Writes of organisations."""

import uuid
from datetime import datetime

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource
from app.kit.errors import Invalid
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.organisations import queries
from app.organisations.models import Organisation
from app.organisations.schemas import OrganisationBase, OrganisationCreate, OrganisationPatch


def _check_successor(session: Session, actor: Actor, values: dict[str, object]) -> None:
    successor = values.get("successor_id")
    if isinstance(successor, uuid.UUID):
        queries.get_organisation_reference(
            session, actor=actor, organisation_id=successor, field="successor_id"
        )


def create_organisation(
    session: Session, *, actor: Actor, data: OrganisationCreate, now: datetime
) -> Organisation:
    """Anybody who runs a programme may add the practices of its participants."""
    actor.require(Permission.ORGANISATION_CREATE)
    values = column_values(data)
    _check_successor(session, actor, values)
    row = Organisation(**values)
    return records.keep_new(session, actor=actor, noun=Resource.ORGANISATION, row=row, now=now)


def update_organisation(
    session: Session,
    *,
    actor: Actor,
    organisation_id: uuid.UUID,
    patch: OrganisationPatch,
    condition: Precondition,
    now: datetime,
) -> Organisation:
    """Merge the patch. An organisation cannot succeed itself."""
    row = queries.get_organisation(session, actor=actor, organisation_id=organisation_id)
    actor.require(Permission.ORGANISATION_WRITE)
    condition.check(row.revision)
    refuse_archived(row)
    values = patched_values(OrganisationBase, row, patch)
    if values["successor_id"] == row.id:
        raise Invalid.at("successor_id", code="own_successor", detail="Name another organisation.")
    _check_successor(session, actor, values)
    return records.keep_changes(
        session, actor=actor, noun=Resource.ORGANISATION, row=row, values=values, now=now
    )


def archive_organisation(
    session: Session,
    *,
    actor: Actor,
    organisation_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide it from lists; what refers to it keeps doing so."""
    row = queries.get_organisation(session, actor=actor, organisation_id=organisation_id)
    actor.require(Permission.ORGANISATION_WRITE)
    condition.check(row.revision, required=False)
    records.archive(session, actor=actor, noun=Resource.ORGANISATION, row=row, now=now)


def restore_organisation(
    session: Session, *, actor: Actor, organisation_id: uuid.UUID, now: datetime
) -> Organisation:
    """Bring it back; 409 where its ODS code has been given to another meanwhile."""
    row = queries.get_organisation(session, actor=actor, organisation_id=organisation_id)
    actor.require(Permission.ORGANISATION_WRITE)
    return records.restore(session, actor=actor, noun=Resource.ORGANISATION, row=row, now=now)
