"""Reads of memberships."""

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.memberships.schemas import MembershipQuery, ProgrammeMembershipQuery
from app.access.models import Membership
from app.access.permissions import Permission, Role
from app.access.places import get_programme_place
from app.access.queries import holds_on
from app.access.scope import get_visible, select_visible
from app.identity.models import User
from app.identity.queries import get_user
from app.kit.filters import Clauses, one_of
from app.kit.pagination import Page, Pager, order_by

_SORTS: dict[str, Any] = {
    "starts_on": Membership.starts_on,
    "created_at": Membership.created_at,
}


def get_membership(session: Session, *, actor: Actor, membership_id: uuid.UUID) -> Membership:
    """One membership. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=Membership,
        permission=Permission.MEMBERSHIP_READ,
        row_id=membership_id,
    )


def _filters(query: MembershipQuery) -> Clauses:
    return [
        *one_of(Membership.role, query.role),
        *([] if query.held_on is None else [holds_on(query.held_on)]),
    ]


def list_programme_memberships(
    session: Session,
    *,
    actor: Actor,
    programme_id: uuid.UUID,
    query: ProgrammeMembershipQuery,
    pager: Pager,
) -> Page[Membership]:
    """A page of the roles in a programme and in its teams."""
    place = get_programme_place(session, actor=actor, programme_id=programme_id)
    actor.require(Permission.MEMBERSHIP_READ, place)
    statement = select_visible(actor, Membership, Permission.MEMBERSHIP_READ).where(
        Membership.programme_id == programme_id, *_filters(query)
    )
    if query.user_id is not None:
        statement = statement.where(Membership.user_id == query.user_id)
    if query.team_id is not None:
        statement = statement.where(Membership.team_id == query.team_id)
    order = order_by(query.sort, _SORTS, default="-created_at", last=Membership.id)
    return pager.page(session, statement, query=query, order=order)


def list_user_memberships(
    session: Session, *, actor: Actor, user_id: uuid.UUID, query: MembershipQuery, pager: Pager
) -> Page[Membership]:
    """A page of the roles of a person: one's own, or for administrators anybody's."""
    if user_id != actor.user_id or actor.token_id is not None:
        actor.require(Permission.USER_READ)
    get_user(session, user_id=user_id)
    statement = select(Membership).where(Membership.user_id == user_id, *_filters(query))
    order = order_by(query.sort, _SORTS, default="-created_at", last=Membership.id)
    return pager.page(session, statement, query=query, order=order)


def find_users(session: Session, memberships: Iterable[Membership]) -> dict[uuid.UUID, User]:
    """The people of some memberships, in one query."""
    ids = {membership.user_id for membership in memberships}
    users = session.exec(select(User).where(col(User.id).in_(ids)))
    return {user.id: user for user in users}


def overlaps(
    session: Session,
    *,
    user_id: uuid.UUID,
    role: Role,
    programme_id: uuid.UUID | None,
    team_id: uuid.UUID | None,
    starts_on: date,
    ends_on: date | None,
) -> bool:
    """Whether the person has the role at the place on one of these days already."""
    ends = col(Membership.ends_on)
    same = select(Membership.id).where(
        Membership.user_id == user_id,
        Membership.role == role,
        Membership.programme_id == programme_id,
        Membership.team_id == team_id,
        sa.or_(ends.is_(None), sa.and_(ends > starts_on, ends > Membership.starts_on)),
    )
    if ends_on is not None:
        same = same.where(Membership.starts_on < ends_on)
    return session.exec(same.limit(1)).first() is not None


def lock_platform_admins(session: Session, *, day: date) -> set[uuid.UUID]:
    """The active people who administer the platform on that day.

    Their memberships are locked first, so that two of them cannot remove each other at once; who
    is active is asked afterwards, in the snapshot of a second statement.
    """
    admins = sa.and_(col(Membership.role) == Role.PLATFORM_ADMIN, holds_on(day))
    lock = select(Membership.id).where(admins).order_by(col(Membership.id))
    session.exec(lock.with_for_update(key_share=True)).all()
    active = (
        select(Membership.user_id)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(admins, col(User.disabled_at).is_(None))
    )
    return set(session.exec(active))
