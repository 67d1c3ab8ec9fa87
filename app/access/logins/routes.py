"""Routes of login sessions."""

import uuid
from typing import Annotated

from fastapi import Query

from app.access.actor import LoginRequired
from app.access.dependencies import CurrentActor
from app.access.logins import actions, queries
from app.access.logins.schemas import LoginSessionQuery, LoginSessionRead
from app.identity.models import LoginSession
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router

router = Router()
_OWN = problems(LoginRequired)


@router.get("/auth/sessions", tags=["auth"], summary="List where you are logged in", responses=_OWN)
def list_login_sessions(
    query: Annotated[LoginSessionQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
    now: Now,
) -> Page[LoginSessionRead]:
    """Your open logins; `is_current` marks the one that this request came with."""

    def read(login: LoginSession) -> LoginSessionRead:
        return LoginSessionRead(
            id=login.id,
            user_agent=login.user_agent,
            is_current=login.id == actor.login_session_id,
            created_at=login.created_at,
            expires_at=login.expires_at,
        )

    page = queries.list_login_sessions(session, actor=actor, query=query, pager=pager, now=now)
    return page.map(read)


@router.delete(
    "/auth/sessions",
    tags=["auth"],
    status_code=204,
    summary="Log out everywhere else",
    responses=_OWN,
)
def end_other_login_sessions(actor: CurrentActor, session: WriteSession, now: Now) -> None:
    """End all your logins but the present one. Personal tokens go on."""
    actions.end_other_login_sessions(session, actor=actor, now=now)


@router.delete(
    "/auth/sessions/{login_session_id}",
    tags=["auth"],
    status_code=204,
    summary="End one of your logins",
    responses=_OWN,
)
def end_login_session(
    login_session_id: uuid.UUID, actor: CurrentActor, session: WriteSession, now: Now
) -> None:
    """Its access tokens are void at once."""
    actions.end_login_session(session, actor=actor, login_id=login_session_id, now=now)


@router.post("/auth/logout", tags=["auth"], status_code=204, summary="Log out", responses=_OWN)
def log_out(actor: CurrentActor, session: WriteSession, now: Now) -> None:
    """End the login that this request came with; its access token is void at once."""
    actions.log_out(session, actor=actor, now=now)


@router.delete(
    "/users/{user_id}/sessions",
    tags=["users"],
    status_code=204,
    summary="End all logins of a person",
)
def end_user_login_sessions(
    user_id: uuid.UUID, actor: CurrentActor, session: WriteSession, now: Now
) -> None:
    """For administrators. The person can log in again; disable them to prevent that."""
    actions.end_user_login_sessions(session, actor=actor, user_id=user_id, now=now)
