"""Reads of people who log in, and of failed logins."""

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.identity.models import LoginAttempt, User

WINDOW = timedelta(minutes=15)
ADDRESS_ALLOWANCE = 5  # a practice shares one address: it may fail as often as five accounts


def account_key(email: str) -> str:
    """How an account stands in the attempts: a hash, for an address that may not even exist."""
    return hashlib.sha256(email.strip().lower().encode()).hexdigest()


def find_user_by_email(session: Session, email: str) -> User | None:
    """The person with this address, in any case of letters; an address holds printable text only."""
    if not email.isprintable():
        return None
    return session.exec(select(User).where(User.email == email.strip().lower())).one_or_none()


def is_throttled(
    session: Session, *, account: str, address: str, allowance: int, now: datetime
) -> bool:
    """Whether the account or the address has failed too often in the last quarter of an hour."""
    recent = col(LoginAttempt.failed_at) > now - WINDOW
    counts = sa.select(
        sa.select(sa.func.count())
        .select_from(LoginAttempt)
        .where(recent, col(LoginAttempt.account) == account)
        .scalar_subquery(),
        sa.select(sa.func.count())
        .select_from(LoginAttempt)
        .where(recent, col(LoginAttempt.address) == address)
        .scalar_subquery(),
    )
    by_account, by_address = session.execute(counts).one()
    return by_account >= allowance or by_address >= allowance * ADDRESS_ALLOWANCE
