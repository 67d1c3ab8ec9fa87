"""The login route."""

from typing import Annotated

import structlog
from fastapi import Form, Request
from fastapi.responses import JSONResponse

from app.identity import actions, queries
from app.identity.actions import Attempt
from app.identity.dependencies import ClientAddress, CurrentPasswords
from app.identity.schemas import OAuthError, PasswordForm, TokenRead
from app.kit.dependencies import NoIdempotency, Now, ReadSession, WriteSession
from app.kit.routing import Router

router = Router(tags=["auth"])
log = structlog.get_logger()
_NO_STORE = {"Cache-Control": "no-store"}


def _refusal(status: int, error: str, description: str, **headers: str) -> JSONResponse:
    body = OAuthError(error=error, error_description=description)
    return JSONResponse(body.model_dump(), status, _NO_STORE | headers)


@router.post(
    "/auth/token",
    summary="Log in",
    response_model=TokenRead,
    dependencies=[NoIdempotency],
    responses={
        400: {"model": OAuthError, "description": "Wrong e-mail address or password."},
        429: {"model": OAuthError, "description": "Too many failures; wait."},
    },
)
def log_in(
    request: Request,
    form: Annotated[PasswordForm, Form()],
    reading: ReadSession,
    writing: WriteSession,
    passwords: CurrentPasswords,
    address: ClientAddress,
    now: Now,
) -> JSONResponse:
    """OAuth 2.0 password form: `username` is the e-mail address. Errors follow RFC 6749.

    Ten failures of an account in 15 minutes, or fifty of an address, and it answers 429.
    """
    # Errors are answers here and not exceptions: the count of failures must be committed.
    if form.grant_type != "password":
        return _refusal(400, "unsupported_grant_type", "This route takes grant_type=password.")
    state = request.app.state
    attempt = Attempt(
        email=form.username,
        password=form.password.get_secret_value(),
        address=address,
        user_agent=request.headers.get("user-agent", ""),
        request_id=request.scope.get("request_id"),
    )
    where = {"account": attempt.account, "address": address}
    allowance = state.settings.login_attempts
    if queries.is_throttled(reading, **where, allowance=allowance, now=now):
        log.warning("login_throttled", **where)
        headers = {"Retry-After": actions.RETRY_AFTER}
        return _refusal(429, "slow_down", "Too many failed logins; wait a while.", **headers)
    login = actions.log_in(
        reading,
        writing,
        passwords=passwords,
        attempt=attempt,
        lifetime=state.tokens.lifetime,
        now=now,
    )
    if login is None:
        log.warning("login_failed", **where)
        return _refusal(400, "invalid_grant", "The e-mail address or the password is wrong.")
    token = state.tokens.issue(user_id=login.user_id, session_id=login.id, now=now)
    body = TokenRead(access_token=token, expires_in=int(state.tokens.lifetime.total_seconds()))
    return JSONResponse(body.model_dump(), headers=_NO_STORE)
