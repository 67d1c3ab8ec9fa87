"""Routes of people who can log in."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.actor import LoginRequired
from app.access.dependencies import CurrentActor
from app.access.memberships.actions import LastPlatformAdmin
from app.access.users import actions, queries
from app.access.users.actions import OwnAccount
from app.access.users.schemas import (
    PasswordSet,
    UserCreate,
    UserPatch,
    UserQuery,
    UserRead,
    UserTransition,
)
from app.identity.dependencies import CurrentPasswords
from app.identity.passwords import WeakPassword
from app.kit.answers import created, tagged
from app.kit.dependencies import (
    CurrentPager,
    IfMatch,
    NoIdempotency,
    Now,
    ReadSession,
    WriteSession,
)
from app.kit.errors import AlreadyExists, InvalidStateTransition
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router

router = Router(prefix="/users", tags=["users"])
_read = UserRead.model_validate


@router.get("", summary="List people")
def list_users(
    query: Annotated[UserQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[UserRead]:
    """People who can log in, by address. For administrators of the platform."""
    return queries.list_users(session, actor=actor, query=query, pager=pager).map(_read)


@router.post(
    "",
    status_code=201,
    summary="Add a person",
    dependencies=[NoIdempotency],
    responses=problems(AlreadyExists, WeakPassword),
)
def create_user(
    data: UserCreate,
    actor: CurrentActor,
    session: WriteSession,
    passwords: CurrentPasswords,
    now: Now,
    response: Response,
) -> UserRead:
    """Add somebody who can log in; a role is given by a membership. An address is unique."""
    user = actions.create_user(session, actor=actor, passwords=passwords, data=data, now=now)
    return created(response, _read(user), "users")


@router.get("/{user_id}", summary="Get a person")
def get_user(
    user_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> UserRead:
    """One person, active or disabled."""
    return tagged(response, _read(queries.get_user(session, actor=actor, user_id=user_id)))


@router.patch("/{user_id}", summary="Change a person", responses=problems(AlreadyExists))
def update_user(
    user_id: uuid.UUID,
    patch: UserPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> UserRead:
    """JSON Merge Patch of address and name."""
    user = actions.update_user(
        session, actor=actor, user_id=user_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(user))


@router.post(
    "/{user_id}/transitions",
    summary="Disable or re-enable a person",
    responses=problems(InvalidStateTransition, OwnAccount, LastPlatformAdmin),
)
def transition_user(
    user_id: uuid.UUID,
    data: UserTransition,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> UserRead:
    """Disabling ends all logins at once; tokens rest until the person is active again.

    Nobody disables themselves, nor the last active platform_admin.
    """
    user = actions.transition_user(session, actor=actor, user_id=user_id, to=data.to, now=now)
    return tagged(response, _read(user))


@router.post(
    "/{user_id}/password",
    status_code=204,
    summary="Set somebody's password",
    dependencies=[NoIdempotency],
    responses=problems(LoginRequired, OwnAccount, WeakPassword),
)
def set_user_password(
    user_id: uuid.UUID,
    data: PasswordSet,
    actor: CurrentActor,
    session: WriteSession,
    passwords: CurrentPasswords,
    now: Now,
) -> None:
    """For somebody who has lost theirs; all their logins end. Your own is changed at /me/password.

    Revoke their tokens as well if the old password may be known to others.
    """
    actions.set_user_password(
        session,
        actor=actor,
        passwords=passwords,
        user_id=user_id,
        password=data.password.get_secret_value(),
        now=now,
    )
