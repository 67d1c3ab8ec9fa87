"""Who calls, as a dependency of every route that is not public."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from app.access import actions, queries
from app.access.actor import Actor
from app.identity.tokens import AccessClaims, InvalidToken
from app.kit.dependencies import Now
from app.kit.errors import Unauthenticated
from app.kit.secrets import digest, is_well_formed

PERSONAL = "qipat"
_USE_NOTED_EVERY = timedelta(minutes=10)
password_form = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token", scheme_name="login", auto_error=False
)


async def credentials(
    request: Request, secret: Annotated[str | None, Depends(password_form)]
) -> AccessClaims | str:
    """The verified claims of an access token, or a well-formed personal token. No database yet."""
    if secret is None:
        raise Unauthenticated
    if not secret.startswith(f"{PERSONAL}_"):
        claims: AccessClaims = request.app.state.tokens.verify(secret)
        return claims
    if not is_well_formed(secret, PERSONAL):
        raise InvalidToken
    return secret


def current_actor(
    request: Request, found: Annotated[AccessClaims | str, Depends(credentials)], now: Now
) -> Actor:
    """The caller with the roles of today; ending a login or a token ends it at once."""
    database = request.app.state.database
    request_id = request.scope.get("request_id")
    if isinstance(found, str):
        actor = _by_token(request, found, request_id=request_id, now=now)
    else:
        with database.reading() as session:
            actor = queries.find_actor_by_login(
                session,
                user_id=found.user_id,
                session_id=found.session_id,
                request_id=request_id,
                now=now,
            )
    if actor is None:
        raise InvalidToken
    # A token is a caller of its own: it must not replay what its owner was answered, nor page on.
    request.state.principal_id = actor.token_id or actor.user_id
    return actor


def _by_token(request: Request, secret: str, *, request_id: str | None, now: Now) -> Actor | None:
    database = request.app.state.database
    with database.reading() as session:
        found = queries.find_actor_by_token(
            session, secret_hash=digest(secret), request_id=request_id, now=now
        )
    if found is None:
        return None
    actor, last_used_at = found
    if last_used_at is None or now - last_used_at > _USE_NOTED_EVERY:
        # A transaction of its own: a read request notes it too, and its answer must not wait.
        with database.transaction() as session:
            actions.note_token_use(session, token_id=actor.token_id, now=now)
    return actor


CurrentActor = Annotated[Actor, Depends(current_actor)]
