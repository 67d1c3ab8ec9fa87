"""Ends login sessions: one's own, or as an administrator those of somebody else."""

import uuid
from datetime import datetime

from sqlmodel import Session

from app.access.actor import Actor
from app.access.logins import queries
from app.access.permissions import Permission
from app.identity.actions import end_login, end_login_sessions
from app.identity.queries import get_user


def end_login_session(
    session: Session, *, actor: Actor, login_id: uuid.UUID, now: datetime
) -> None:
    """End one login of one's own; the present one too."""
    actor.require_login()
    login = queries.get_own_login(session, actor=actor, login_id=login_id)
    end_login(session, login=login, origin=actor.origin, now=now)


def end_other_login_sessions(session: Session, *, actor: Actor, now: datetime) -> None:
    """End all logins of one's own but the present one."""
    actor.require_login()
    end_login_sessions(
        session, user_id=actor.user_id, origin=actor.origin, now=now, keep=actor.login_session_id
    )


def log_out(session: Session, *, actor: Actor, now: datetime) -> None:
    """End the present login."""
    actor.require_login()
    if actor.login_session_id is not None:
        end_login_session(session, actor=actor, login_id=actor.login_session_id, now=now)


def end_user_login_sessions(
    session: Session, *, actor: Actor, user_id: uuid.UUID, now: datetime
) -> None:
    """End all logins of a person."""
    actor.require(Permission.USER_WRITE)
    user = get_user(session, user_id=user_id)
    end_login_sessions(session, user_id=user.id, origin=actor.origin, now=now)
