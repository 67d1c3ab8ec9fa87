"""The routes of imports."""

import uuid
from typing import Annotated, Any

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.dependencies import Now, WriteSession
from app.kit.errors import Archived, BadRequest, Invalid
from app.kit.negotiation import CSV, JSON_LINES
from app.kit.openapi import problems
from app.kit.routing import Router
from app.measures.data_points.batches import CSV_EXAMPLE, JSON_LINES_EXAMPLE
from app.measures.data_points.reading import TooManyRows, UnreadableFile
from app.measures.imports import actions
from app.measures.imports.dependencies import CurrentFile, CurrentNamedFile
from app.measures.imports.schemas import (
    MAX_BYTES,
    NAMED_CSV_EXAMPLE,
    NAMED_JSON_LINES_EXAMPLE,
    ImportOptions,
)
from app.operations.dependencies import accepted
from app.operations.schemas import OperationRead
from app.projects.queries import ReceivedReadOnly

router = Router()
_REFUSALS = problems(Archived, ReceivedReadOnly, BadRequest, UnreadableFile, Invalid, TooManyRows)


def _file(csv: str, json_lines: str) -> dict[str, Any]:
    examples = ((CSV, csv), (JSON_LINES, json_lines))
    return {
        "requestBody": {
            "required": True,
            "content": {
                media_type: {"schema": {"type": "string"}, "example": example}
                for media_type, example in examples
            },
        }
    }


@router.post(
    "/measures/{measure_id}/imports",
    status_code=202,
    summary="Import a file of data points",
    responses=_REFUSALS,
    openapi_extra=_file(CSV_EXAMPLE, JSON_LINES_EXAMPLE),
    max_body_size=MAX_BYTES,
)
def import_data_points(
    measure_id: uuid.UUID,
    options: Annotated[ImportOptions, Query()],
    actor: CurrentActor,
    file: CurrentFile,
    session: WriteSession,
    now: Now,
    response: Response,
) -> OperationRead:
    """Up to 200,000 rows as CSV (with a header row) or JSON Lines, written as an operation.

    Rows are as in bulk recording. A file that cannot be read is refused at once; else all rows are
    looked through first, and with a fault the operation fails, lists up to 100 of them with row and
    column, and nothing is written. With `on_error=skip` such rows are left out and listed. The rest
    is written 500 rows at a time, each time with one event; the `result` counts `created`,
    `updated`, `unchanged` and `skipped`. What is written before a cancellation stays written.
    """
    row = actions.import_data_points(
        session, actor=actor, measure_id=measure_id, file=file, options=options, now=now
    )
    return accepted(response, row)


@router.post(
    "/projects/{project_id}/imports",
    status_code=202,
    summary="Import a file of data points of many measures",
    responses=_REFUSALS,
    openapi_extra=_file(NAMED_CSV_EXAMPLE, NAMED_JSON_LINES_EXAMPLE),
    max_body_size=MAX_BYTES,
)
def import_project_data_points(
    project_id: uuid.UUID,
    actor: CurrentActor,
    given: CurrentNamedFile,
    session: WriteSession,
    now: Now,
    response: Response,
) -> OperationRead:
    """As the import of one measure, but each row names its measure, one of this project.

    By `measure_id`; by `measure`, its name, whatever the case; or by `external_id`, what `system`
    calls it. Where a row gives several, they must mean the same. A name that no live measure of the
    project has, or that several have, is a fault of the row. Rows are written measure by measure,
    each batch with one event of each measure in it; `result.measures` counts by measure.
    """
    row = actions.import_project_data_points(
        session,
        actor=actor,
        project_id=project_id,
        file=given.file,
        options=given.options,
        now=now,
    )
    return accepted(response, row)
