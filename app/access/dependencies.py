"""Who calls, as a dependency of every route that is not public."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from fastapi.security.utils import get_authorization_scheme_param
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from app.access import actions, queries
from app.access.actor import Actor
from app.access.permissions import Permission
from app.identity.models import TOKEN_PREFIX
from app.identity.tokens import AccessClaims, InvalidToken
from app.kit.database_errors import is_away
from app.kit.db import Database
from app.kit.dependencies import instant_of
from app.kit.errors import Invalid, Unauthenticated
from app.kit.outbound import Refused, check_target
from app.kit.secrets import digest, is_well_formed

_USE_NOTED_EVERY = timedelta(minutes=10)
ADDRESS_NOT_ALLOWED = "address_not_allowed"


class Bearer(OAuth2PasswordBearer):
    """Verifies the token of the Authorization header. No database yet, so it runs in the loop."""

    async def __call__(self, request: Request) -> AccessClaims | str:  # type: ignore[override]
        """The claims of an access token, or a well-formed personal token."""
        return self.verify(request)

    def verify(self, request: Request) -> AccessClaims | str:
        """The same, for a route that asks by itself (`identify_beside`)."""
        scheme, secret = get_authorization_scheme_param(request.headers.get("Authorization"))
        if scheme.lower() != "bearer":
            raise Unauthenticated
        if not secret.startswith(f"{TOKEN_PREFIX}_"):
            claims: AccessClaims = request.app.state.tokens.verify(secret)
            return claims
        if not is_well_formed(secret, TOKEN_PREFIX):
            raise InvalidToken
        return secret


bearer = Bearer(tokenUrl="/api/v1/auth/token", scheme_name="login", auto_error=False)
Caller = Annotated[AccessClaims | str, Depends(bearer)]


def identify(request: Request, connection: Connection, caller: Caller) -> Actor:
    """The caller with the roles of today; ending a login or a token ends it at once."""
    now = instant_of(request)
    request_id = request.scope.get("request_id")
    if isinstance(caller, str):
        actor = _by_token(request, connection, caller, request_id=request_id, now=now)
    else:
        actor = queries.find_actor_by_login(
            connection,
            user_id=caller.user_id,
            session_id=caller.session_id,
            request_id=request_id,
            now=now,
        )
    if actor is None:
        raise InvalidToken
    # A token is a caller of its own: it must not replay what its owner was answered, nor page on.
    request.state.principal_id = actor.token_id or actor.user_id
    return actor


# What a route that asks by itself documents in its `openapi_extra`.
SECURED: dict[str, Any] = {"security": [{bearer.scheme_name: []}]}


def identify_beside(
    request: Request, connection: Connection, read: queries.BesideCaller
) -> tuple[Actor, Any]:
    """The caller, and the one row that a hot route reads by its key: one statement for a login."""
    caller = bearer.verify(request)
    if isinstance(caller, str):
        actor = identify(request, connection, caller)
        return actor, next(iter(read.alone.all(connection, read.parameters)), None)
    parameters = {
        "user_id": caller.user_id,
        "session_id": caller.session_id,
        "today": instant_of(request).date(),
        **read.parameters,
    }
    rows = read.beside.all(connection, parameters)
    request_id = request.scope.get("request_id")
    found = queries.actor_of(rows, session_id=caller.session_id, request_id=request_id)
    if found is None:
        raise InvalidToken
    request.state.principal_id = found.user_id
    return found, rows[0] if getattr(rows[0], read.key) is not None else None


def _by_token(
    request: Request, connection: Connection, secret: str, *, request_id: str | None, now: datetime
) -> Actor | None:
    found = queries.find_actor_by_token(
        connection, secret_hash=digest(secret), request_id=request_id, now=now
    )
    if found is None:
        return None
    actor, last_used_at = found
    if last_used_at is None or now - last_used_at > _USE_NOTED_EVERY:
        _note_use(request.app.state.database, actor, now)
    return actor


def _note_use(database: Database, actor: Actor, now: datetime) -> None:
    """In a transaction of its own: a read request notes it too, and its answer must not wait.

    Where the database takes no writes, as on a full disk, reads go on and their use goes unnoted.
    """
    try:
        with database.transaction() as writing:
            actions.note_token_use(writing, token_id=actor.token_id, now=now)
    except DBAPIError as fault:
        if not is_away(fault):
            raise


def current_actor(request: Request, caller: Caller) -> Actor:
    """The caller, read on a connection that goes back before the route begins.

    A hot route calls `identify_beside` on its own connection instead: one thread, one connection
    and one statement less (see `analytics.routes.get_measure_spc`).
    """
    with request.app.state.database.connect() as connection:
        return identify(request, connection, caller)


CurrentActor = Annotated[Actor, Depends(current_actor)]


def check_address(
    request: Request, actor: Actor, url: Any, *, permission: Permission, field: str
) -> None:
    """Raise `Invalid` where a body names an address that this server may not call.

    It looks the name up, so it is called by a dependency that stands before the session in a route:
    no transaction may wait for a name server. For whoever lacks the permission everywhere nothing
    is looked up; the action refuses.
    """
    if not actor.span(permission) or not isinstance(url, str):
        return
    try:
        check_target(url, request.app.state.parts.policy)
    except Refused as fault:
        raise Invalid.at(field, code=ADDRESS_NOT_ALLOWED, detail=str(fault)) from fault
