"""Routes of data points."""

import uuid
from typing import Annotated, Any

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse

from app.access.dependencies import CurrentActor
from app.kit.answers import created, tagged
from app.kit.dependencies import (
    CurrentPager,
    IfMatch,
    Now,
    PutCondition,
    ReadSession,
    WriteSession,
)
from app.kit.errors import AlreadyExists, Archived, BadRequest, Invalid, NotAcceptable
from app.kit.fields import Day
from app.kit.negotiation import CSV, JSON, JSON_LINES
from app.kit.openapi import body_of, problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.measures.data_points import actions, batches, bulk, exclusions, files, queries
from app.measures.data_points.batches import DataPointBatch, DataPointBatchResult
from app.measures.data_points.dependencies import CurrentBatch, output_format
from app.measures.data_points.reading import TooManyRows, UnreadableFile
from app.measures.data_points.schemas import (
    DataPointCreate,
    DataPointPatch,
    DataPointPut,
    DataPointQuery,
    DataPointRead,
    ExclusionCreate,
    ExclusionResult,
    InclusionCreate,
    Stratum,
)
from app.projects.queries import ReceivedReadOnly

router = Router()
_read = DataPointRead.model_validate
_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            CSV: {"schema": {"type": "string"}, "example": files.CSV_EXAMPLE},
            JSON_LINES: {"schema": {"type": "string"}, "example": files.JSON_LINES_EXAMPLE},
        }
    }
}
_NEW: dict[int | str, dict[str, Any]] = {201: {"model": DataPointRead, "description": "It is new."}}
_BULK_BODY = body_of(
    DataPointBatch,
    texts={CSV: batches.CSV_EXAMPLE, JSON_LINES: batches.JSON_LINES_EXAMPLE},
)


@router.get(
    "/measures/{measure_id}/data-points",
    summary="List a measure's data points",
    response_model=Page[DataPointRead],
    responses=_FILES | problems(NotAcceptable),
)
def list_data_points(
    measure_id: uuid.UUID,
    query: Annotated[DataPointQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
    request: Request,
) -> Page[DataPointRead] | StreamingResponse:
    """The data points in time order, a page at a time.

    As `text/csv` or `application/jsonl` (by Accept or `format`): all rows of the filter at once.
    """
    media_type = output_format(request, query)
    if media_type == JSON:
        return queries.list_data_points(
            session, actor=actor, measure_id=measure_id, query=query, pager=pager
        ).map(_read)
    measure, statement = queries.select_data_points(
        session, actor=actor, measure_id=measure_id, query=query
    )
    return StreamingResponse(
        files.stream(request.app.state.database, statement, media_type),
        media_type=f"{CSV}; charset=utf-8; header=present" if media_type == CSV else media_type,
        headers={"Content-Disposition": files.disposition(measure, media_type)},
    )


@router.post(
    "/measures/{measure_id}/data-points",
    status_code=201,
    summary="Record a data point",
    responses=problems(AlreadyExists, Archived, ReceivedReadOnly, Invalid),
)
def record_data_point(
    measure_id: uuid.UUID,
    data: DataPointCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> DataPointRead:
    """Record one period. Ratios take numerator and denominator, the others a value.

    Without numbers it is a gap, and so is a denominator of zero. A period that is recorded already
    is refused; PUT replaces it.
    """
    row = actions.record_data_point(session, actor=actor, measure_id=measure_id, data=data, now=now)
    return created(response, _read(row), "data-points")


@router.post(
    "/measures/{measure_id}/data-points/bulk",
    summary="Record many data points",
    responses=problems(
        AlreadyExists, Archived, ReceivedReadOnly, BadRequest, UnreadableFile, Invalid, TooManyRows
    ),
    openapi_extra=_BULK_BODY,
    max_body_size=batches.MAX_BYTES,
)
def record_data_points(
    measure_id: uuid.UUID,
    actor: CurrentActor,
    batch: CurrentBatch,
    session: WriteSession,
    now: Now,
) -> DataPointBatchResult:
    """Up to 5000 rows as JSON, CSV (with a header row) or JSON Lines: all of them or none.

    A period is found by its start and stratum. What a row leaves out of a stored point stays, an
    empty cell empties it, and what does not differ is not touched. Every fault of every row is
    listed with its pointer, and for files with row and column. For CSV and JSON Lines, `mode`,
    `dry_run`, `from` and `to` are query parameters; for JSON they stand in the body. Exclusions end
    only where a row says so, or is left out of a range to replace; the answer counts them.
    """
    return bulk.record_data_points(
        session, actor=actor, measure_id=measure_id, batch=batch, now=now
    )


@router.post(
    "/measures/{measure_id}/exclusions",
    summary="Exclude data points",
    responses=problems(Archived, ReceivedReadOnly, Invalid),
)
def exclude_data_points(
    measure_id: uuid.UUID,
    data: ExclusionCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
) -> ExclusionResult:
    """Show these periods as ghosts: on the chart, but out of lines and rules. All of them or none;

    a period that is not recorded is refused. Your name, the time and the reason stay with them.
    """
    return exclusions.exclude_data_points(
        session, actor=actor, measure_id=measure_id, data=data, now=now
    )


@router.post(
    "/measures/{measure_id}/inclusions",
    summary="Include excluded data points again",
    responses=problems(Archived, ReceivedReadOnly, Invalid),
)
def include_data_points(
    measure_id: uuid.UUID,
    data: InclusionCreate,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
) -> ExclusionResult:
    """Undo an exclusion: the chart is what it was before. What was said stays in the history."""
    return exclusions.include_data_points(
        session, actor=actor, measure_id=measure_id, data=data, now=now
    )


@router.put(
    "/measures/{measure_id}/data-points/{period_start}",
    summary="Record or replace a period",
    responses=_NEW | problems(Archived, ReceivedReadOnly, Invalid),
)
def put_data_point(
    measure_id: uuid.UUID,
    period_start: Day,
    data: DataPointPut,
    actor: CurrentActor,
    session: WriteSession,
    condition: PutCondition,
    now: Now,
    response: Response,
    stratum: Annotated[Stratum, Query(description="Empty is all cases.")] = "",
) -> DataPointRead:
    """Record a period whether or not it exists; one that exists needs If-Match.

    With `If-None-Match: *` it is only created. What the body leaves out is emptied, but an excluded
    period stays so until the body says `excluded`.
    """
    row, is_new = actions.put_data_point(
        session,
        actor=actor,
        measure_id=measure_id,
        period_start=period_start,
        stratum=stratum,
        data=data,
        condition=condition,
        now=now,
    )
    if is_new:
        response.status_code = 201
        return created(response, _read(row), "data-points")
    return tagged(response, _read(row))


@router.get("/data-points/{data_point_id}", summary="Get a data point")
def get_data_point(
    data_point_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> DataPointRead:
    """One data point, archived or not."""
    row = queries.get_data_point(session, actor=actor, data_point_id=data_point_id)
    return tagged(response, _read(row))


@router.patch(
    "/data-points/{data_point_id}",
    summary="Correct a data point",
    responses=problems(AlreadyExists, Archived, ReceivedReadOnly, Invalid),
)
def update_data_point(
    data_point_id: uuid.UUID,
    patch: DataPointPatch,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
    response: Response,
) -> DataPointRead:
    """JSON Merge Patch. The values before stay in the history of the measure."""
    row = actions.update_data_point(
        session,
        actor=actor,
        data_point_id=data_point_id,
        patch=patch,
        condition=condition,
        now=now,
    )
    return tagged(response, _read(row))


@router.delete(
    "/data-points/{data_point_id}",
    status_code=204,
    summary="Archive a data point",
    responses=problems(Archived, ReceivedReadOnly),
)
def archive_data_point(
    data_point_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    condition: IfMatch,
    now: Now,
) -> None:
    """Take it out of the series. To keep it visible, exclude it with a reason instead."""
    actions.archive_data_point(
        session, actor=actor, data_point_id=data_point_id, condition=condition, now=now
    )


@router.post(
    "/data-points/{data_point_id}/restore",
    summary="Restore a data point",
    responses=problems(AlreadyExists, Archived, ReceivedReadOnly),
)
def restore_data_point(
    data_point_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> DataPointRead:
    """Put an archived data point back, unless its period was recorded again meanwhile."""
    row = actions.restore_data_point(session, actor=actor, data_point_id=data_point_id, now=now)
    return tagged(response, _read(row))
