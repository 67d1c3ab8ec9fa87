"""The login route."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import JSONResponse
from fastapi.security import OAuth2PasswordRequestForm

from app.identity import actions, queries
from app.identity.schemas import OAuthError, TokenRead
from app.kit.dependencies import Now, ReadSession, WriteSession
from app.kit.routing import Router

router = Router(tags=["auth"])


def _refusal(
    status: int, error: str, description: str, retry_after: int | None = None
) -> JSONResponse:
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    body = OAuthError(error=error, error_description=description)
    return JSONResponse(body.model_dump(), status, headers)


@router.post(
    "/auth/token",
    summary="Log in",
    response_model=TokenRead,
    responses={
        400: {"model": OAuthError, "description": "Wrong e-mail address or password."},
        429: {"model": OAuthError, "description": "Too many failures; wait."},
    },
)
def log_in(
    request: Request,
    form: Annotated[OAuth2PasswordRequestForm, Depends()],
    reading: ReadSession,
    writing: WriteSession,
    now: Now,
) -> JSONResponse:
    """OAuth 2.0 password form: `username` is the e-mail address. Errors follow RFC 6749.

    Ten failures of an account in 15 minutes, or fifty of an address, and it answers 429.
    """
    # Errors are answers here and not exceptions: the count of failures must be committed.
    state = request.app.state
    address = request.client.host if request.client else "unknown"
    if queries.is_throttled(
        reading,
        account=queries.account_key(form.username),
        address=address,
        allowance=state.settings.login_attempts,
        now=now,
    ):
        seconds = int(queries.WINDOW.total_seconds())
        return _refusal(429, "slow_down", "Too many failed logins; wait a while.", seconds)
    user, new_hash = actions.verify_login(
        reading, passwords=state.passwords, email=form.username, password=form.password
    )
    if user is None:
        actions.record_failed_login(writing, email=form.username, address=address, now=now)
        return _refusal(400, "invalid_grant", "The e-mail address or the password is wrong.")
    login = actions.start_login_session(
        writing,
        user_id=user.id,
        user_agent=request.headers.get("user-agent", ""),
        new_hash=new_hash,
        lifetime=state.tokens.lifetime,
        now=now,
    )
    token = state.tokens.issue(user_id=user.id, session_id=login.id, now=now)
    body = TokenRead(access_token=token, expires_in=int(state.tokens.lifetime.total_seconds()))
    return JSONResponse(body.model_dump(), headers={"Cache-Control": "no-store"})
