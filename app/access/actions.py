"""What people do to their own account, and the note of a token's use."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access import records
from app.access.actor import Actor
from app.events.catalogue import Resource, Verb
from app.identity.actions import TooManyFailures, end_login_sessions
from app.identity.models import PersonalToken
from app.identity.passwords import Passwords, check_password
from app.identity.queries import account_key, get_user, is_throttled
from app.kit.errors import FieldError, Invalid, pointer


class WrongPassword(Invalid):
    """422: a fault of the body, not of the login; a 401 would make clients log the person out."""

    code = "wrong_password"
    title = "The present password is another one."

    def __init__(self) -> None:
        place = pointer("current_password")
        super().__init__(errors=[FieldError(code=self.code, detail=self.title, pointer=place)])


def note_token_use(session: Session, *, token_id: uuid.UUID | None, now: datetime) -> None:
    """Remember when a token was last used; its revision stays, so no edit of it is disturbed."""
    session.execute(
        sa.update(PersonalToken).where(col(PersonalToken.id) == token_id).values(last_used_at=now)
    )


def confirm_password(
    reading: Session,
    *,
    actor: Actor,
    passwords: Passwords,
    password: str,
    address: str,
    allowance: int,
    now: datetime,
) -> str:
    """The stored hash that the present password fits. Failures count like those of logging in:

    somebody at an unlocked screen must not guess without end. Raises `WrongPassword`, which the
    caller has to count, or `TooManyFailures`.
    """
    actor.require_login()
    account = account_key(actor.email)
    if is_throttled(reading, account=account, address=address, allowance=allowance, now=now):
        raise TooManyFailures
    stored = get_user(reading, user_id=actor.user_id).password_hash
    if not passwords.verify(password, stored)[0]:
        raise WrongPassword
    return stored


def change_password(
    session: Session,
    *,
    actor: Actor,
    passwords: Passwords,
    confirmed_hash: str,
    new_password: str,
    end_other_sessions: bool,
    now: datetime,
) -> None:
    """Set a new password of one's own; the present login goes on."""
    context = (actor.email.split("@")[0], actor.display_name)
    check_password(new_password, context=context, field="new_password")
    new_hash = passwords.hash(new_password)
    user = get_user(session, user_id=actor.user_id)
    if user.password_hash != confirmed_hash:  # somebody else was quicker
        raise WrongPassword
    records.keep_changes(
        session,
        actor=actor,
        noun=Resource.USER,
        row=user,
        values={"password_hash": new_hash},
        now=now,
        verb=Verb.PASSWORD_CHANGED,
    )
    if end_other_sessions:
        end_login_sessions(
            session,
            user_id=actor.user_id,
            origin=actor.origin,
            now=now,
            keep=actor.login_session_id,
        )
