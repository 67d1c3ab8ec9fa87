"""Starts imports."""

import uuid
from datetime import datetime

from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.measures.actions import get_writable, get_writable_project
from app.measures.imports.rows import File
from app.measures.imports.schemas import ImportOptions, ImportParams, ProjectImportOptions
from app.operations.actions import Given, start_operation
from app.operations.models import Operation

KIND = "data_points.import"


def import_data_points(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    file: File,
    options: ImportOptions,
    now: datetime,
) -> Operation:
    """Keep the file and ask for the work. Raises `NotFound`, `Forbidden` or `Archived`."""
    measure = get_writable(
        session, actor=actor, measure_id=measure_id, permission=Permission.DATA_POINT_RECORD
    )
    params = ImportParams(measure_id=measure.id, **options.model_dump())
    return start_operation(
        session,
        actor=actor,
        kind=KIND,
        programme_id=measure.programme_id,
        project_id=measure.project_id,
        params=params.model_dump(mode="json"),
        given=Given(file.media_type, file.content),
        total=file.rows,
        now=now,
    )


def import_project_data_points(
    session: Session,
    *,
    actor: Actor,
    project_id: uuid.UUID,
    file: File,
    options: ProjectImportOptions,
    now: datetime,
) -> Operation:
    """The same with rows that name their measures; raises the same for the project."""
    project = get_writable_project(
        session, actor=actor, project_id=project_id, permission=Permission.DATA_POINT_RECORD
    )
    return start_operation(
        session,
        actor=actor,
        kind=KIND,
        programme_id=project.programme_id,
        project_id=project.id,
        params=ImportParams(**options.model_dump()).model_dump(mode="json"),
        given=Given(file.media_type, file.content),
        total=file.rows,
        now=now,
    )
