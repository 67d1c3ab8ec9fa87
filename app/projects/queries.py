"""Reads of projects."""

import uuid
from collections.abc import Collection, Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_reference, get_visible, refuse_archived, select_visible
from app.events import queries as events
from app.events.models import Event
from app.events.schemas import HistoryQuery
from app.kit.errors import ReferenceNotFound
from app.kit.filters import archived_filter, holds_any, one_of, text_contains
from app.kit.pagination import Page, Pager, order_by
from app.programmes.models import Programme
from app.programmes.queries import get_programme
from app.projects.models import Project
from app.projects.schemas import (
    AllProjectsQuery,
    ProjectProvenance,
    ProjectQuery,
    ProjectRead,
)
from app.references.queries import refers_to, with_references
from app.references.resources import ReceivedReadOnly as ReceivedReadOnly
from app.references.resources import ResourceType
from app.teams.models import Team

_SORTS: dict[str, Any] = {
    "title": Project.title,
    "created_at": Project.created_at,
    "updated_at": Project.updated_at,
}
# By name: measures stand above projects.
_MEASURE = sa.table(
    "measure",
    sa.column("id", sa.Uuid),
    sa.column("project_id", sa.Uuid),
    sa.column("family", sa.String),
    sa.column("archived_at"),
)
# By name: sharing stands above projects.
_ORIGIN: sa.TableClause = sa.table(
    "received_project",
    sa.column("project_id", sa.Uuid),
    sa.column("source", sa.String),
    sa.column("source_project_id", sa.Uuid),
    sa.column("source_release_id", sa.Uuid),
    sa.column("license", sa.String),
    *(
        sa.column(name, Project.__table__.c.updated_at.type)  # type: ignore[attr-defined]
        for name in ("received_at", "fetched_at", "withdrawn_at")
    ),
)


def get_project(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    permission: Permission = Permission.PROJECT_READ,
) -> Project:
    """One project. `permission` names what of it is read. Raises `NotFound`."""
    return get_visible(
        session, actor=actor, entity=Project, permission=permission, row_id=project_id
    )


def refuse_received(session: Session, project: Project) -> None:
    """Raise `ReceivedReadOnly` if the project came from another server."""
    statement = sa.select(_ORIGIN.c.project_id).where(_ORIGIN.c.project_id == project.id)
    if session.execute(statement).first() is not None:
        raise ReceivedReadOnly


def refuse_frozen(session: Session, project: Project) -> None:
    """Raise `ReceivedReadOnly`, or `Archived` if the project or its programme is.

    Whatever is written in a project asks here first, so nothing in it can be written then.
    """
    refuse_received(session, project)
    refuse_archived(project, session.get_one(Programme, project.programme_id))


def _provenances(
    session: Session, project_ids: Collection[uuid.UUID]
) -> dict[uuid.UUID, ProjectProvenance]:
    statement = sa.select(_ORIGIN).where(_ORIGIN.c.project_id.in_(project_ids))
    return {
        row.project_id: ProjectProvenance.model_validate(row) for row in session.execute(statement)
    }


def find_provenance(session: Session, *, project_id: uuid.UUID) -> ProjectProvenance | None:
    """Where a project came from; None for one of our own. The caller has checked access."""
    return _provenances(session, [project_id]).get(project_id)


def find_sources(session: Session, project_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The servers that projects came from; our own are left out."""
    statement = sa.select(_ORIGIN.c.project_id, _ORIGIN.c.source)
    found = session.execute(statement.where(_ORIGIN.c.project_id.in_(project_ids)))
    return {row.project_id: row.source for row in found}


def read_projects(session: Session, rows: Sequence[Project]) -> list[ProjectRead]:
    """The projects as they are answered; two queries, however many there are."""
    origins = _provenances(session, [row.id for row in rows]) if rows else {}
    reads = [
        ProjectRead.model_validate(row).model_copy(update={"provenance": origins.get(row.id)})
        for row in rows
    ]
    return with_references(session, ResourceType.PROJECT, reads)


def get_team_reference(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, team_id: uuid.UUID
) -> Team:
    """The team that a body names, of the same programme. Raises `ReferenceNotFound`."""
    team = get_reference(
        session,
        actor=actor,
        entity=Team,
        permission=Permission.TEAM_READ,
        row_id=team_id,
        field="team_id",
    )
    if team.programme_id != programme_id:
        raise ReferenceNotFound.in_field("team_id")
    return team


def is_outcome_measure(session: Session, *, project_id: uuid.UUID, measure_id: uuid.UUID) -> bool:
    """Whether it is a live outcome measure of the project."""
    found = sa.select(_MEASURE.c.id).where(
        _MEASURE.c.id == measure_id,
        _MEASURE.c.project_id == project_id,
        _MEASURE.c.family == "outcome",
        _MEASURE.c.archived_at.is_(None),
    )
    return session.execute(found).first() is not None


def list_projects(
    session: Session, *, actor: Actor, query: AllProjectsQuery, pager: Pager
) -> Page[ProjectRead]:
    """A page of projects of any programme, by title."""
    return _list(session, actor, query, pager, programmes=query.programme_id)


def list_programme_projects(
    session: Session, *, actor: Actor, programme_id: uuid.UUID, query: ProjectQuery, pager: Pager
) -> Page[ProjectRead]:
    """A page of a programme's projects, by title."""
    programme = get_programme(session, actor=actor, programme_id=programme_id)
    return _list(session, actor, query, pager, programmes=[programme.id])


def _list(
    session: Session,
    actor: Actor,
    query: ProjectQuery,
    pager: Pager,
    *,
    programmes: list[uuid.UUID],
) -> Page[ProjectRead]:
    statement = select_visible(actor, Project, Permission.PROJECT_READ).where(
        *one_of(col(Project.programme_id), programmes),
        *archived_filter(Project, query),
        *text_contains(Project.title, query.q),
        *one_of(Project.team_id, query.team_id),
        *one_of(Project.state, query.state),
        *one_of(Project.area, query.area),
        *holds_any(session, Project.tags, query.tag),
        *refers_to(Project, ResourceType.PROJECT, query.external_ref),
    )
    order = order_by(query.sort, _SORTS, default="title", last=Project.id)
    page: Page[Project] = pager.page(session, statement, query=query, order=order)
    answers = iter(read_projects(session, page.items))
    return page.map(lambda _: next(answers))


def list_project_history(
    session: Session, *, actor: Actor, project_id: uuid.UUID, query: HistoryQuery, pager: Pager
) -> Page[Event]:
    """What happened to a project."""
    project = get_project(session, actor=actor, project_id=project_id)
    return events.list_history(session, resource_id=project.id, query=query, pager=pager)
