"""Reads of one's own personal tokens."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.queries import is_live
from app.access.tokens.schemas import PersonalTokenQuery
from app.identity.models import PersonalToken
from app.kit.errors import NotFound
from app.kit.pagination import Page, Pager, order_by

_SORTS: dict[str, Any] = {
    "name": PersonalToken.name,
    "created_at": PersonalToken.created_at,
    "expires_at": PersonalToken.expires_at,
    "last_used_at": PersonalToken.last_used_at,
}


def get_token(session: Session, *, actor: Actor, token_id: uuid.UUID) -> PersonalToken:
    """One token of the caller, live or not. Raises `NotFound`."""
    actor.require_login()
    own = select(PersonalToken).where(
        PersonalToken.id == token_id, PersonalToken.user_id == actor.user_id
    )
    token = session.exec(own).one_or_none()
    if token is None:
        raise NotFound
    return token


def list_tokens(
    session: Session, *, actor: Actor, query: PersonalTokenQuery, pager: Pager, now: datetime
) -> Page[PersonalToken]:
    """A page of the caller's tokens, latest first."""
    actor.require_login()
    statement = select(PersonalToken).where(PersonalToken.user_id == actor.user_id)
    if query.state != "any":
        live = is_live(now)
        statement = statement.where(live if query.state == "live" else sa.not_(live))
    order = order_by(query.sort, _SORTS, default="-created_at", last=PersonalToken.id)
    return pager.page(session, statement, query=query, order=order)


def list_live_tokens(session: Session, *, user_id: uuid.UUID, now: datetime) -> list[PersonalToken]:
    """All live tokens of a person, for an administrator who revokes them."""
    live = select(PersonalToken).where(PersonalToken.user_id == user_id, is_live(now))
    return list(session.exec(live.order_by(col(PersonalToken.id))))
