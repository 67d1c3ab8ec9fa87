"""Writes of programmes. Their states are moved by `progress`, which looks at everything else."""

import uuid
from datetime import datetime
from typing import Any

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import refuse_archived
from app.events.catalogue import Resource
from app.kit.errors import Conflict
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.organisations.queries import get_organisation_reference
from app.programmes import queries
from app.programmes.models import Programme
from app.programmes.schemas import ProgrammeBase, ProgrammeCreate, ProgrammePatch


class TimezoneFixed(Conflict):
    """409: sessions have dates already, and who joined late was judged by them."""

    code = "timezone_fixed"
    title = "The time zone cannot change once sessions have dates."


def _check_organisations(
    session: Session, actor: Actor, values: dict[str, Any], row: Programme | None = None
) -> None:
    for field in ("commissioner_org_id", "provider_org_id"):
        if row is None or values[field] != getattr(row, field):
            get_organisation_reference(
                session, actor=actor, organisation_id=values[field], field=field
            )


def create_programme(
    session: Session, *, actor: Actor, data: ProgrammeCreate, now: datetime
) -> Programme:
    """A draft. Only the platform's administrators make programmes: each is a tenant."""
    actor.require(Permission.PROGRAMME_CREATE)
    values = column_values(data)
    _check_organisations(session, actor, values)
    row = Programme(**values)
    return records.keep_new(session, actor=actor, noun=Resource.PROGRAMME, row=row, now=now)


def update_programme(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    patch: ProgrammePatch,
    condition: Precondition,
    now: datetime,
) -> Programme:
    """Merge the patch; rules that span several fields are checked on the result."""
    row = queries.get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.PROGRAMME_WRITE, Place(row.id))
    condition.check(row.revision)
    refuse_archived(row)
    values = patched_values(ProgrammeBase, row, patch)
    _check_organisations(session, actor, values, row)
    if values["timezone"] != row.timezone and row.first_session_on is not None:
        raise TimezoneFixed
    return records.keep_changes(
        session, actor=actor, noun=Resource.PROGRAMME, row=row, values=values, now=now
    )


def archive_programme(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Hide it; nothing under it can be written until it is restored."""
    row = queries.get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.PROGRAMME_ARCHIVE, Place(row.id))
    condition.check(row.revision, required=False)
    records.archive(session, actor=actor, noun=Resource.PROGRAMME, row=row, now=now)


def restore_programme(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, now: datetime
) -> Programme:
    """Bring it back."""
    row = queries.get_programme(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.PROGRAMME_ARCHIVE, Place(row.id))
    return records.restore(session, actor=actor, noun=Resource.PROGRAMME, row=row, now=now)
