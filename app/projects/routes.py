"""Routes of projects."""

import uuid
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from app.access.dependencies import CurrentActor
from app.events.schemas import EventRead, HistoryQuery
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.projects import actions, queries
from app.projects.actions import AimChangeReasonRequired
from app.projects.models import Project
from app.projects.queries import ReceivedReadOnly
from app.projects.schemas import (
    AllProjectsQuery,
    ProjectCreate,
    ProjectPatch,
    ProjectQuery,
    ProjectRead,
)

router = Router(tags=["projects"])


def _read(session: Session, row: Project) -> ProjectRead:
    return queries.read_projects(session, [row])[0]


@router.get("/projects", summary="List projects of all programmes")
def list_projects(
    query: Annotated[AllProjectsQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[ProjectRead]:
    """The projects that you can see, by title, whatever their programme."""
    return queries.list_projects(session, actor=actor, query=query, pager=pager)


@router.get("/programmes/{programme_id}/projects", summary="List projects of a programme")
def list_programme_projects(
    programme_id: uuid.UUID,
    query: Annotated[ProjectQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[ProjectRead]:
    """The projects of a programme that you can see, by title."""
    return queries.list_programme_projects(
        session, actor=actor, programme_id=programme_id, query=query, pager=pager
    )


@router.post(
    "/programmes/{programme_id}/projects",
    status_code=201,
    summary="Create a project",
    responses=problems(Archived, ReferenceNotFound),
)
def create_project(
    programme_id: uuid.UUID,
    data: ProjectCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ProjectRead:
    """An idea. Leads and coaches create for their own teams. The aim may be incomplete as yet."""
    row = actions.create_project(
        session, actor=actor, programme_id=programme_id, data=data, now=now
    )
    return created(response, _read(session, row), "projects")


@router.get("/projects/{project_id}", summary="Get a project")
def get_project(
    project_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> ProjectRead:
    """One project, archived or not."""
    row = queries.get_project(session, actor=actor, project_id=project_id)
    return tagged(response, _read(session, row))


@router.patch(
    "/projects/{project_id}",
    summary="Change a project",
    responses=problems(Archived, ReceivedReadOnly, ReferenceNotFound, AimChangeReasonRequired),
)
def update_project(
    project_id: uuid.UUID,
    patch: ProjectPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> ProjectRead:
    """JSON Merge Patch. To move it to another team you need the permission in both."""
    row = actions.update_project(
        session, actor=actor, project_id=project_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(session, row))


@router.delete(
    "/projects/{project_id}",
    status_code=204,
    summary="Archive a project",
    responses=problems(Archived, ReceivedReadOnly),
)
def archive_project(
    project_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Hide it from lists and freeze its measures and cycles; it can be restored."""
    actions.archive_project(
        session, actor=actor, project_id=project_id, condition=condition, now=now
    )


@router.post(
    "/projects/{project_id}/restore",
    summary="Restore a project",
    responses=problems(Archived, ReceivedReadOnly),
)
def restore_project(
    project_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> ProjectRead:
    """Bring an archived project back."""
    row = actions.restore_project(session, actor=actor, project_id=project_id, now=now)
    return tagged(response, _read(session, row))


@router.get("/projects/{project_id}/history", summary="List the history of a project")
def list_project_history(
    project_id: uuid.UUID,
    query: Annotated[HistoryQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[EventRead]:
    """Who changed what of it, the latest first."""
    return queries.list_project_history(
        session, actor=actor, project_id=project_id, query=query, pager=pager
    ).map(EventRead.model_validate)
