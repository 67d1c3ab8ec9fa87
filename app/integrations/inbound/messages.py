"""A message and what became of it, as plain values."""

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any

from app.integrations.models import InboundOutcome
from app.integrations.rules import look_up

_TYPE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Message:
    """A message whose sender is known. `digest` is the SHA-256 of its bytes."""

    integration_id: uuid.UUID
    sender_id: str
    digest: str
    document: dict[str, Any]

    @classmethod
    def of(
        cls, integration_id: uuid.UUID, sender_id: str, body: bytes, document: dict[str, Any]
    ) -> "Message":
        """From the bytes as they came and what they say."""
        return cls(integration_id, sender_id, hashlib.sha256(body).hexdigest(), document)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message. `subject` is the sender's id of what it is about."""

    outcome: InboundOutcome
    code: str | None = None
    detail: str | None = None
    resource_type: str | None = None
    resource_id: uuid.UUID | None = None
    subject: str | None = None
    is_new: bool = False  # whether the resource was created


def type_at(document: dict[str, Any], place: str) -> str:
    """The type that a message states; empty where it states none that can be one."""
    stated = look_up(document, place)
    is_one = isinstance(stated, str) and len(stated) <= _TYPE_LENGTH and stated.isprintable()
    return stated if is_one else ""
