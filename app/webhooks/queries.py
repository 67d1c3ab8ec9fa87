"""Reads of webhook endpoints."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.kit.filters import archived_filter, one_of
from app.kit.pagination import Page, Pager, order_by
from app.webhooks.models import WebhookEndpoint
from app.webhooks.schemas import WebhookEndpointQuery

_SORTS: dict[str, Any] = {
    "created_at": WebhookEndpoint.created_at,
    "updated_at": WebhookEndpoint.updated_at,
}


def get_webhook_endpoint(
    session: Session, *, actor: Actor, endpoint_id: uuid.UUID
) -> WebhookEndpoint:
    """One endpoint. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=WebhookEndpoint,
        permission=Permission.WEBHOOK_READ,
        row_id=endpoint_id,
    )


def list_webhook_endpoints(
    session: Session, *, actor: Actor, query: WebhookEndpointQuery, pager: Pager
) -> Page[WebhookEndpoint]:
    """A page of the endpoints of the caller's programmes, the latest first."""
    statement = select_visible(actor, WebhookEndpoint, Permission.WEBHOOK_READ).where(
        *archived_filter(WebhookEndpoint, query), *one_of(WebhookEndpoint.state, query.state)
    )
    if query.programme_id is not None:
        statement = statement.where(col(WebhookEndpoint.programme_id) == query.programme_id)
    order = order_by(query.sort, _SORTS, default="-created_at", last=WebhookEndpoint.id)
    return pager.page(session, statement, query=query, order=order)


def count_live(session: Session, *, programme_id: uuid.UUID) -> int:
    """How many endpoints a programme has. The caller has checked access."""
    live = (
        sa.select(sa.func.count())
        .select_from(WebhookEndpoint)
        .where(
            col(WebhookEndpoint.programme_id) == programme_id,
            col(WebhookEndpoint.archived_at).is_(None),
        )
    )
    return int(session.execute(live).scalar_one())
