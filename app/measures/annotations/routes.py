"""Routes of annotations."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import CurrentPager, IfMatch, Now, ReadSession, WriteSession
from app.kit.errors import Archived, ReferenceNotFound
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.measures.annotations import actions, queries
from app.measures.annotations.schemas import (
    AnnotationCreate,
    AnnotationPatch,
    AnnotationQuery,
    AnnotationRead,
)
from app.projects.queries import ReceivedReadOnly

router = Router()
_read = AnnotationRead.model_validate


@router.get("/measures/{measure_id}/annotations", summary="List a measure's annotations")
def list_annotations(
    measure_id: uuid.UUID,
    query: Annotated[AnnotationQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[AnnotationRead]:
    """What happened meanwhile, the earliest first. The starts of PDSA cycles, which the chart

    marks too, are read with the cycles.
    """
    return queries.list_annotations(
        session, actor=actor, measure_id=measure_id, query=query, pager=pager
    ).map(_read)


@router.post(
    "/measures/{measure_id}/annotations",
    status_code=201,
    summary="Annotate a measure",
    responses=problems(Archived, ReceivedReadOnly, ReferenceNotFound),
)
def create_annotation(
    measure_id: uuid.UUID,
    data: AnnotationCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> AnnotationRead:
    """Mark on the chart what happened on a day. With `explains` it stands in `explained_by` of

    those signals too.
    """
    row = actions.create_annotation(session, actor=actor, measure_id=measure_id, data=data, now=now)
    return created(response, _read(row), "annotations")


@router.get("/annotations/{annotation_id}", summary="Get an annotation")
def get_annotation(
    annotation_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> AnnotationRead:
    """One annotation, archived or not."""
    row = queries.get_annotation(session, actor=actor, annotation_id=annotation_id)
    return tagged(response, _read(row))


@router.patch(
    "/annotations/{annotation_id}",
    summary="Change an annotation",
    responses=problems(Archived, ReceivedReadOnly, ReferenceNotFound),
)
def update_annotation(
    annotation_id: uuid.UUID,
    patch: AnnotationPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> AnnotationRead:
    """JSON Merge Patch. `explains` is replaced as a whole."""
    row = actions.update_annotation(
        session,
        actor=actor,
        annotation_id=annotation_id,
        patch=patch,
        condition=condition,
        now=now,
    )
    return tagged(response, _read(row))


@router.delete(
    "/annotations/{annotation_id}",
    status_code=204,
    summary="Archive an annotation",
    responses=problems(Archived, ReceivedReadOnly),
)
def archive_annotation(
    annotation_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Take it off the chart; what it explained is unexplained again."""
    actions.archive_annotation(
        session, actor=actor, annotation_id=annotation_id, condition=condition, now=now
    )


@router.post(
    "/annotations/{annotation_id}/restore",
    summary="Restore an annotation",
    responses=problems(Archived, ReceivedReadOnly),
)
def restore_annotation(
    annotation_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> AnnotationRead:
    """Put an archived annotation back on the chart."""
    row = actions.restore_annotation(session, actor=actor, annotation_id=annotation_id, now=now)
    return tagged(response, _read(row))
