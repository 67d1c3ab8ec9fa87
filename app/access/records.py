"""How a write is kept: the row, its revision and its event, always together."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm.attributes import flag_modified
from sqlmodel import Session

from app.access.actor import Actor
from app.events import outbox
from app.events.catalogue import Resource, Verb
from app.kit.patching import change
from app.kit.table import Row

E = TypeVar("E", bound=Row)


def record_event(
    session: Session,
    *,
    actor: Actor,
    noun: Resource,
    verb: Verb,
    row: Row,
    now: datetime,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """The event of a change to one row; it stands in the history of the row's parent too."""
    programme_id = row.id if noun is Resource.PROGRAMME else getattr(row, "programme_id", None)
    project_id = row.id if noun is Resource.PROJECT else getattr(row, "project_id", None)
    team_id = row.id if noun is Resource.TEAM else getattr(row, "team_id", None)
    parent_column = getattr(row, "parent_column", None)
    outbox.record(
        session,
        noun=noun,
        verb=verb,
        resource_id=row.id,
        revision=row.revision,
        programme_id=programme_id,
        origin=actor.origin,
        now=now,
        parent_id=getattr(row, parent_column) if parent_column else None,
        project_id=project_id,
        team_id=team_id,
        changes=changes,
        data=data,
    )


def keep_new(
    session: Session,
    *,
    actor: Actor,
    noun: Resource,
    row: E,
    now: datetime,
    verb: Verb = Verb.CREATED,
    data: Mapping[str, Any] | None = None,
) -> E:
    """A new row and its event. A taken unique value becomes 409 at the flush."""
    row.created_at = row.updated_at = now
    row.created_by = actor.user_id
    session.add(row)
    session.flush()
    record_event(session, actor=actor, noun=noun, verb=verb, row=row, now=now, data=data)
    return row


def keep_changes(
    session: Session,
    *,
    actor: Actor,
    noun: Resource,
    row: E,
    values: Mapping[str, Any],
    now: datetime,
    verb: Verb = Verb.UPDATED,
    data: Mapping[str, Any] | None = None,
    also: Mapping[str, tuple[Any, Any]] | None = None,
) -> E:
    """The changed fields and their event; where nothing differs, nothing is written.

    `also` holds what the event keeps beside the fields: changes of other rows that the resource
    shows (its revision rises with them), the reasons that the caller gave.
    """
    changes = {**(also or {}), **change(row, values)}
    if changes:
        row.updated_at = now
        flag_modified(row, "updated_at")  # the same instant twice must raise the revision too
        session.flush()
        record_event(
            session, actor=actor, noun=noun, verb=verb, row=row, now=now, changes=changes, data=data
        )
    return row


def archive(session: Session, *, actor: Actor, noun: Resource, row: E, now: datetime) -> E:
    """Hide a row from lists. Archiving what is archived changes nothing."""
    if getattr(row, "archived_at", None) is not None:
        return row
    values = {"archived_at": now, "archived_by": actor.user_id}
    return keep_changes(
        session, actor=actor, noun=noun, row=row, values=values, now=now, verb=Verb.ARCHIVED
    )


def restore(session: Session, *, actor: Actor, noun: Resource, row: E, now: datetime) -> E:
    """Bring an archived row back. Restoring what is not archived changes nothing."""
    values = {"archived_at": None, "archived_by": None}
    return keep_changes(
        session, actor=actor, noun=noun, row=row, values=values, now=now, verb=Verb.RESTORED
    )
