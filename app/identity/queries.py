"""Reads of people who log in, and of failed logins."""

import hashlib
import ipaddress
import uuid
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.identity.models import LoginAttempt, LoginSession, User
from app.kit.errors import NotFound

WINDOW = timedelta(minutes=15)
ADDRESS_ALLOWANCE = 5  # a practice shares one address: it may fail as often as five accounts


def account_key(email: str) -> str:
    """How an account stands in the attempts: a hash, for an address that may not even exist."""
    return hashlib.sha256(email.strip().lower().encode("utf-8", "surrogatepass")).hexdigest()


def address_key(host: str) -> str:
    """How an address stands in the attempts. One customer holds a whole /64 of IPv6, so it counts

    as one; otherwise each guess could come from a fresh address.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host[:64] if host.isprintable() else "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


def find_user_by_email(session: Session, email: str) -> User | None:
    """The person with this address in any case of letters; an address is printable text."""
    if not email.isprintable():
        return None
    return session.exec(select(User).where(User.email == email.strip().lower())).one_or_none()


def get_user(session: Session, *, user_id: uuid.UUID) -> User:
    """One person. Raises `NotFound`. The caller has checked that it may be seen."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound
    return user


def list_open_logins(session: Session, *, user_id: uuid.UUID) -> list[LoginSession]:
    """The login sessions of a person that nobody has ended."""
    open_ones = select(LoginSession).where(
        LoginSession.user_id == user_id, col(LoginSession.ended_at).is_(None)
    )
    return list(session.exec(open_ones.order_by(col(LoginSession.id))))


def is_throttled(
    session: Session, *, account: str, address: str, allowance: int, now: datetime
) -> bool:
    """Whether the account or the address has failed too often in the last quarter of an hour.

    Guesses that are under way at once are all let through and counted afterwards; the number of
    worker threads is their bound.
    """
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
    return bool(by_account >= allowance or by_address >= allowance * ADDRESS_ALLOWANCE)
