"""Routes of long work."""

import uuid
from typing import Annotated

from fastapi import Query, Response

from app.access.dependencies import CurrentActor
from app.kit.answers import tagged
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.routing import Router
from app.operations import actions, queries
from app.operations.actions import OperationFinished
from app.operations.dependencies import accepted, unfinished
from app.operations.schemas import OperationQuery, OperationRead

router = Router(tags=["operations"])


@router.get("/operations", summary="List operations")
def list_operations(
    query: Annotated[OperationQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[OperationRead]:
    """Your own, and those of programmes whose operations you may read; latest first."""
    return queries.list_operations(session, actor=actor, query=query, pager=pager).map(
        OperationRead.of
    )


@router.get("/operations/{operation_id}", summary="Get an operation")
def get_operation(
    operation_id: uuid.UUID, actor: CurrentActor, session: ReadSession, response: Response
) -> OperationRead:
    """How far it is. While it goes on, `Retry-After` says when to ask again.

    It is kept for seven days after its end.
    """
    row = queries.get_operation(session, actor=actor, operation_id=operation_id)
    unfinished(response, row)
    return tagged(response, OperationRead.of(row))


@router.post(
    "/operations/{operation_id}/cancel",
    status_code=202,
    summary="Cancel an operation",
    responses=problems(OperationFinished),
)
def cancel_operation(
    operation_id: uuid.UUID,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
    response: Response,
) -> OperationRead:
    """For whoever asked for it, and administrators of the platform.

    A personal token cancels what was asked for with it; any other work needs the scope `admin`.
    What waits is cancelled at once, what runs after the chunk that it is at. What is done stays.
    """
    row = actions.cancel_operation(session, actor=actor, operation_id=operation_id, now=now)
    return accepted(response, row)
