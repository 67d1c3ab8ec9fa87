"""Reads of external references, and what the lists and answers of other packages ask of them."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from app.access.actor import Actor
from app.access.permissions import scope_of
from app.kit.errors import NotFound
from app.kit.filters import Clauses, one_of
from app.kit.pagination import Page, Pager, order_by
from app.references.models import ExternalReference
from app.references.resources import REFERABLE, Referable, ResourceType
from app.references.schemas import ExternalRef, ExternalReferenceCreate, ExternalReferenceQuery

_VALUES_AT_ONCE = 500  # databases limit the parameters of a statement
_SORTS: dict[str, Any] = {
    "created_at": ExternalReference.created_at,
    "external_id": ExternalReference.external_id,
}


class Shown(Protocol):
    """An answer that shows the references of its resource."""

    id: uuid.UUID
    external_refs: list[ExternalRef]


S = TypeVar("S", bound=Shown)


def _visible_of(actor: Actor, kind: Referable) -> sa.ColumnElement[bool]:
    """References whose resources of one type the actor can see."""
    span = actor.span(kind.read)
    is_type = col(ExternalReference.resource_type) == kind.type
    if span.everywhere:
        return is_type
    covered: Clauses = [col(ExternalReference.programme_id).in_(span.programmes)]
    owned = kind.of_teams(span.teams) if span.teams else None
    released = kind.released_in(span.sharing) if span.sharing else None
    covered += [
        col(ExternalReference.resource_id).in_(ids) for ids in (owned, released) if ids is not None
    ]
    return sa.and_(is_type, sa.or_(*covered))


def _readable(actor: Actor, types: Sequence[ResourceType]) -> list[Referable]:
    """What was asked for; unasked, what the token's scopes leave (asked, a lack of them is 403)."""
    if types:
        return [REFERABLE[each] for each in dict.fromkeys(types)]
    scopes = actor.scopes
    return [kind for kind in REFERABLE.values() if scopes is None or scope_of(kind.read) in scopes]


def _visible(actor: Actor, types: Sequence[ResourceType]) -> SelectOfScalar[ExternalReference]:
    clauses = [_visible_of(actor, kind) for kind in _readable(actor, types)]
    return select(ExternalReference).where(sa.or_(sa.false(), *clauses))


def get_external_reference(
    session: Session, *, actor: Actor, reference_id: uuid.UUID
) -> ExternalReference:
    """One reference. Raises `NotFound` where it or its resource is unknown or invisible."""
    statement = _visible(actor, ()).where(col(ExternalReference.id) == reference_id)
    row = session.exec(statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_external_references(
    session: Session, *, actor: Actor, query: ExternalReferenceQuery, pager: Pager
) -> Page[ExternalReference]:
    """A page of the references whose resources the actor can see."""
    statement = _visible(actor, query.resource_type).where(
        *one_of(ExternalReference.programme_id, query.programme_id),
        *one_of(ExternalReference.system, query.system),
        *one_of(ExternalReference.external_id, query.external_id),
        *one_of(ExternalReference.resource_id, query.resource_id),
    )
    order = order_by(query.sort, _SORTS, default="created_at", last=ExternalReference.id)
    return pager.page(session, statement, query=query, order=order)


def find_resource_id(
    session: Session,
    *,
    programme_id: uuid.UUID,
    resource_type: ResourceType,
    system: str,
    external_id: str,
) -> uuid.UUID | None:
    """What the system's id names in the programme, if anything.

    It says nothing of visibility: load the resource through its own package.
    """
    statement = select(ExternalReference.resource_id).where(
        ExternalReference.programme_id == programme_id,
        ExternalReference.system == system,
        ExternalReference.resource_type == resource_type,
        ExternalReference.external_id == external_id,
    )
    return session.exec(statement).one_or_none()


def list_stored(
    session: Session, programme_id: uuid.UUID, items: Sequence[ExternalReferenceCreate]
) -> list[ExternalReference]:
    """The programme's references of the resources of the items, and those with their ids."""
    resources = list({item.resource_id for item in items})
    names = list({item.external_id for item in items})
    stored: dict[uuid.UUID, ExternalReference] = {}
    for column, values in (
        (col(ExternalReference.resource_id), resources),
        (col(ExternalReference.external_id), names),
    ):
        for start in range(0, len(values), _VALUES_AT_ONCE):
            statement = select(ExternalReference).where(
                ExternalReference.programme_id == programme_id,
                column.in_(values[start : start + _VALUES_AT_ONCE]),
            )
            stored |= {row.id: row for row in session.exec(statement)}
    return list(stored.values())


def refers_to(entity: Any, resource_type: ResourceType, texts: Sequence[str]) -> Clauses:
    """The rows that systems name so, each as `system:id`; without any, all rows."""
    if not texts:
        return []
    named = (text.partition(":") for text in texts)
    reference = ExternalReference
    matches = [
        sa.and_(col(reference.system) == system, col(reference.external_id) == external_id)
        for system, _, external_id in named
    ]
    ids = sa.select(col(reference.resource_id)).where(
        col(reference.resource_type) == resource_type, sa.or_(*matches)
    )
    return [col(entity.id).in_(ids)]


def with_references(session: Session, resource_type: ResourceType, reads: Sequence[S]) -> list[S]:
    """The answers with their references, read at once for all of them.

    The caller has loaded the resources as the actor may see them.
    """
    found = references_of(session, resource_type, [read.id for read in reads])
    for read in reads:
        read.external_refs = found.get(read.id, [])
    return list(reads)


def references_of(
    session: Session, resource_type: ResourceType, ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, list[ExternalRef]]:
    """What other systems call each of the resources."""
    found: dict[uuid.UUID, list[ExternalRef]] = {}
    if ids:
        reference = ExternalReference
        statement = (
            sa.select(col(reference.resource_id), col(reference.system), col(reference.external_id))
            .where(
                col(reference.resource_type) == resource_type,
                col(reference.resource_id).in_(ids),
            )
            .order_by(col(reference.system))
        )
        for resource_id, system, external_id in session.execute(statement):
            found.setdefault(resource_id, []).append(ExternalRef(system=system, id=external_id))
    return found
