"""Writes an event in the caller's transaction. Takes plain values: it knows no actor."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlmodel import Session

from app.events.catalogue import Resource, Verb, address_of, event_type
from app.events.models import Event
from app.jobs.actions import enqueue
from app.jobs.kinds import Kind
from app.kit.ids import new_id

# Short waits: only this database is asked, and all who follow are told late meanwhile.
DISPATCH = Kind("event.dispatch", queue="event", attempts=20, retry_seconds=(1, 5, 30, 60))

_REDACTED = frozenset(
    {"given_name", "family_name", "email", "professional_id", "display_name"}
    | {"password_hash", "secret_hash", "secret", "old_secret", "token", "withdrawal_reason"}
)
ORIGIN_LENGTH = 200  # of its column; the payload has it whole
REDACTION = "[redacted]"


@dataclass(frozen=True, slots=True)
class Origin:
    """Who caused it, by which token and request, and whether it came from elsewhere."""

    actor_id: uuid.UUID | None = None
    token_id: uuid.UUID | None = None
    request_id: str | None = None
    source: str | None = None  # the other system that the change came from


def message_id(event_id: uuid.UUID) -> str:
    """How an event is called on the wire, the same in every attempt, replay and receiver."""
    return f"evt_{event_id.hex}"


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case Enum():
            return value.value
        case datetime() | date():
            return value.isoformat()
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return str(value)


def _recorded(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {
        name: [REDACTION, REDACTION] if name in _REDACTED else [_plain(old), _plain(new)]
        for name, (old, new) in changes.items()
    }


def _payload(event_id: uuid.UUID, name: str, now: datetime, data: Mapping[str, Any]) -> str:
    message = {
        "id": message_id(event_id),
        "type": name,
        "timestamp": now.isoformat().replace("+00:00", "Z"),
        "data": data,
    }
    return json.dumps(message, separators=(",", ":"))


def record(
    session: Session,
    *,
    noun: Resource,
    verb: Verb,
    resource_id: uuid.UUID,
    revision: int,
    programme_id: uuid.UUID | None,
    origin: Origin,
    now: datetime,
    parent_id: uuid.UUID | None = None,
    project_id: uuid.UUID | None = None,
    team_id: uuid.UUID | None = None,
    changes: Mapping[str, tuple[Any, Any]] | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Add the event to the transaction. `data` holds further scalars, never of people.

    The payload is frozen here: the same bytes are stored, signed and sent.
    """
    name, event_id = event_type(noun, verb), new_id()
    subject = {
        "id": str(resource_id),
        "url": address_of(noun, resource_id),
        "programme_id": str(programme_id) if programme_id else None,
        **({"project_id": str(project_id)} if project_id else {}),
        "revision": revision,
        **({"origin": origin.source} if origin.source else {}),
    }
    event = Event(
        id=event_id,
        programme_id=programme_id,
        project_id=project_id,
        team_id=team_id,
        parent_id=parent_id,
        type=name,
        actor_id=origin.actor_id,
        token_id=origin.token_id,
        request_id=origin.request_id,
        origin=origin.source and origin.source[:ORIGIN_LENGTH],
        resource_type=noun.value,
        resource_id=resource_id,
        revision=revision,
        payload=_payload(event_id, name, now, subject | _plain(data or {})),
        changes=_recorded(changes or {}),
        created_at=now,
    )
    session.add(event)
    enqueue(session, DISPATCH, {"event_id": event.id.hex}, key=f"event:{event.id.hex}")
    return event
