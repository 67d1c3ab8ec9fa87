"""Routes of inbound messages: the one that platforms call, and the log."""

import uuid
from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.access.dependencies import CurrentActor
from app.integrations.actions import InvalidMapping
from app.integrations.inbound import actions, queries
from app.integrations.inbound.actions import InboundFailed, IntegrationPaused, MessageIdReused
from app.integrations.inbound.dependencies import CurrentMessage, InvalidSignature
from app.integrations.inbound.schemas import (
    MESSAGE_EXAMPLE,
    InboundEventQuery,
    InboundEventRead,
    InboundReceipt,
    MappingTest,
    MappingTestRead,
)
from app.integrations.models import InboundOutcome
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.errors import BadRequest, Invalid
from app.kit.limiting import QuotaExceeded
from app.kit.openapi import RATE_LIMIT, problems
from app.kit.pagination import Page
from app.kit.problems import render_error
from app.kit.routing import Router

SIGNATURE: dict[str, Any] = {
    "type": "apiKey",
    "in": "header",
    "name": "webhook-signature",
    "description": "Signed with the connection's secret, as Standard Webhooks 1.0 describes.",
}
router = Router()
_read = InboundEventRead.model_validate
_TAKEN: dict[int | str, dict[str, Any]] = {
    200: {
        "model": InboundReceipt,
        "description": "It came before; its outcome again.",
        "headers": RATE_LIMIT,
    },
    202: {"headers": RATE_LIMIT},
}
_SIGNED_BODY: dict[str, Any] = {
    "security": [{"signature": []}],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}, "example": MESSAGE_EXAMPLE}},
    },
}


@router.post(
    "/integrations/{integration_id}/events",
    status_code=202,
    summary="Receive a message of a platform",
    response_model=InboundReceipt,
    responses=_TAKEN
    | problems(
        BadRequest,
        Invalid,
        InvalidSignature,
        MessageIdReused,
        QuotaExceeded,
        IntegrationPaused,
        InboundFailed,
    ),
    openapi_extra=_SIGNED_BODY,
)
def receive_event(
    message: CurrentMessage,
    session: WriteSession,
    now: Now,
    request: Request,
    response: Response,
) -> InboundReceipt | Response:
    """Signed as Standard Webhooks describe (`whsec_` secret, HMAC-SHA256), without a bearer token.

    The message is applied by the mapping of the connection before the answer leaves. Refused by a
    rule of ours it is answered with 202 too, with `outcome`, `code` and `detail`: sending it again
    would not help. A repeat of the same id is answered with 200 and the recorded outcome; what was
    refused or failed (503 `inbound_failed`, send it again later) is tried anew then.
    """
    row, is_new = actions.receive_event(
        session,
        message=message,
        own_address=request.app.state.settings.public_url,
        request_id=request.scope.get("request_id"),
        now=now,
    )
    if row.outcome is InboundOutcome.FAILED:
        return render_error(request, InboundFailed(row.id))
    response.status_code = 202 if is_new else 200
    return InboundReceipt.model_validate(row)


@router.get("/integrations/{integration_id}/events", summary="List what a platform sent")
def list_inbound_events(
    integration_id: uuid.UUID,
    query: Annotated[InboundEventQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[InboundEventRead]:
    """The log, the latest first: what became of each message, never what it said."""
    return queries.list_inbound_events(
        session, actor=actor, integration_id=integration_id, query=query, pager=pager
    ).map(_read)


@router.get("/inbound-events/{inbound_event_id}", summary="Get a line of the log of messages")
def get_inbound_event(
    inbound_event_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> InboundEventRead:
    """One message and what became of it."""
    return _read(queries.get_inbound_event(session, actor=actor, inbound_event_id=inbound_event_id))


@router.post(
    "/integrations/{integration_id}/mapping-tests",
    summary="Try a message without writing",
    responses=problems(InvalidMapping),
)
def try_mapping(
    integration_id: uuid.UUID,
    data: MappingTest,
    actor: CurrentActor,
    session: WriteSession,
    now: Now,
) -> MappingTestRead:
    """What it would do by the stored mapping or by the one that you send; nothing is kept.

    It runs as a message would, with the permissions of the connection's owner, and is undone.
    """
    return actions.try_mapping(
        session, actor=actor, integration_id=integration_id, data=data, now=now
    )
