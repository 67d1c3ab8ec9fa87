"""Reads of the feed: events that have a `seq`, as far as the caller may read what they tell of.

A `seq` is given in the order of commits, so whoever has read up to one has missed none below it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor, Span
from app.access.permissions import READ_BY_NOUN, Permission, scope_of
from app.access.scope import visible_to
from app.events.models import Event
from app.kit.table import Scoped
from app.webhooks.feed.schemas import EventFilter
from app.webhooks.subscriptions import TOLD, types_of

# Events that are looked at for one page, so that a caller who may read few of many costs no more.
WINDOW = 50_000
_COLUMNS: tuple[Any, ...] = (
    col(Event.seq),
    col(Event.id),
    col(Event.type),
    col(Event.programme_id),
    col(Event.resource_id),
    col(Event.payload),
)


def _shielded(column: Any) -> Any:
    """The column behind a function that changes nothing, so that no index of it is used.

    Else SQLite goes by the programme, with all that ever happened there, and sorts (measured).
    """
    return sa.func.coalesce(col(column), sa.null())


class _Shielded(Scoped):
    """The columns by which events are visible, with `seq` as the only way to find them."""

    team_column: ClassVar[str | None] = Event.team_column
    project_column: ClassVar[str | None] = Event.project_column
    programme_id: ClassVar[Any] = _shielded(Event.programme_id)
    project_id: ClassVar[Any] = _shielded(Event.project_id)
    team_id: ClassVar[Any] = _shielded(Event.team_id)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a caller may hear of. Callers with the same rights have the same sight."""

    groups: frozenset[tuple[Span, tuple[str, ...]]]
    clause: sa.ColumnElement[bool] = field(compare=False)

    @classmethod
    def of(cls, actor: Actor) -> "Sight":
        """Nouns that are read equally far share a clause; a missing scope leaves some out."""
        nouns: dict[Span, list[str]] = {}
        permissions: dict[Span, Permission] = {}
        for noun, permission in READ_BY_NOUN.items():
            if actor.scopes is None or scope_of(permission) in actor.scopes:
                span = actor.span(permission)
                permissions[span] = permission
                nouns.setdefault(span, []).append(noun.value)
        groups = {span: tuple(among) for span, among in nouns.items()}
        clauses = [_covered(actor, permissions[span], among) for span, among in groups.items()]
        return cls(frozenset(groups.items()), sa.or_(sa.false(), *clauses))


def _covered(actor: Actor, permission: Permission, nouns: Sequence[str]) -> sa.ColumnElement[bool]:
    among: sa.ColumnElement[bool] = _shielded(Event.resource_type).in_(nouns)
    where = visible_to(sa.select(col(Event.id)), actor, _Shielded, permission).whereclause
    return among if where is None else sa.and_(among, where)


class Found(NamedTuple):
    """A stretch of the feed: its events, the place that it reaches, whether there is more."""

    rows: Sequence[Any]
    until: int
    has_more: bool


def newest(session: Session) -> int:
    """The `seq` of the latest event; 0 before the first."""
    return session.exec(select(sa.func.max(Event.seq))).one() or 0


def list_events(
    session: Session, *, sight: Sight, wanted: EventFilter, after: int, limit: int
) -> Found:
    """The next events that the sight shows, at most `limit`, in their order."""
    head = newest(session)  # before the rows: what comes between the two is for the next call
    until = min(head, after + WINDOW)
    statement = _stretch(after, until).where(sight.clause, *_matches(wanted)).limit(limit + 1)
    rows = session.execute(statement).all()
    if len(rows) > limit:
        return Found(rows[:limit], rows[limit - 1].seq, True)
    return Found(rows, max(after, until), until < head)


def list_shared(session: Session, *, sights: Sequence[Sight], after: int, limit: int) -> Found:
    """The next events, at most `limit`, each with a column `sight_<n>` that says who may hear.

    One statement for all who listen; while nothing happens it is one number.
    """
    head = newest(session)
    if head <= after:
        return Found((), after, False)
    until = min(head, after + limit)
    flags = (
        sa.case((sight.clause, 1), else_=0).label(f"sight_{number}")
        for number, sight in enumerate(sights)
    )
    rows = session.execute(_stretch(after, until).add_columns(*flags)).all()
    return Found(rows, until, until < head)


def _stretch(after: int, until: int) -> sa.Select[Any]:
    seq = col(Event.seq)
    return sa.select(*_COLUMNS).where(seq > after, seq <= until).order_by(seq)


def _matches(wanted: EventFilter) -> list[sa.ColumnElement[bool]]:
    clauses: list[sa.ColumnElement[bool]] = []
    if wanted.type:
        clauses.append(_shielded(Event.type).in_(sorted(types_of(wanted.type, among=TOLD))))
    if wanted.programme_id is not None:
        clauses.append(_shielded(Event.programme_id) == wanted.programme_id)
    if wanted.resource_id is not None:
        clauses.append(_shielded(Event.resource_id) == wanted.resource_id)
    return clauses


def message_of(row: Any) -> dict[str, Any]:
    """The event as it is told: the stored payload, with its id and its place in the feed."""
    stored: dict[str, Any] = json.loads(row.payload)
    head = {name: stored.pop(name) for name in ("type", "timestamp")}
    return {"id": f"evt_{row.id.hex}", **head, "seq": row.seq, "data": stored["data"]}
