"""Reads of projects."""

import uuid

from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.access.scope import get_visible, refuse_archived
from app.programmes.models import Programme
from app.projects.models import Project


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


def refuse_frozen(session: Session, project: Project) -> None:
    """Raise `Archived` if the project or its programme is: nothing in them can be written then."""
    refuse_archived(project, session.get_one(Programme, project.programme_id))
