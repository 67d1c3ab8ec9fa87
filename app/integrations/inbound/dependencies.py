"""Who sends a message: its signature says so, and nothing else does."""

import re
import uuid
from typing import Annotated, Any, NamedTuple

import structlog
from fastapi import Depends, Header, Request, Response
from pydantic_core import from_json
from sqlmodel import Session

from app.integrations.inbound.messages import Message
from app.integrations.inbound.queries import find_integration
from app.integrations.secrets import secrets_of
from app.kit.dependencies import instant_of
from app.kit.errors import BadRequest, Invalid, Unauthenticated
from app.kit.sealing import Unsealable
from app.kit.signing import Unverified, make_secret, verify

# No full stop: it divides what is signed, so an id with one could be read in two ways.
_MESSAGE_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,200}")
LONGEST_HEADER = 2_000  # room for a score of signatures
_NOBODYS_SECRET = make_secret()  # checked where there is none, so that both take as long
log = structlog.get_logger()


class InvalidSignature(Unauthenticated):
    """401: nothing known has signed this, or not now. Which of these is told to nobody, nor

    whether there is such a connection.
    """

    code = "invalid_signature"
    title = "The message is not signed as it must be."

    def __init__(self) -> None:
        super().__init__(headers={"WWW-Authenticate": "WebhookSignature"})


class Sent(NamedTuple):
    """A message that is not verified yet."""

    sender_id: str
    timestamp: str
    signature: str
    body: bytes


def _header(name: str, description: str) -> Any:
    # Documented, not checked as other input: whatever is wrong with a signature is 401 alike.
    bound = {"maxLength": LONGEST_HEADER}
    return Header(alias=name, description=description, json_schema_extra=bound)


async def sent(
    request: Request,
    webhook_id: Annotated[
        str | None,
        _header("webhook-id", "The sender's id of the message, the same when it is repeated."),
    ] = None,
    webhook_timestamp: Annotated[
        str | None, _header("webhook-timestamp", "Unix seconds, at most five minutes off.")
    ] = None,
    webhook_signature: Annotated[
        str | None,
        _header("webhook-signature", "`v1,` and the base64 of HMAC-SHA256 of `id.timestamp.body`."),
    ] = None,
) -> Sent:
    """The three headers of Standard Webhooks and the body as it came."""
    body = await request.body()
    return Sent(webhook_id or "", webhook_timestamp or "", webhook_signature or "", body)


def _secrets(session: Session, request: Request, integration_id: uuid.UUID) -> list[str]:
    integration = find_integration(session, integration_id=integration_id)
    if integration is None:
        return []
    try:
        return secrets_of(integration, request.app.state.parts.sealer, now=instant_of(request))
    except Unsealable:
        log.error("integration_secret_unsealable", integration_id=str(integration_id))
        return []


def verified(
    integration_id: uuid.UUID,
    request: Request,
    response: Response,
    given: Annotated[Sent, Depends(sent)],
) -> Message:
    """The message, if the connection's secret signed it and its quota is not used up.

    It is read before the write transaction begins: whoever cannot sign takes no lock. Nor does that
    count, or anybody could use up the quota of a platform. Raises `InvalidSignature` and
    `QuotaExceeded`.
    """
    with request.app.state.database.reading() as session:
        secrets = _secrets(session, request, integration_id)
    try:
        verify(
            secrets or [_NOBODYS_SECRET],
            message_id=given.sender_id,
            timestamp=given.timestamp,
            signature=given.signature,
            body=given.body,
            now=instant_of(request).timestamp(),
        )
    except Unverified as refusal:
        raise InvalidSignature from refusal
    is_long = max(len(given.sender_id), len(given.signature)) > LONGEST_HEADER
    if is_long or not secrets or not _MESSAGE_ID.fullmatch(given.sender_id):
        raise InvalidSignature
    response.headers.update(request.app.state.inbound_limiter.take(integration_id))
    request.state.principal_id = integration_id  # an Idempotency-Key belongs to the connection
    return Message.of(integration_id, given.sender_id, given.body, _document(given.body))


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as fault:
        raise BadRequest(f"The body is not JSON: {str(fault)[:200]}.") from fault
    if not isinstance(document, dict):
        raise Invalid.at(code="object_type", detail="Send a JSON object.")
    return document


CurrentMessage = Annotated[Message, Depends(verified)]
