"""Routes of personal tokens."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.actor import LoginRequired
from app.access.dependencies import CurrentActor
from app.access.tokens import actions, queries
from app.access.tokens.schemas import (
    PersonalTokenCreate,
    PersonalTokenCreated,
    PersonalTokenQuery,
    PersonalTokenRead,
)
from app.kit.answers import created
from app.kit.dependencies import CurrentPager, NoIdempotency, Now, ReadSession, WriteSession
from app.kit.errors import ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router

router = Router()
_read = PersonalTokenRead.model_validate
_OWN = problems(LoginRequired)


@router.get("/auth/tokens", tags=["auth"], summary="List your tokens", responses=_OWN)
def list_tokens(
    query: Annotated[PersonalTokenQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
    now: Now,
) -> Page[PersonalTokenRead]:
    """Your personal tokens, latest first; never their secrets."""
    page = queries.list_tokens(session, actor=actor, query=query, pager=pager, now=now)
    return page.map(_read)


@router.post(
    "/auth/tokens",
    tags=["auth"],
    status_code=201,
    summary="Make a token",
    dependencies=[NoIdempotency],
    responses=problems(LoginRequired, ReferenceNotFound),
)
def create_token(
    data: PersonalTokenCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> PersonalTokenCreated:
    """The secret is shown this once. Only somebody who has logged in can make a token.

    Its rights are your roles of the moment, narrowed to its scopes and its programme.
    """
    row, secret = actions.create_token(session, actor=actor, data=data, now=now)
    token = PersonalTokenCreated(**_read(row).model_dump(), secret=secret)
    return created(response, token, "auth/tokens")


@router.get("/auth/tokens/{token_id}", tags=["auth"], summary="Get a token", responses=_OWN)
def get_token(token_id: uuid.UUID, actor: CurrentActor, session: ReadSession) -> PersonalTokenRead:
    """One of your tokens, live or not; never its secret."""
    # Without an ETag: the note of its last use does not raise the revision.
    return _read(queries.get_token(session, actor=actor, token_id=token_id))


@router.delete(
    "/auth/tokens/{token_id}",
    tags=["auth"],
    status_code=204,
    summary="Revoke a token",
    responses=_OWN,
)
def revoke_token(token_id: uuid.UUID, actor: CurrentActor, session: WriteSession, now: Now) -> None:
    """It is void at once and for good."""
    actions.revoke_token(session, actor=actor, token_id=token_id, now=now)


@router.delete(
    "/users/{user_id}/tokens",
    tags=["users"],
    status_code=204,
    summary="Revoke all tokens of a person",
)
def revoke_user_tokens(
    user_id: uuid.UUID, actor: CurrentActor, session: WriteSession, now: Now
) -> None:
    """For administrators. All personal tokens of the person are void at once and for good."""
    actions.revoke_user_tokens(session, actor=actor, user_id=user_id, now=now)
