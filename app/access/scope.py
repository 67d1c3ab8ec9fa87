"""What an actor can see, as a WHERE clause. Every select of every package goes through here."""

import uuid
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlmodel import Session, select
from sqlmodel.sql.expression import SelectOfScalar

from app.access.actor import Actor, Span
from app.access.permissions import Permission
from app.kit.errors import Archived, NotFound, ReferenceNotFound
from app.kit.table import Archivable, Row, Scoped

# The columns of the project that say who owns a measure, a cycle or a data point of it, and who
# else may read them.
_PROJECT = sa.table(
    "project",
    sa.column("id"),
    sa.column("programme_id"),
    sa.column("team_id"),
    sa.column("visibility", sa.String),
)
_UNRELEASED = "team"

E = TypeVar("E", bound=Row)
S = TypeVar("S", bound=Any)


def _within(column: Any, values: frozenset[uuid.UUID]) -> sa.ColumnElement[bool]:
    clause: sa.ColumnElement[bool] = (
        column == next(iter(values)) if len(values) == 1 else column.in_(values)
    )
    return clause


def _covered(span: Span, entity: type[Scoped]) -> list[sa.ColumnElement[bool]]:
    clauses = []
    if span.programmes:
        clauses.append(_within(getattr(entity, entity.programme_column), span.programmes))
    if span.teams and entity.team_column:
        clauses.append(_within(getattr(entity, entity.team_column), span.teams))
    if (span.teams or span.sharing) and entity.project_column:
        readable = sa.select(_PROJECT.c.id).where(sa.or_(*_readable(span)))
        clauses.append(getattr(entity, entity.project_column).in_(readable))
    if span.sharing and entity.visibility_column:
        programme, visibility = entity.programme_column, entity.visibility_column
        clauses.append(_released(span, getattr(entity, programme), getattr(entity, visibility)))
    return clauses


def _released(span: Span, programme: Any, visibility: Any) -> sa.ColumnElement[bool]:
    return sa.and_(_within(programme, span.sharing), visibility != _UNRELEASED)


def _readable(span: Span) -> list[sa.ColumnElement[bool]]:
    """The projects whose rows the span covers: those of its teams, and released ones."""
    clauses = [_within(_PROJECT.c.team_id, span.teams)] if span.teams else []
    if span.sharing:
        clauses.append(_released(span, _PROJECT.c.programme_id, _PROJECT.c.visibility))
    return clauses


def covers(actor: Actor, entity: type[Scoped], permission: Permission) -> sa.ColumnElement[bool]:
    """The rows that the actor's permission covers, where that is one reason among others."""
    span = actor.span(permission)
    return sa.true() if span.everywhere else sa.or_(sa.false(), *_covered(span, entity))


def visible_to(statement: S, actor: Actor, entity: type[Scoped], permission: Permission) -> S:
    """The statement, restricted to the rows that the actor's permission covers."""
    if actor.span(permission).everywhere:
        return statement
    visible: S = statement.where(covers(actor, entity, permission))
    return visible


def select_visible(actor: Actor, entity: type[E], permission: Permission) -> SelectOfScalar[E]:
    """All rows of an entity that the actor can see."""
    return visible_to(select(entity), actor, entity, permission)  # type: ignore[arg-type]


def find_visible(
    session: Session, *, actor: Actor, entity: type[E], permission: Permission, row_id: uuid.UUID
) -> E | None:
    """The row, if it exists and the actor can see it."""
    statement = select_visible(actor, entity, permission).where(entity.id == row_id)
    return session.exec(statement).one_or_none()


def get_visible(
    session: Session, *, actor: Actor, entity: type[E], permission: Permission, row_id: uuid.UUID
) -> E:
    """The row. Raises `NotFound` where it is unknown or invisible: the two look the same."""
    row = find_visible(session, actor=actor, entity=entity, permission=permission, row_id=row_id)
    if row is None:
        raise NotFound
    return row


def get_reference(
    session: Session,
    *,
    actor: Actor,
    entity: type[E],
    permission: Permission,
    row_id: uuid.UUID,
    field: str,
) -> E:
    """A row that a body refers to. Raises `ReferenceNotFound` (422) with a pointer to the field."""
    row = find_visible(session, actor=actor, entity=entity, permission=permission, row_id=row_id)
    if row is None:
        raise ReferenceNotFound.in_field(field)
    return row


def refuse_archived(*rows: Row) -> None:
    """Raise `Archived` (409) if the row or one of its parents is archived."""
    for row in rows:
        if isinstance(row, Archivable) and row.archived_at is not None:
            noun = str(type(row).__tablename__).replace("_", " ")
            raise Archived(f"The {noun} is archived; restore it first.")
