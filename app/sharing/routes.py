"""Routes of releases, and of what they share."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.errors import Archived, InvalidStateTransition
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.sharing import actions, queries
from app.sharing.actions import AlreadyReleased, ReceivedProject, ReleaseBlocked, SmallNumbers
from app.sharing.schemas import ReleaseCreate, ReleaseQuery, ReleaseRead, WithdrawalCreate
from app.sharing.shared import routes as shared

router = Router(tags=["sharing"])
_read = ReleaseRead.model_validate


@router.get("/projects/{project_id}/releases", summary="List the releases of a project")
def list_releases(
    project_id: uuid.UUID,
    query: Annotated[ReleaseQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[ReleaseRead]:
    """Who released it to whom, when, and when that ended; the latest first."""
    return queries.list_releases(
        session, actor=actor, project_id=project_id, query=query, pager=pager
    ).map(_read)


@router.post(
    "/projects/{project_id}/releases",
    status_code=201,
    summary="Release a project to an audience",
    responses=problems(Archived, AlreadyReleased, ReceivedProject, ReleaseBlocked, SmallNumbers),
)
def release_project(
    project_id: uuid.UUID,
    data: ReleaseCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ReleaseRead:
    """A lead may release to the programme; to the network and the public, whoever leads that.

    It needs a title, a complete aim and a measure with data. Counts from 1 to 7 stop a release
    beyond the programme until somebody accepts them with a reason; where they come up later and
    nobody has accepted them, they are left out of what is shared. A release to another audience
    ends the one before.
    """
    row = actions.release_project(session, actor=actor, project_id=project_id, data=data, now=now)
    return created(response, _read(row), "releases")


@router.get("/releases/{release_id}", summary="Get a release")
def get_release(
    release_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> ReleaseRead:
    """One release, whether it holds or has ended."""
    row = queries.get_release(session, actor=actor, release_id=release_id)
    return tagged(response, _read(row))


@router.post(
    "/releases/{release_id}/withdraw",
    summary="Withdraw a release",
    responses=problems(InvalidStateTransition),
)
def withdraw_release(
    release_id: uuid.UUID,
    data: WithdrawalCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ReleaseRead:
    """From now on only the team and whoever leads the programme read the project.

    Servers that have fetched it hide it when they next ask.
    """
    row = actions.withdraw_release(session, actor=actor, release_id=release_id, data=data, now=now)
    return tagged(response, _read(row))


router.include_router(shared.router)
