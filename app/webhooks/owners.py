"""Who an endpoint belongs to, with the rights of today: what they may not read is not sent."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Protocol

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor, Grant
from app.access.models import Membership
from app.access.queries import holds_on
from app.identity.models import PersonalToken, User


class Owned(Protocol):
    """A row that somebody owns, perhaps by a personal token."""

    @property
    def id(self) -> uuid.UUID: ...
    @property
    def owner_id(self) -> uuid.UUID: ...
    @property
    def token_id(self) -> uuid.UUID | None: ...
    @property
    def scopes(self) -> list[str] | None: ...


def find_owners(
    session: Session, rows: Sequence[Owned], *, now: datetime
) -> dict[uuid.UUID, Actor]:
    """The owner of each row by its id, in one or two statements.

    There is none where the person may not log in or has no role today, or the token was revoked.
    """
    if not rows:
        return {}
    grants = _grants(session, {row.owner_id for row in rows}, now.date())
    revoked = _revoked(session, {row.token_id for row in rows if row.token_id})
    return {
        row.id: Actor(
            user_id=row.owner_id,
            email="",
            display_name="",
            grants=tuple(grants[row.owner_id]),
            scopes=None if row.scopes is None else frozenset(row.scopes),
        )
        for row in rows
        if row.owner_id in grants and row.token_id not in revoked
    }


def _grants(
    session: Session, user_ids: Collection[uuid.UUID], day: date
) -> dict[uuid.UUID, list[Grant]]:
    found: dict[uuid.UUID, list[Grant]] = defaultdict(list)
    held = (
        sa.select(
            col(Membership.user_id),
            col(Membership.role),
            col(Membership.programme_id),
            col(Membership.team_id),
        )
        .join(User, col(User.id) == col(Membership.user_id))
        .where(col(User.id).in_(user_ids), col(User.disabled_at).is_(None), holds_on(day))
    )
    for user_id, *grant in session.execute(held):
        found[user_id].append(Grant(*grant))
    return dict(found)


def _revoked(session: Session, token_ids: Collection[uuid.UUID]) -> set[uuid.UUID | None]:
    if not token_ids:
        return set()
    ended = sa.select(col(PersonalToken.id)).where(
        col(PersonalToken.id).in_(token_ids), col(PersonalToken.revoked_at).is_not(None)
    )
    return set(session.execute(ended).scalars())
