"""Logging in, and the accounts of people: the writes that need no role to be known."""

import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from app.identity.models import LoginAttempt, LoginSession, User
from app.identity.passwords import Passwords, check_password
from app.identity.queries import WINDOW, account_key, find_user_by_email


def verify_login(
    session: Session, *, passwords: Passwords, email: str, password: str
) -> tuple[User | None, str | None]:
    """The active person whose password this is, and a new hash where the old one is outdated."""
    user = find_user_by_email(session, email)
    fits, new_hash = passwords.verify(password, user.password_hash if user else None)
    if user is None or not fits or not user.is_active:
        return None, None
    return user, new_hash


def record_failed_login(session: Session, *, email: str, address: str, now: datetime) -> None:
    """Count a failure against account and address; failures that count no more are dropped."""
    session.execute(sa.delete(LoginAttempt).where(col(LoginAttempt.failed_at) < now - WINDOW))
    session.add(LoginAttempt(account=account_key(email), address=address, failed_at=now))


def start_login_session(
    session: Session,
    *,
    user_id: uuid.UUID,
    user_agent: str,
    new_hash: str | None,
    lifetime: timedelta,
    now: datetime,
) -> LoginSession:
    """The row that every access token of this login points to."""
    if new_hash is not None:
        session.execute(
            sa.update(User).where(col(User.id) == user_id).values(password_hash=new_hash)
        )
    login = LoginSession(
        user_id=user_id, user_agent=user_agent[:300], created_at=now, expires_at=now + lifetime
    )
    session.add(login)
    session.flush()
    return login


def add_user(
    session: Session,
    *,
    passwords: Passwords,
    email: str,
    display_name: str,
    password: str,
    created_by: uuid.UUID | None,
) -> User:
    """A new person who can log in."""
    check_password(password, context=(email.split("@")[0], display_name))
    user = User(
        email=email.strip().lower(),
        display_name=display_name,
        password_hash=passwords.hash(password),
        created_by=created_by,
    )
    session.add(user)
    session.flush()
    return user


def end_login_sessions(
    session: Session, *, user_id: uuid.UUID, now: datetime, keep: uuid.UUID | None = None
) -> None:
    """End all logins of a person, but for the one to keep."""
    statement = sa.update(LoginSession).where(
        sa.and_(col(LoginSession.user_id) == user_id, col(LoginSession.ended_at).is_(None))
    )
    if keep is not None:
        statement = statement.where(col(LoginSession.id) != keep)
    session.execute(statement.values(ended_at=now))
