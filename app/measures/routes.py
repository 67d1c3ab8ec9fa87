"""Routes of measures. Those of their data points, phases and annotations have their packages."""

import uuid
from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Response
from sqlmodel import Session

from app.access.dependencies import CurrentActor
from app.events.schemas import EventRead, HistoryQuery
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import AlreadyExists, Archived, Invalid
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.measures import actions, queries
from app.measures.actions import DataTypeFixed, DefinitionChangeReasonRequired
from app.measures.annotations import routes as annotations
from app.measures.data_points import routes as data_points
from app.measures.imports import routes as imports
from app.measures.models import Measure
from app.measures.phases import routes as phases
from app.measures.schemas import MeasureCreate, MeasurePatch, MeasureQuery, MeasureRead
from app.projects.queries import ReceivedReadOnly
from app.references.queries import with_references
from app.references.resources import ResourceType

router = Router(tags=["measures"])


def _read_all(session: Session, rows: Sequence[Measure]) -> list[MeasureRead]:
    """Rows of one project, with what it lacks."""
    families = queries.count_families(session, project_id=rows[0].project_id) if rows else {}
    reads = [
        MeasureRead.model_validate(row).model_copy(
            update={"warnings": queries.warnings_of(row, families)}
        )
        for row in rows
    ]
    return with_references(session, ResourceType.MEASURE, reads)


def _read(session: Session, row: Measure) -> MeasureRead:
    return _read_all(session, [row])[0]


@router.get("/projects/{project_id}/measures", summary="List a project's measures")
def list_measures(
    project_id: uuid.UUID,
    query: Annotated[MeasureQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[MeasureRead]:
    """The measures of a project in the order of their positions."""
    page = queries.list_measures(
        session, actor=actor, project_id=project_id, query=query, pager=pager
    )
    return page.of(_read_all(session, page.items))


@router.post(
    "/projects/{project_id}/measures",
    status_code=201,
    summary="Create a measure",
    responses=problems(AlreadyExists, Archived, ReceivedReadOnly, Invalid),
)
def create_measure(
    project_id: uuid.UUID,
    data: MeasureCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> MeasureRead:
    """Create a measure of a project. Whatever is still missing stands in `warnings`.

    A chart that does not suit the data type is refused (`chart_does_not_fit`) with those that do.
    """
    row = actions.create_measure(session, actor=actor, project_id=project_id, data=data, now=now)
    return created(response, _read(session, row), "measures")


@router.get("/measures/{measure_id}", summary="Get a measure")
def get_measure(
    measure_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> MeasureRead:
    """One measure, archived or not."""
    row = queries.get_measure(session, actor=actor, measure_id=measure_id)
    return tagged(response, _read(session, row))


@router.patch(
    "/measures/{measure_id}",
    summary="Change a measure",
    responses=problems(
        AlreadyExists, Archived, ReceivedReadOnly, DataTypeFixed, DefinitionChangeReasonRequired
    ),
)
def update_measure(
    measure_id: uuid.UUID,
    patch: MeasurePatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> MeasureRead:
    """JSON Merge Patch. Once there are data, the data type stays, and a change of definition, unit

    or multiplier needs `definition_change_reason` and raises `definition_version`.
    """
    row = actions.update_measure(
        session, actor=actor, measure_id=measure_id, patch=patch, condition=condition, now=now
    )
    return tagged(response, _read(session, row))


@router.delete(
    "/measures/{measure_id}",
    status_code=204,
    summary="Archive a measure",
    responses=problems(Archived, ReceivedReadOnly),
)
def archive_measure(
    measure_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Hide it from lists and freeze its data points; it can be restored."""
    actions.archive_measure(
        session, actor=actor, measure_id=measure_id, condition=condition, now=now
    )


@router.post(
    "/measures/{measure_id}/restore",
    summary="Restore a measure",
    responses=problems(AlreadyExists, Archived, ReceivedReadOnly),
)
def restore_measure(
    measure_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> MeasureRead:
    """Bring an archived measure back. It is no headline if the project has another by now."""
    row = actions.restore_measure(session, actor=actor, measure_id=measure_id, now=now)
    return tagged(response, _read(session, row))


@router.get("/measures/{measure_id}/history", summary="List what happened to a measure")
def get_measure_history(
    measure_id: uuid.UUID,
    query: Annotated[HistoryQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[EventRead]:
    """Every change of the measure, its data points, phases and annotations, the latest first."""
    page = queries.get_measure_history(
        session, actor=actor, measure_id=measure_id, query=query, pager=pager
    )
    return page.map(EventRead.model_validate)


router.include_router(data_points.router)
router.include_router(imports.router)
router.include_router(phases.router)
router.include_router(annotations.router)
