"""Places that a request names: a programme or a team, looked up by table name.

The packages of programmes and teams stand above this one, so their models cannot be imported here.
"""

import uuid

import sqlalchemy as sa
from sqlmodel import Session

from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.kit.errors import Archived, NotFound, ReferenceNotFound

_PROGRAMME = sa.table("programme", sa.column("id", sa.Uuid()), sa.column("archived_at"))
_TEAM = sa.table(
    "team",
    sa.column("id", sa.Uuid()),
    sa.column("programme_id", sa.Uuid()),
    sa.column("archived_at"),
)


def _is_archived(session: Session, table: sa.TableClause, **where: uuid.UUID) -> bool | None:
    """Whether the row is archived; None where there is no such row."""
    matches = (table.c[name] == value for name, value in where.items())
    mark = sa.select(table.c.archived_at.is_not(None)).where(*matches)
    found = session.execute(mark).scalar_one_or_none()
    return None if found is None else bool(found)


def refuse_archived_team(session: Session, team_id: uuid.UUID) -> None:
    """Raise `Archived` (409) if the team is archived."""
    if _is_archived(session, _TEAM, id=team_id):
        raise Archived("The team is archived; restore it first.")


def _find_programme(session: Session, actor: Actor, programme_id: uuid.UUID) -> bool | None:
    if not actor.span(Permission.PROGRAMME_READ).covers(Place(programme_id)):
        return None
    return _is_archived(session, _PROGRAMME, id=programme_id)


def get_programme_place(session: Session, *, actor: Actor, programme_id: uuid.UUID) -> Place:
    """The programme of a path. Raises `NotFound` where it is unknown or invisible."""
    if _find_programme(session, actor, programme_id) is None:
        raise NotFound
    return Place(programme_id)


def check_programme(session: Session, *, actor: Actor, programme_id: uuid.UUID) -> bool:
    """Whether the programme that a body names is archived.

    Raises `ReferenceNotFound` where it is unknown or invisible.
    """
    is_archived = _find_programme(session, actor, programme_id)
    if is_archived is None:
        raise ReferenceNotFound.in_field("programme_id")
    return is_archived


def get_place_reference(session: Session, *, actor: Actor, place: Place) -> Place:
    """The live place that a body names with `programme_id` and `team_id`; both may be empty.

    Raises `ReferenceNotFound` with a pointer, or `Archived`.
    """
    programme_id, team_id = place
    if programme_id is None:
        return place
    is_archived = check_programme(session, actor=actor, programme_id=programme_id)
    if team_id is not None:
        is_visible = actor.span(Permission.TEAM_READ).covers(place)
        mark = _is_archived(session, _TEAM, id=team_id, programme_id=programme_id)
        if mark is None or not is_visible:
            raise ReferenceNotFound.in_field("team_id")
        is_archived = is_archived or mark
    if is_archived:
        raise Archived("The programme or the team is archived; restore it first.")
    return place
