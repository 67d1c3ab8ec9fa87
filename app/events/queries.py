"""Reads the trail of one resource. The caller has checked that the resource is visible."""

import uuid

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.events.models import Event
from app.events.schemas import HistoryQuery
from app.kit.pagination import Page, Pager, order_by


def list_history(
    session: Session, *, resource_id: uuid.UUID, query: HistoryQuery, pager: Pager
) -> Page[Event]:
    """The events of a resource and of its parts (a measure's data points)."""
    statement = select(Event).where(
        sa.or_(col(Event.resource_id) == resource_id, col(Event.parent_id) == resource_id)
    )
    order = order_by(
        [query.sort], {"created_at": Event.created_at}, default="-created_at", last=Event.id
    )
    return pager.page(session, statement, query=query, order=order)
