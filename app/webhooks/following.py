"""Follows the events: each becomes a delivery, and a job, for every endpoint that hears of it."""

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.owners import find_owners
from app.events.models import Event
from app.jobs.actions import enqueue_all
from app.kit.clock import utc_now
from app.kit.ids import new_id
from app.kit.upsert import insert_for
from app.webhooks import lanes
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint
from app.webhooks.subscriptions import PING, TYPES, audible

_DELIVERY: sa.Table = WebhookDelivery.__table__  # type: ignore[attr-defined]


def follow(
    session: Session, events: Sequence[Event], *, clock: Callable[[], datetime] = utc_now
) -> None:
    """Add the deliveries of the events and their jobs, by few statements for any number."""
    now = clock()
    by_programme: dict[uuid.UUID, list[Event]] = defaultdict(list)
    for event in events:
        if event.programme_id is not None and event.type in TYPES:
            by_programme[event.programme_id].append(event)
    endpoints = _listening(session, by_programme)
    owners = find_owners(session, endpoints, now=now)
    made: list[tuple[WebhookEndpoint, dict[str, Any]]] = []
    for endpoint in endpoints:
        if (owner := owners.get(endpoint.id)) is None:
            continue
        heard = audible(endpoint.event_types, owner=owner, place=endpoint.place)
        for event in by_programme[endpoint.programme_id]:
            if event.type in heard and not is_echo(endpoint, event.origin):
                values = delivery_values(
                    endpoint, event_id=event.id, event_type=event.type, now=now
                )
                made.append((endpoint, values))
    keep_deliveries(session, made, now=now)


def _listening(session: Session, programme_ids: Iterable[uuid.UUID]) -> Sequence[WebhookEndpoint]:
    statement = select(WebhookEndpoint).where(
        col(WebhookEndpoint.programme_id).in_(list(programme_ids)),
        col(WebhookEndpoint.state) != EndpointState.DISABLED,
        col(WebhookEndpoint.archived_at).is_(None),
    )
    return session.exec(statement.order_by(col(WebhookEndpoint.id))).all()


def is_echo(endpoint: WebhookEndpoint, origin: str | None) -> bool:
    """Whether the event came from the very system that the endpoint belongs to."""
    return origin is not None and origin == endpoint.not_from


def delivery_values(
    endpoint: WebhookEndpoint,
    *,
    event_id: uuid.UUID,
    event_type: str,
    now: datetime,
    replay: int = 0,
) -> dict[str, Any]:
    """The columns of a new delivery."""
    return {
        "id": new_id(),
        "programme_id": endpoint.programme_id,
        "event_id": event_id,
        "endpoint_id": endpoint.id,
        "event_type": event_type,
        "replay": replay,
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "next_at": _due(endpoint, event_type, now),
        "created_at": now,
    }


def _due(endpoint: WebhookEndpoint, event_type: str, now: datetime) -> datetime:
    if endpoint.state is EndpointState.PAUSED:
        return now + lanes.HELD_FOR
    if endpoint.open_until is not None and event_type != PING:  # a ping tries at once
        return max(now, lanes.after_probe(endpoint.open_until))
    return now


def keep_deliveries(
    session: Session, made: Sequence[tuple[WebhookEndpoint, dict[str, Any]]], *, now: datetime
) -> None:
    """Store the deliveries and their jobs, two statements for any number.

    Where one is there already, its job finds nothing to do.
    """
    if not made:
        return
    insert = insert_for(session.connection(), _DELIVERY).on_conflict_do_nothing()
    session.execute(insert, [values for _, values in made])
    enqueue_all(
        session,
        [
            lanes.delivery_job(
                delivery_id=values["id"],
                endpoint_id=endpoint.id,
                programme_id=endpoint.programme_id,
                at=values["next_at"] or now,
            )
            for endpoint, values in made
        ],
    )
