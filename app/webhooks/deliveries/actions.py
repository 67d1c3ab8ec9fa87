"""Asks for deliveries once more: one by one, or all of a span."""

import uuid
from datetime import datetime, timedelta

from sqlmodel import Session

from app.access.actor import Actor
from app.kit.errors import Conflict, Invalid
from app.operations.actions import start_operation
from app.operations.models import Operation
from app.webhooks.actions import get_sending
from app.webhooks.deliveries import queries
from app.webhooks.deliveries.schemas import ReplayParams, Span, WebhookReplayCreate
from app.webhooks.following import delivery_values, keep_deliveries
from app.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

REPLAY = "webhooks.replay"


class DeliveryPending(Conflict):
    """409: it waits to be sent already; a further one would be sent twice."""

    code = "webhook_delivery_pending"
    title = "It still waits to be sent."


def redeliver_webhook(
    session: Session, *, actor: Actor, delivery_id: uuid.UUID, now: datetime
) -> WebhookDelivery:
    """A further delivery of the same event to the same endpoint, by the same `webhook-id`."""
    delivery = queries.get_webhook_delivery(session, actor=actor, delivery_id=delivery_id)
    endpoint = get_sending(session, actor=actor, endpoint_id=delivery.endpoint_id)
    last = queries.last_replay(session, delivery=delivery)
    if last.state is DeliveryState.PENDING:
        raise DeliveryPending
    values = delivery_values(
        endpoint,
        event_id=delivery.event_id,
        event_type=delivery.event_type,
        now=now,
        replay=last.replay + 1,
    )
    keep_deliveries(session, [(endpoint, values)], now=now)
    made = session.get(WebhookDelivery, values["id"])
    if made is None:  # a twin was quicker
        raise DeliveryPending
    return made


def replay_webhook_deliveries(
    session: Session,
    *,
    actor: Actor,
    endpoint_id: uuid.UUID,
    data: WebhookReplayCreate,
    days: int,
    now: datetime,
) -> Operation:
    """Ask for deliveries of what was missed, or of all of a span. days: how far back it goes."""
    endpoint = get_sending(session, actor=actor, endpoint_id=endpoint_id)
    span = _span(endpoint, data, days=days, now=now)
    params = ReplayParams(endpoint_id=endpoint.id, **span._asdict())
    return start_operation(
        session,
        actor=actor,
        kind=REPLAY,
        programme_id=endpoint.programme_id,
        params=params.model_dump(mode="json"),
        now=now,
    )


def _span(
    endpoint: WebhookEndpoint, data: WebhookReplayCreate, *, days: int, now: datetime
) -> Span:
    field, since = "from", data.from_
    if data.failed_since is not None:
        field, since = "failed_since", data.failed_since
    if since is None or since < now - timedelta(days=days):
        detail = f"Deliveries can be replayed for {days} days; give a later instant."
        raise Invalid.at(field, code="replay_too_old", detail=detail)
    if field == "failed_since":  # what happened before it was made, it has not missed
        return Span(max(since, endpoint.created_at), now, only_missed=True)
    return Span(since, data.to or now, only_missed=False)
