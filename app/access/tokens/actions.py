"""Makes and revokes personal tokens."""

import uuid
from datetime import datetime, timedelta

from sqlmodel import Session

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.places import check_programme
from app.access.tokens import queries
from app.access.tokens.schemas import PersonalTokenCreate
from app.events.catalogue import Resource, Verb
from app.identity.models import TOKEN_PREFIX, PersonalToken
from app.identity.queries import get_user
from app.kit.secrets import digest, make_secret

_HINT = 4


def create_token(
    session: Session, *, actor: Actor, data: PersonalTokenCreate, now: datetime
) -> tuple[PersonalToken, str]:
    """The token and its secret, of which only a hash is kept."""
    actor.require_login()
    if data.programme_id is not None:
        check_programme(session, actor=actor, programme_id=data.programme_id)
    secret = make_secret(TOKEN_PREFIX)
    row = PersonalToken(
        user_id=actor.user_id,
        name=data.name,
        secret_hash=digest(secret),
        hint=secret[-_HINT:],
        scopes=sorted(set(data.scopes)),
        programme_id=data.programme_id,
        expires_at=now + timedelta(days=data.expires_in_days),
    )
    records.keep_new(
        session,
        actor=actor,
        noun=Resource.PERSONAL_TOKEN,
        row=row,
        now=now,
        data={"user_id": row.user_id, "scopes": row.scopes},
    )
    return row, secret


def _end(session: Session, *, actor: Actor, token: PersonalToken, now: datetime) -> None:
    if token.revoked_at is None:
        records.keep_changes(
            session,
            actor=actor,
            noun=Resource.PERSONAL_TOKEN,
            row=token,
            values={"revoked_at": now},
            now=now,
            verb=Verb.ENDED,
            data={"user_id": token.user_id},
        )


def revoke_token(session: Session, *, actor: Actor, token_id: uuid.UUID, now: datetime) -> None:
    """Void it at once. Revoking what is revoked changes nothing."""
    token = queries.get_token(session, actor=actor, token_id=token_id)
    _end(session, actor=actor, token=token, now=now)


def revoke_user_tokens(
    session: Session, *, actor: Actor, user_id: uuid.UUID, now: datetime
) -> None:
    """Void all tokens of a person."""
    actor.require(Permission.USER_WRITE)
    user = get_user(session, user_id=user_id)
    for token in queries.list_live_tokens(session, user_id=user.id, now=now):
        _end(session, actor=actor, token=token, now=now)
