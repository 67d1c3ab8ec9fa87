"""Reads of one's own login sessions."""

import uuid
from datetime import datetime

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.logins.schemas import LoginSessionQuery
from app.identity.models import LoginSession
from app.kit.errors import NotFound
from app.kit.pagination import Page, Pager, order_by


def get_own_login(session: Session, *, actor: Actor, login_id: uuid.UUID) -> LoginSession:
    """One login of the caller, ended or not. Raises `NotFound`."""
    own = select(LoginSession).where(
        LoginSession.id == login_id, LoginSession.user_id == actor.user_id
    )
    login = session.exec(own).one_or_none()
    if login is None:
        raise NotFound
    return login


def list_login_sessions(
    session: Session, *, actor: Actor, query: LoginSessionQuery, pager: Pager, now: datetime
) -> Page[LoginSession]:
    """A page of the caller's logins that have neither ended nor expired."""
    actor.require_login()
    statement = select(LoginSession).where(
        LoginSession.user_id == actor.user_id,
        col(LoginSession.ended_at).is_(None),
        LoginSession.expires_at > now,
    )
    columns = {"created_at": LoginSession.created_at}
    order = order_by([query.sort], columns, default="-created_at", last=LoginSession.id)
    return pager.page(session, statement, query=query, order=order)
