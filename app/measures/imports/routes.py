"""The route of imports."""

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
from app.measures.imports.dependencies import CurrentFile
from app.measures.imports.schemas import MAX_BYTES, ImportOptions
from app.operations.dependencies import accepted
from app.operations.schemas import OperationRead
from app.projects.queries import ReceivedReadOnly

router = Router()
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string"}, "example": example}
            for media_type, example in ((CSV, CSV_EXAMPLE), (JSON_LINES, JSON_LINES_EXAMPLE))
        },
    }
}


@router.post(
    "/measures/{measure_id}/imports",
    status_code=202,
    summary="Import a file of data points",
    responses=problems(
        Archived, ReceivedReadOnly, BadRequest, UnreadableFile, Invalid, TooManyRows
    ),
    openapi_extra=_FILE,
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
