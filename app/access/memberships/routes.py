"""Routes of memberships."""

import uuid
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from app.access.actor import LoginRequired
from app.access.dependencies import CurrentActor
from app.access.memberships import actions, queries
from app.access.memberships.actions import LastPlatformAdmin, RoleNotGrantable
from app.access.memberships.schemas import (
    MembershipCreate,
    MembershipEnd,
    MembershipQuery,
    MembershipRead,
    ProgrammeMembershipQuery,
)
from app.access.models import Membership
from app.identity.models import User
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.errors import AlreadyExists, Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router

router = Router(tags=["users"])


def _read(row: Membership, user: User) -> MembershipRead:
    return MembershipRead.model_validate({**row.model_dump(), "user": user})


def _read_one(session: Session, row: Membership) -> MembershipRead:
    return _read(row, queries.find_users(session, [row])[row.user_id])


def _read_page(session: Session, page: Page[Membership]) -> Page[MembershipRead]:
    users = queries.find_users(session, page.items)
    return page.map(lambda row: _read(row, users[row.user_id]))


@router.get("/users/{user_id}/memberships", summary="List a person's roles")
def list_user_memberships(
    user_id: uuid.UUID,
    query: Annotated[MembershipQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[MembershipRead]:
    """Past, present and future roles: your own, or anybody's for administrators."""
    page = queries.list_user_memberships(
        session, actor=actor, user_id=user_id, query=query, pager=pager
    )
    return _read_page(session, page)


@router.get("/programmes/{programme_id}/memberships", summary="List the roles in a programme")
def list_programme_memberships(
    programme_id: uuid.UUID,
    query: Annotated[ProgrammeMembershipQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[MembershipRead]:
    """Who has which role in the programme and its teams. For those who run it."""
    page = queries.list_programme_memberships(
        session, actor=actor, programme_id=programme_id, query=query, pager=pager
    )
    return _read_page(session, page)


@router.post(
    "/memberships",
    status_code=201,
    summary="Give a role",
    responses=problems(RoleNotGrantable, LoginRequired, AlreadyExists, Archived, ReferenceNotFound),
)
def create_membership(
    data: MembershipCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> MembershipRead:
    """Give somebody who can log in a role, from a day on. `GET /roles` says who may give which."""
    row = actions.create_membership(session, actor=actor, data=data, now=now)
    return created(response, _read_one(session, row), "memberships")


@router.get("/memberships/{membership_id}", summary="Get a role of a person")
def get_membership(
    membership_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> MembershipRead:
    """One membership, whether it holds or not."""
    row = queries.get_membership(session, actor=actor, membership_id=membership_id)
    return tagged(response, _read_one(session, row))


@router.post(
    "/memberships/{membership_id}/end",
    summary="End a role",
    responses=problems(RoleNotGrantable, LoginRequired, LastPlatformAdmin),
)
def end_membership(
    membership_id: uuid.UUID,
    data: MembershipEnd,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> MembershipRead:
    """At once, or on the day given. What has ended already stays as it is."""
    row = actions.end_membership(
        session, actor=actor, membership_id=membership_id, ends_on=data.ends_on, now=now
    )
    return tagged(response, _read_one(session, row))
