"""The one read per request that says who calls and with which roles today; and what that means."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import col

from app.access.actor import Actor, Grant, Place
from app.access.models import Membership
from app.access.permissions import (
    GRANTABLE,
    ROLES,
    SCOPES,
    TEAM_ROLES,
    Permission,
    Reach,
    Role,
    scope_of,
)
from app.access.schemas import (
    MeRead,
    OwnMembership,
    PermissionRead,
    PlacePermissions,
    RoleRead,
    RoleTable,
    ScopeRead,
    UsedToken,
)
from app.identity.models import LoginSession, PersonalToken, User
from app.kit.prepared import Prepared

CALLER = (col(User.id), col(User.email), col(User.display_name))
GRANT = (col(Membership.role), col(Membership.programme_id), col(Membership.team_id))


def holds_on(day: Any) -> sa.ColumnElement[bool]:
    """The membership holds on that day; `ends_on` is the first day on which it does not."""
    ends = col(Membership.ends_on)
    return sa.and_(col(Membership.starts_on) <= day, sa.or_(ends.is_(None), ends > day))


def is_live(now: Any) -> sa.ColumnElement[bool]:
    """The personal token is neither revoked nor expired; at the end of its life it is void."""
    return sa.and_(col(PersonalToken.revoked_at).is_(None), col(PersonalToken.expires_at) > now)


LIVE_NOW = is_live(sa.bindparam("now", type_=PersonalToken.__table__.c.expires_at.type))  # type: ignore[attr-defined]
HELD_TODAY = sa.and_(
    col(Membership.user_id) == User.id, holds_on(sa.bindparam("today", type_=sa.Date))
)
BY_LOGIN = (
    sa.select(*CALLER, *GRANT)
    .select_from(LoginSession)
    .join(User, col(User.id) == col(LoginSession.user_id))
    .outerjoin(Membership, HELD_TODAY)
    .where(
        col(LoginSession.id) == sa.bindparam("session_id", type_=sa.Uuid),
        col(LoginSession.user_id) == sa.bindparam("user_id", type_=sa.Uuid),
        col(LoginSession.ended_at).is_(None),
        col(User.disabled_at).is_(None),
    )
)
_TOKEN = (
    PersonalToken.id,
    PersonalToken.scopes,
    PersonalToken.programme_id,
    PersonalToken.last_used_at,
)
_CALLER_BY_LOGIN = Prepared(BY_LOGIN)
_BY_TOKEN = Prepared(
    sa.select(*CALLER, *GRANT, *(col(column) for column in _TOKEN))
    .select_from(PersonalToken)
    .join(User, col(User.id) == col(PersonalToken.user_id))
    .outerjoin(Membership, HELD_TODAY)
    .where(
        col(PersonalToken.secret_hash) == sa.bindparam("secret_hash", type_=sa.String),
        LIVE_NOW,
        col(User.disabled_at).is_(None),
    )
)


class BesideCaller(NamedTuple):
    """A row that is read together with the caller: `beside` extends `BY_LOGIN` with it.

    `key` names a column that is null where there is no such row.
    """

    alone: Prepared
    beside: Prepared
    key: str
    parameters: dict[str, Any]


def actor_from(rows: Sequence[Any], **more: Any) -> Actor:
    """Somebody of one row a role; they begin with the columns `CALLER` and `GRANT`."""
    grants = tuple(Grant(row[3], row[4], row[5]) for row in rows if row[3] is not None)
    first = rows[0]
    return Actor(user_id=first[0], email=first[1], display_name=first[2], grants=grants, **more)


def find_actor_by_login(
    connection: sa.Connection,
    *,
    user_id: uuid.UUID,
    session_id: uuid.UUID,
    request_id: str | None,
    now: datetime,
) -> Actor | None:
    """The caller of a login session that has not been ended, if the person may still log in."""
    parameters = {"user_id": user_id, "session_id": session_id, "today": now.date()}
    rows = _CALLER_BY_LOGIN.all(connection, parameters)
    return actor_of(rows, session_id=session_id, request_id=request_id)


def actor_of(rows: Sequence[Any], *, session_id: uuid.UUID, request_id: str | None) -> Actor | None:
    """The caller from the rows of `BY_LOGIN`, which may carry further columns behind its own."""
    if not rows:
        return None
    return actor_from(rows, login_session_id=session_id, request_id=request_id)


def find_actor_by_token(
    connection: sa.Connection, *, secret_hash: str, request_id: str | None, now: datetime
) -> tuple[Actor, datetime | None] | None:
    """The caller of a personal token that holds, and when the token was last used."""
    parameters = {"secret_hash": secret_hash, "now": now, "today": now.date()}
    rows = _BY_TOKEN.all(connection, parameters)
    if not rows:
        return None
    token_id, scopes, programme_id, last_used_at = rows[0][6:10]
    actor = actor_from(
        rows,
        token_id=token_id,
        scopes=frozenset(scopes),
        bound_programme_id=programme_id,
        request_id=request_id,
    )
    return actor, last_used_at


def _places(actor: Actor) -> list[Place]:
    """Where the caller has a role; the programme of each team too, for it has reads of its own."""
    bound = actor.bound_programme_id
    places = [Place(bound)] if bound is not None else []
    for grant in actor.grants:
        if bound in (None, grant.programme_id):
            places += [Place(grant.programme_id), Place(grant.programme_id, grant.team_id)]
    return list(dict.fromkeys(places))


def get_me(*, actor: Actor) -> MeRead:
    """The caller as it stands; a bound token does not tell of other programmes."""
    bound = actor.bound_programme_id
    told = [grant for grant in actor.grants if bound is None or grant.programme_id in (None, bound)]
    token = actor.token_id and UsedToken(
        id=actor.token_id, scopes=sorted(actor.scopes or ()), programme_id=bound
    )
    return MeRead(
        id=actor.user_id,
        email=actor.email,
        display_name=actor.display_name,
        memberships=[OwnMembership.model_validate(grant) for grant in told],
        places=[
            PlacePermissions(
                programme_id=place.programme_id,
                team_id=place.team_id,
                permissions=[
                    permission for permission in Permission if actor.can(permission, place)
                ],
            )
            for place in _places(actor)
        ],
        token=token or None,
    )


def _read_role(role: Role) -> RoleRead:
    place = Reach.TEAM if role in TEAM_ROLES else Reach.PROGRAMME
    return RoleRead(
        role=role,
        place=(Reach.PLATFORM if role is Role.PLATFORM_ADMIN else place).name.lower(),
        permissions=[
            PermissionRead(permission=permission, reach=reach.name.lower())
            for permission, reach in ROLES[role].items()
        ],
        grants=sorted(GRANTABLE.get(role, ())),
    )


@cache
def list_roles() -> RoleTable:
    """The table of `permissions` as a document; it changes with the version only."""
    scopes = [
        ScopeRead(scope=scope, permissions=[held for held in Permission if scope_of(held) == scope])
        for scope in sorted(SCOPES)
    ]
    return RoleTable(roles=[_read_role(role) for role in Role], scopes=scopes)
