"""Reads of people who can log in, for administrators."""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.users.schemas import UserQuery
from app.identity import queries as identity
from app.identity.models import User
from app.kit.filters import text_contains
from app.kit.pagination import Page, Pager, order_by

_SORTS: dict[str, Any] = {
    "email": User.email,
    "display_name": User.display_name,
    "created_at": User.created_at,
    "updated_at": User.updated_at,
}


def get_user(session: Session, *, actor: Actor, user_id: uuid.UUID) -> User:
    """One person. Raises `Forbidden` for all but administrators, `NotFound` for them."""
    actor.require(Permission.USER_READ)
    return identity.get_user(session, user_id=user_id)


def list_users(session: Session, *, actor: Actor, query: UserQuery, pager: Pager) -> Page[User]:
    """A page of people, by address."""
    actor.require(Permission.USER_READ)
    statement = select(User)
    if query.q is not None:
        found = [*text_contains(User.email, query.q), *text_contains(User.display_name, query.q)]
        statement = statement.where(sa.or_(*found))
    if query.is_active is not None:
        mark = col(User.disabled_at)
        statement = statement.where(mark.is_(None) if query.is_active else mark.is_not(None))
    if query.updated_since is not None:
        statement = statement.where(User.updated_at >= query.updated_since)
    order = order_by(query.sort, _SORTS, default="email", last=User.id)
    return pager.page(session, statement, query=query, order=order)
