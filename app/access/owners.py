"""Who answers for what goes on without a request, with the rights of today and never more.

A webhook endpoint, an operation and a connection each belong to a person, and to the personal token
by which it was made, if one was: they act until that person or that token may act no more.
"""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime
from typing import Any, Protocol

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.models import Membership
from app.access.queries import CALLER, GRANT, HELD_TODAY, LIVE_NOW, actor_from
from app.identity.models import PersonalToken, User

# Built once: every batch of deliveries asks.
_LIVE: Any = sa.select(col(PersonalToken.id)).where(
    col(PersonalToken.id).in_(sa.bindparam("token_ids", expanding=True)), LIVE_NOW
)
_PEOPLE: Any = (
    sa.select(*CALLER, *GRANT)
    .select_from(User)
    .outerjoin(Membership, HELD_TODAY)
    .where(
        col(User.id).in_(sa.bindparam("owner_ids", expanding=True)), col(User.disabled_at).is_(None)
    )
)


class Owned(Protocol):
    """A row that somebody owns, perhaps by a personal token, which has its scopes."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def owner_id(self) -> uuid.UUID: ...
    @property
    def token_id(self) -> uuid.UUID | None: ...
    @property
    def scopes(self) -> list[str] | None: ...


def find_owners(
    session: Session, rows: Iterable[Owned], *, now: datetime
) -> dict[uuid.UUID, Actor]:
    """Whom each row acts for, by its id; one statement for any number, or two if there are tokens.

    There is nobody where the person may no longer log in, or where the token was revoked or has
    expired. Somebody without any role today is found, and may do nothing.
    """
    owned = {row.id: row for row in rows}  # of one endpoint there may be hundreds of deliveries
    live = _live(session, {row.token_id for row in owned.values() if row.token_id}, now)
    acting = [row for row in owned.values() if row.token_id is None or row.token_id in live]
    people = _people(session, {row.owner_id for row in acting}, now.date())
    return {
        row.id: actor_from(
            people[row.owner_id],
            token_id=row.token_id,
            scopes=None if row.scopes is None else frozenset(row.scopes),
        )
        for row in acting
        if row.owner_id in people
    }


def _live(
    session: Session, token_ids: Collection[uuid.UUID], now: datetime
) -> Collection[uuid.UUID]:
    if not token_ids:
        return ()
    asked = {"token_ids": list(token_ids), "now": now}
    return set(session.connection().execute(_LIVE, asked).scalars())


def _people(
    session: Session, owner_ids: Collection[uuid.UUID], today: date
) -> dict[uuid.UUID, list[Any]]:
    """The rows of each person who may log in: one a role, or one without a role."""
    people: dict[uuid.UUID, list[Any]] = defaultdict(list)
    if owner_ids:
        asked = {"owner_ids": list(owner_ids), "today": today}
        for row in session.connection().execute(_PEOPLE, asked):
            people[row[0]].append(row)
    return dict(people)
