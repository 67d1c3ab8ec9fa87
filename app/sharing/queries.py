"""Reads of releases, and of what a release asks for."""

import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, select_visible
from app.kit.filters import one_of
from app.kit.pagination import Page, Pager, order_by
from app.measures.models import DataPoint, Measure
from app.projects import aims
from app.projects.aims import Aim
from app.projects.models import Project
from app.projects.queries import get_project
from app.sharing.models import Release, ReleaseState
from app.sharing.schemas import ReleaseQuery

_SORTS: dict[str, Any] = {"released_at": Release.released_at}


def get_release(session: Session, *, actor: Actor, release_id: uuid.UUID) -> Release:
    """One release. Raises `NotFound`."""
    return get_visible(
        session,
        actor=actor,
        entity=Release,
        permission=Permission.RELEASE_READ,
        row_id=release_id,
    )


def list_releases(
    session: Session, *, actor: Actor, project_id: uuid.UUID, query: ReleaseQuery, pager: Pager
) -> Page[Release]:
    """A page of a project's releases, the latest first. Raises `NotFound` for the project."""
    project = get_project(
        session, actor=actor, project_id=project_id, permission=Permission.RELEASE_READ
    )
    statement = select_visible(actor, Release, Permission.RELEASE_READ).where(
        col(Release.project_id) == project.id, *one_of(Release.state, query.state)
    )
    order = order_by([], _SORTS, default="-released_at", last=Release.id)
    return pager.page(session, statement, query=query, order=order)


def find_published(session: Session, *, project_id: uuid.UUID) -> Release | None:
    """The release that holds; there is at most one. The caller has checked access."""
    statement = select(Release).where(
        col(Release.project_id) == project_id, col(Release.state) == ReleaseState.PUBLISHED
    )
    return session.exec(statement).one_or_none()


def _has_data(session: Session, project_id: uuid.UUID) -> bool:
    statement = (
        sa.select(col(DataPoint.id))
        .join(Measure, col(Measure.id) == col(DataPoint.measure_id))
        .where(
            col(Measure.project_id) == project_id,
            col(Measure.archived_at).is_(None),
            col(DataPoint.archived_at).is_(None),
        )
    )
    return session.execute(statement.limit(1)).first() is not None


def missing_of(session: Session, project: Project) -> Iterator[str]:
    """What a reader of a released project would look for and not find."""
    if not project.title:
        yield "title"
    if aims.missing_of(None if project.aim is None else Aim.model_validate(project.aim)):
        yield "complete_aim"
    if not _has_data(session, project.id):
        yield "measure_with_data"
