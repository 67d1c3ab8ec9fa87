"""Sends many events again to one endpoint, in chunks that can be resumed where one ended."""

import uuid
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.owners import find_owners
from app.events.models import Event
from app.webhooks.deliveries.schemas import Span
from app.webhooks.following import delivery_values, keep_deliveries
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint
from app.webhooks.subscriptions import audible

CHUNK = 500


class Chunk(NamedTuple):
    """What was made, and the event to go on after; None at the end."""

    made: int
    after: uuid.UUID | None


def replay_deliveries(
    session: Session,
    *,
    endpoint: WebhookEndpoint,
    span: Span,
    now: datetime,
    after: uuid.UUID | None = None,
    chunk: int = CHUNK,
) -> Chunk:
    """New deliveries of the next events of the span, by few statements; `after` is where to resume.

    What waits to be sent is left out, and so is what the owner may not read today.
    """
    statement = _due(session, endpoint=endpoint, span=span, now=now)
    if after is not None:
        statement = statement.where(col(Event.id) > after)
    rows = session.execute(statement.order_by(col(Event.id)).limit(chunk)).all()
    made = [
        (
            endpoint,
            delivery_values(endpoint, event_id=each, event_type=name, now=now, replay=number),
        )
        for each, name, number in rows
    ]
    keep_deliveries(session, made, now=now)
    return Chunk(len(rows), rows[-1][0] if len(rows) == chunk else None)


def count_replays(session: Session, *, endpoint: WebhookEndpoint, span: Span, now: datetime) -> int:
    """How many deliveries that would make."""
    due = _due(session, endpoint=endpoint, span=span, now=now).subquery()
    return int(session.execute(sa.select(sa.func.count()).select_from(due)).scalar_one())


def _due(
    session: Session, *, endpoint: WebhookEndpoint, span: Span, now: datetime
) -> sa.Select[uuid.UUID, str, Any]:
    """The events, their types, and the number of the replay."""
    owner = find_owners(session, [endpoint], now=now).get(endpoint.id)
    heard = audible(endpoint.event_types, owner=owner, place=endpoint.place) if owner else ()
    settled = [DeliveryState.PENDING, *([DeliveryState.SUCCEEDED] if span.only_missed else [])]
    of_event = sa.and_(
        col(WebhookDelivery.event_id) == col(Event.id),
        col(WebhookDelivery.endpoint_id) == endpoint.id,
    )
    last = sa.select(sa.func.max(col(WebhookDelivery.replay))).where(of_event).scalar_subquery()
    is_settled = sa.exists().where(of_event, col(WebhookDelivery.state).in_(settled))
    statement = sa.select(col(Event.id), col(Event.type), sa.func.coalesce(last + 1, 0)).where(
        col(Event.programme_id) == endpoint.programme_id,
        col(Event.seq).is_not(None),
        col(Event.created_at) >= span.since,
        col(Event.created_at) < span.until,
        col(Event.type).in_(sorted(heard)),
        sa.not_(is_settled),
    )
    if endpoint.not_from is not None:
        is_other = col(Event.origin).is_distinct_from(endpoint.not_from)
        statement = statement.where(is_other)
    return statement
