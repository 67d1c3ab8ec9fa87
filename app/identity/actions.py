"""Logging in, and the accounts of people: the writes that need no role to be known."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col

from app.events import outbox
from app.events.catalogue import Resource, Verb
from app.events.outbox import Origin
from app.identity.models import LoginAttempt, LoginSession, User
from app.identity.passwords import Passwords, check_password
from app.identity.queries import WINDOW, account_key, find_user_by_email, list_open_logins
from app.kit.errors import TooManyRequests

RETRY_AFTER = str(int(WINDOW.total_seconds()))


class TooManyFailures(TooManyRequests):
    """429: the password was wrong too often; even the right one has to wait now."""

    code = "too_many_failures"
    title = "The password was wrong too often; wait a while."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": RETRY_AFTER})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What somebody who wants to log in states, and where it comes from."""

    email: str
    password: str = field(repr=False)
    address: str
    user_agent: str = ""
    request_id: str | None = None

    @property
    def account(self) -> str:
        """The account as it is counted and logged."""
        return account_key(self.email)


def log_in(
    reading: Session,
    writing: Session,
    *,
    passwords: Passwords,
    attempt: Attempt,
    lifetime: timedelta,
    now: datetime,
) -> LoginSession | None:
    """A login session for the active person whose password this is; else a failure is counted.

    The hash is checked before the transaction begins, so that no row is locked meanwhile.
    """
    user = find_user_by_email(reading, attempt.email)
    fits, new_hash = passwords.verify(attempt.password, user.password_hash if user else None)
    if user is None or not fits or not _still_holds(writing, user):
        record_failed_login(writing, email=attempt.email, address=attempt.address, now=now)
        return None
    if new_hash is not None:
        writing.execute(
            sa.update(User).where(col(User.id) == user.id).values(password_hash=new_hash)
        )
    login = LoginSession(
        user_id=user.id,
        user_agent="".join(filter(str.isprintable, attempt.user_agent[:300])),
        created_at=now,
        expires_at=now + lifetime,
    )
    writing.add(login)
    writing.flush()
    _record(writing, login, Verb.CREATED, Origin(user.id, None, attempt.request_id), now)
    return login


def _still_holds(session: Session, user: User) -> bool:
    """Whether the person is active and the password still the one that was checked.

    Hashing takes a while: a login that overtakes a change of password must not survive it. The
    row is locked (where the database does so), so that one of the two waits for the other.
    """
    unchanged = sa.select(User.id).where(  # type: ignore[call-overload]
        col(User.id) == user.id,
        col(User.password_hash) == user.password_hash,
        col(User.disabled_at).is_(None),
    )
    return session.execute(unchanged.with_for_update(key_share=True)).first() is not None


def record_failed_login(session: Session, *, email: str, address: str, now: datetime) -> None:
    """Count a failure against account and address; failures that count no more are dropped."""
    session.execute(sa.delete(LoginAttempt).where(col(LoginAttempt.failed_at) < now - WINDOW))
    session.add(LoginAttempt(account=account_key(email), address=address, failed_at=now))


def add_user(
    session: Session,
    *,
    passwords: Passwords,
    email: str,
    display_name: str,
    password: str,
    created_by: uuid.UUID | None,
) -> User:
    """A new person who can log in. The caller, who knows who it is, writes the event."""
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
    session: Session,
    *,
    user_id: uuid.UUID,
    origin: Origin,
    now: datetime,
    keep: uuid.UUID | None = None,
) -> None:
    """End all logins of a person, but for the one to keep."""
    for login in list_open_logins(session, user_id=user_id):
        if login.id != keep:
            end_login(session, login=login, origin=origin, now=now)


def end_login(session: Session, *, login: LoginSession, origin: Origin, now: datetime) -> None:
    """End one login; its access tokens are void at once. What has ended stays as it is."""
    if login.ended_at is None:
        login.ended_at = now
        session.flush()
        _record(session, login, Verb.ENDED, origin, now)


def _record(
    session: Session, login: LoginSession, verb: Verb, origin: Origin, now: datetime
) -> None:
    outbox.record(
        session,
        noun=Resource.LOGIN_SESSION,
        verb=verb,
        resource_id=login.id,
        revision=1 if login.ended_at is None else 2,  # a login begins and ends, no more
        programme_id=None,
        origin=origin,
        now=now,
        data={"user_id": login.user_id},
    )
