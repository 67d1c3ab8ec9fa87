"""How a route answers that has started long work: 202, where to look, and when."""

from fastapi import Response

from app.kit.answers import created
from app.operations.models import Operation
from app.operations.schemas import OperationRead

RETRY_AFTER_SECONDS = 2


def unfinished(response: Response, row: Operation) -> None:
    """Say when to ask again, where that makes sense."""
    if not row.state.is_final:
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)


def accepted(response: Response, row: Operation) -> OperationRead:
    """The operation, with its address and ETag; the route's status is 202."""
    unfinished(response, row)
    return created(response, OperationRead.of(row), "operations")
