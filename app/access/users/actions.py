"""Administers people who can log in."""

import uuid
from datetime import datetime

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor
from app.access.memberships.actions import refuse_last_admin
from app.access.permissions import Permission
from app.access.users import queries
from app.access.users.schemas import UserBase, UserCreate, UserPatch
from app.events.catalogue import Resource, Verb
from app.identity.actions import add_user, end_login_sessions
from app.identity.models import User, UserState
from app.identity.passwords import Passwords, check_password
from app.kit.errors import Conflict, InvalidStateTransition
from app.kit.patching import patched_values
from app.kit.preconditions import Precondition


class OwnAccount(Conflict):
    """409: done to oneself this locks the door from inside, or evades the present password."""

    code = "own_account"
    title = "You cannot do this to your own account."


def create_user(
    session: Session, *, actor: Actor, passwords: Passwords, data: UserCreate, now: datetime
) -> User:
    """A person without a role yet. 409 where the address is taken.

    A token may not: the account would outlive it.
    """
    actor.require(Permission.USER_WRITE)
    actor.require_login()
    user = add_user(
        session,
        passwords=passwords,
        email=data.email,
        display_name=data.display_name,
        password=data.password.get_secret_value(),
        created_by=actor.user_id,
    )
    records.record_event(
        session, actor=actor, noun=Resource.USER, verb=Verb.CREATED, row=user, now=now
    )
    return user


def update_user(
    session: Session,
    *,
    actor: Actor,
    user_id: uuid.UUID,
    patch: UserPatch,
    condition: Precondition,
    now: datetime,
) -> User:
    """Change the address or the name."""
    user = queries.get_user(session, actor=actor, user_id=user_id)
    actor.require(Permission.USER_WRITE)
    condition.check(user.revision)
    values = patched_values(UserBase, user, patch)
    return records.keep_changes(
        session, actor=actor, noun=Resource.USER, row=user, values=values, now=now
    )


def transition_user(
    session: Session, *, actor: Actor, user_id: uuid.UUID, to: UserState, now: datetime
) -> User:
    """Disable or re-enable. Disabling ends all logins at once and suspends the tokens."""
    user = queries.get_user(session, actor=actor, user_id=user_id)
    actor.require(Permission.USER_WRITE)
    if user.state is to:
        allowed = [state for state in UserState if state is not to]
        raise InvalidStateTransition(state=user.state, to=to, allowed=allowed)
    if to is UserState.DISABLED:
        if user.id == actor.user_id:
            raise OwnAccount
        refuse_last_admin(session, user_id=user.id, today=now.date())
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.USER,
        row=user,
        values={"disabled_at": now if to is UserState.DISABLED else None},
        now=now,
        verb=Verb.STATE_CHANGED,
        data={"state": to},
    )
    if to is UserState.DISABLED:
        # After the row is written and so locked: a login at the same time waits and is refused.
        end_login_sessions(session, user_id=user.id, origin=actor.origin, now=now)
    return user


def set_user_password(
    session: Session,
    *,
    actor: Actor,
    passwords: Passwords,
    user_id: uuid.UUID,
    password: str,
    now: datetime,
) -> None:
    """Give somebody a new password; all their logins end."""
    actor.require(Permission.USER_WRITE)
    actor.require_login()
    if user_id == actor.user_id:
        raise OwnAccount("Change your own password with the present one, at /me/password.")
    check_password(password)
    new_hash = passwords.hash(password)
    user = queries.get_user(session, actor=actor, user_id=user_id)
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.USER,
        row=user,
        values={"password_hash": new_hash},
        now=now,
        verb=Verb.PASSWORD_CHANGED,
    )
    end_login_sessions(session, user_id=user.id, origin=actor.origin, now=now)
