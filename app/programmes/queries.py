"""Reads of programmes."""

import uuid
from typing import Any

from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.kit.filters import archived_filter, one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.programmes.models import Programme
from app.programmes.schemas import ProgrammeQuery

_SORTS: dict[str, Any] = {
    "title": Programme.title,
    "starts_on": Programme.starts_on,
    "updated_at": Programme.updated_at,
}


def get_programme(session: Session, *, actor: Actor, programme_id: uuid.UUID) -> Programme:
    """One programme. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=Programme,
        permission=Permission.PROGRAMME_READ,
        row_id=programme_id,
    )


def list_programmes(
    session: Session, *, actor: Actor, query: ProgrammeQuery, pager: Pager
) -> Page[Programme]:
    """A page of programmes, the latest first."""
    statement = select_visible(actor, Programme, Permission.PROGRAMME_READ).where(
        *archived_filter(Programme, query),
        *text_contains(Programme.title, query.q),
        *one_of(Programme.state, query.state),
    )
    order = order_by(query.sort, _SORTS, default="-starts_on", last=Programme.id)
    return pager.page(session, statement, query=query, order=order)
