"""Reads of organisations. Whoever has a role anywhere sees them all: nothing in them is private."""

import uuid
from typing import Any

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.kit.errors import NotFound, ReferenceNotFound
from app.kit.filters import archived_filter, one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.organisations.models import Organisation
from app.organisations.schemas import OrganisationQuery

_SORTS: dict[str, Any] = {
    "name": Organisation.name,
    "created_at": Organisation.created_at,
    "updated_at": Organisation.updated_at,
}


def get_organisation(session: Session, *, actor: Actor, organisation_id: uuid.UUID) -> Organisation:
    """One organisation. Raises `NotFound`."""
    actor.require(Permission.ORGANISATION_READ)
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound
    return organisation


def get_organisation_reference(
    session: Session, *, actor: Actor, organisation_id: uuid.UUID, field: str
) -> Organisation:
    """An organisation that a body refers to. Raises `ReferenceNotFound` with a pointer."""
    actor.require(Permission.ORGANISATION_READ)
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise ReferenceNotFound.in_field(field)
    return organisation


def list_organisations(
    session: Session, *, actor: Actor, query: OrganisationQuery, pager: Pager
) -> Page[Organisation]:
    """A page of organisations."""
    actor.require(Permission.ORGANISATION_READ)
    statement = select(Organisation).where(
        *archived_filter(Organisation, query),
        *text_contains(Organisation.name, query.q),
        *one_of(Organisation.kind, query.kind),
        *one_of(Organisation.area, query.area),
    )
    if query.ods_code is not None:
        statement = statement.where(col(Organisation.ods_code) == query.ods_code)
    order = order_by(query.sort, _SORTS, default="name", last=Organisation.id)
    return pager.page(session, statement, query=query, order=order)
