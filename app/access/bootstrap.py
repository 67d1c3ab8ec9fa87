"""The first administrator, made from the command line: nobody is logged in yet who could."""

from datetime import datetime

from pydantic import Field, ValidationError
from sqlmodel import Session

from app.access.actor import Actor, Grant
from app.access.models import Membership
from app.access.permissions import Role
from app.access.records import record_event
from app.events.catalogue import Resource, Verb
from app.identity.actions import add_user
from app.identity.passwords import MAX_LENGTH, MIN_LENGTH, Passwords
from app.identity.queries import find_user_by_email
from app.kit.clock import utc_now
from app.kit.errors import AlreadyExists, Invalid
from app.kit.fields import Email, Input, Name


class Administrator(Input):
    """What is asked of an administrator."""

    email: Email
    display_name: Name
    password: str = Field(min_length=MIN_LENGTH, max_length=MAX_LENGTH)


def create_administrator(
    session: Session,
    *,
    passwords: Passwords,
    email: str,
    display_name: str,
    password: str,
    now: datetime | None = None,
) -> Actor:
    """A person with the role platform_admin. Raises `Invalid` or `AlreadyExists`."""
    now = now or utc_now()
    try:
        stated = Administrator(email=email, display_name=display_name, password=password)
    except ValidationError as fault:
        first = fault.errors()[0]
        raise Invalid(f"{first['loc'][0]}: {first['msg']}") from fault
    if find_user_by_email(session, stated.email) is not None:
        raise AlreadyExists(f"There is somebody with the address {stated.email} already.")
    user = add_user(
        session,
        passwords=passwords,
        email=stated.email,
        display_name=stated.display_name,
        password=stated.password,
        created_by=None,
    )
    role = Role.PLATFORM_ADMIN
    membership = Membership(user_id=user.id, role=role, starts_on=now.date(), created_by=user.id)
    session.add(membership)
    session.flush()
    actor = Actor(user.id, user.email, user.display_name, grants=(Grant(role, None, None),))
    for noun, row in ((Resource.USER, user), (Resource.MEMBERSHIP, membership)):
        record_event(session, actor=actor, noun=noun, verb=Verb.CREATED, row=row, now=now)
    return actor
