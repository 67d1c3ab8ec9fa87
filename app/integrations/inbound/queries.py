"""Reads of the log of inbound messages."""

import uuid
from typing import Any

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import visible_to
from app.integrations.inbound.schemas import InboundEventQuery
from app.integrations.models import InboundEvent, Integration
from app.integrations.queries import get_integration
from app.kit.errors import NotFound
from app.kit.filters import one_of
from app.kit.pagination import Page, Pager, order_by

_SORTS: dict[str, Any] = {"received_at": InboundEvent.received_at}


def find_integration(session: Session, *, integration_id: uuid.UUID) -> Integration | None:
    """The connection that a message names; an archived one takes no messages.

    Nobody has been identified yet: what it says may leave only where the signature holds.
    """
    statement = select(Integration).where(
        Integration.id == integration_id, col(Integration.archived_at).is_(None)
    )
    return session.exec(statement).one_or_none()


def get_inbound_event(
    session: Session, *, actor: Actor, inbound_event_id: uuid.UUID
) -> InboundEvent:
    """One line of the log. Raises `NotFound`."""
    visible = visible_to(select(InboundEvent), actor, InboundEvent, Permission.INTEGRATION_READ)
    row = session.exec(visible.where(InboundEvent.id == inbound_event_id)).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_inbound_events(
    session: Session,
    *,
    actor: Actor,
    integration_id: uuid.UUID,
    query: InboundEventQuery,
    pager: Pager,
) -> Page[InboundEvent]:
    """A page of a connection's log, the latest first. Raises `NotFound`."""
    integration = get_integration(session, actor=actor, integration_id=integration_id)
    statement = select(InboundEvent).where(
        InboundEvent.integration_id == integration.id,
        *one_of(col(InboundEvent.outcome), query.outcome),
        *one_of(col(InboundEvent.type), query.type),
    )
    if query.since is not None:
        statement = statement.where(col(InboundEvent.received_at) >= query.since)
    order = order_by(query.sort, _SORTS, default="-received_at", last=InboundEvent.id)
    return pager.page(session, statement, query=query, order=order)
