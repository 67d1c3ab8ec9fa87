"""Reads of deliveries and their attempts."""

import uuid
from typing import Any

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import visible_to
from app.kit.errors import NotFound
from app.kit.filters import Clauses, one_of
from app.kit.pagination import Page, Pager, order_by
from app.webhooks.deliveries.schemas import WebhookAttemptQuery, WebhookDeliveryQuery
from app.webhooks.models import WebhookAttempt, WebhookDelivery

_SORTS: dict[str, Any] = {"created_at": WebhookDelivery.created_at}


def _visible(actor: Actor) -> Any:
    return visible_to(select(WebhookDelivery), actor, WebhookDelivery, Permission.WEBHOOK_READ)


def get_webhook_delivery(
    session: Session, *, actor: Actor, delivery_id: uuid.UUID
) -> WebhookDelivery:
    """One delivery. Raises `NotFound`."""
    statement = _visible(actor).where(col(WebhookDelivery.id) == delivery_id)
    row: WebhookDelivery | None = session.exec(statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def _filters(query: WebhookDeliveryQuery) -> Clauses:
    clauses = [
        col(getattr(WebhookDelivery, name)) == value
        for name in ("endpoint_id", "event_id", "programme_id")
        if (value := getattr(query, name)) is not None
    ]
    if query.created_since is not None:
        clauses.append(col(WebhookDelivery.created_at) >= query.created_since)
    if query.created_until is not None:
        clauses.append(col(WebhookDelivery.created_at) < query.created_until)
    return clauses


def list_webhook_deliveries(
    session: Session, *, actor: Actor, query: WebhookDeliveryQuery, pager: Pager
) -> Page[WebhookDelivery]:
    """A page of the deliveries of the caller's programmes, the latest first."""
    statement = _visible(actor).where(
        *_filters(query),
        *one_of(WebhookDelivery.state, query.state),
        *one_of(WebhookDelivery.event_type, query.event_type),
    )
    order = order_by(query.sort, _SORTS, default="-created_at", last=WebhookDelivery.id)
    return pager.page(session, statement, query=query, order=order)


def list_webhook_attempts(
    session: Session,
    *,
    actor: Actor,
    delivery_id: uuid.UUID,
    query: WebhookAttemptQuery,
    pager: Pager,
) -> Page[WebhookAttempt]:
    """A page of the attempts of a delivery, the first first. Raises `NotFound`."""
    delivery = get_webhook_delivery(session, actor=actor, delivery_id=delivery_id)
    statement = select(WebhookAttempt).where(col(WebhookAttempt.delivery_id) == delivery.id)
    order = order_by(
        [], {"number": WebhookAttempt.number}, default="number", last=WebhookAttempt.id
    )
    return pager.page(session, statement, query=query, order=order)


def last_replay(session: Session, *, delivery: WebhookDelivery) -> WebhookDelivery:
    """The latest delivery of the same event to the same endpoint."""
    statement = select(WebhookDelivery).where(
        col(WebhookDelivery.event_id) == delivery.event_id,
        col(WebhookDelivery.endpoint_id) == delivery.endpoint_id,
    )
    return session.exec(statement.order_by(col(WebhookDelivery.replay).desc()).limit(1)).one()
