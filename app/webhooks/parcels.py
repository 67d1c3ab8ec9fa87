"""What a claimed delivery needs to be sent, or what stands in its way; read for a whole batch."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor, Place
from app.access.owners import find_owners
from app.events.models import Event
from app.events.outbox import message_id
from app.jobs.handlers import Work
from app.webhooks import lanes
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint
from app.webhooks.subscriptions import PING, permission_of

NO_ENDPOINT = "The endpoint was archived."
DISABLED = "The endpoint is disabled."
NO_RIGHT = "The owner of the endpoint may not read this any more."


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message that may be sent now. The secrets are sealed, the newest first."""

    delivery_id: uuid.UUID
    endpoint_id: uuid.UUID
    event_id: uuid.UUID
    number: int  # of the attempt
    message_id: str
    body: bytes
    url: str
    secrets: tuple[str, ...]
    happened_at: datetime
    replay: int
    is_probe: bool = False


@dataclass(frozen=True, slots=True)
class Dropped:
    """A delivery that will never be sent, and why."""

    delivery_id: uuid.UUID
    reason: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A delivery that is not sent yet, though it is due."""

    endpoint_id: uuid.UUID
    reason: str
    until: datetime
    is_paused: bool = False


Found = Parcel | Dropped | Waiting
_PENDING: Any = (
    sa.select(
        col(WebhookDelivery.id).label("delivery_id"),
        col(WebhookDelivery.attempts),
        col(WebhookDelivery.event_type),
        col(WebhookDelivery.event_id),
        col(WebhookDelivery.replay),
        col(Event.payload),
        col(Event.created_at).label("happened_at"),
        *(
            col(column)
            for column in (
                WebhookEndpoint.id,
                WebhookEndpoint.programme_id,
                WebhookEndpoint.owner_id,
                WebhookEndpoint.token_id,
                WebhookEndpoint.scopes,
                WebhookEndpoint.url,
                WebhookEndpoint.state,
                WebhookEndpoint.archived_at,
                WebhookEndpoint.open_until,
                WebhookEndpoint.secret,
                WebhookEndpoint.old_secret,
                WebhookEndpoint.old_secret_until,
            )
        ),
    )
    .join(Event, col(Event.id) == col(WebhookDelivery.event_id))
    .join(WebhookEndpoint, col(WebhookEndpoint.id) == col(WebhookDelivery.endpoint_id))
    .where(
        col(WebhookDelivery.id).in_(sa.bindparam("ids", expanding=True)),
        col(WebhookDelivery.state) == DeliveryState.PENDING,
    )
)


def load_parcels(session: Session, works: Sequence[Work], *, now: datetime) -> dict[int, Found]:
    """By job, in two or three statements; nothing for a delivery that has ended meanwhile."""
    job_of = {uuid.UUID(work.args["delivery_id"]): work.id for work in works}
    found = session.connection().execute(_PENDING, {"ids": list(job_of)})
    rows = {row.delivery_id: row for row in found}
    owners = find_owners(session, list(rows.values()), now=now)
    return _sorted_out([(job_of[i], rows[i]) for i in job_of if i in rows], owners, now)


def _sorted_out(
    rows: Sequence[tuple[int, Any]], owners: Mapping[uuid.UUID, Actor], now: datetime
) -> dict[int, Found]:
    found: dict[int, Found] = {}
    probed: set[uuid.UUID] = set()
    for job_id, row in rows:
        found[job_id] = obstacle(row, owners.get(row.id), now) or _parcel(row, now)
        match found[job_id]:
            case Parcel(endpoint_id=endpoint_id, is_probe=True):
                if endpoint_id in probed:
                    found[job_id] = behind_probe(endpoint_id, now)
                probed.add(endpoint_id)
    return found


def behind_probe(endpoint_id: uuid.UUID, now: datetime) -> Waiting:
    """One call at a time tries whether the receiver is back; this one comes after it."""
    return Waiting(endpoint_id, "Another delivery is trying the receiver.", lanes.after_probe(now))


def obstacle(row: Any, owner: Actor | None, now: datetime) -> Dropped | Waiting | None:
    """What stands in the way of a delivery that is due."""
    if row.archived_at is not None:
        return Dropped(row.delivery_id, NO_ENDPOINT)
    if row.state is EndpointState.DISABLED:
        return Dropped(row.delivery_id, DISABLED)
    if not _may_hear(owner, row.event_type, row.programme_id):
        return Dropped(row.delivery_id, NO_RIGHT)
    if row.state is EndpointState.PAUSED:
        return Waiting(row.id, "The endpoint is paused.", now + lanes.HELD_FOR, is_paused=True)
    # A ping is what a person asks for who has mended the receiver: it tries at once.
    is_resting = row.open_until is not None and now < row.open_until
    if is_resting and row.event_type != PING:
        until = lanes.after_probe(row.open_until)
        return Waiting(row.id, "The receiver failed repeatedly and is given a rest.", until)
    return None


def _may_hear(owner: Actor | None, event_type: str, programme_id: uuid.UUID) -> bool:
    if owner is None or not owner.grants:  # nor a test message, once there is no role at all
        return False
    return event_type == PING or owner.can(permission_of(event_type), Place(programme_id))


def _parcel(row: Any, now: datetime) -> Parcel:
    is_rotating = row.old_secret_until is not None and now < row.old_secret_until
    old = (row.old_secret,) if row.old_secret is not None and is_rotating else ()
    return Parcel(
        delivery_id=row.delivery_id,
        endpoint_id=row.id,
        event_id=row.event_id,
        number=row.attempts + 1,
        message_id=message_id(row.event_id),
        body=row.payload.encode(),
        url=row.url,
        secrets=(row.secret, *old),
        happened_at=row.happened_at,
        replay=row.replay,
        is_probe=row.open_until is not None,
    )
