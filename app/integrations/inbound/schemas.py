"""Bodies of the routes of inbound messages and their log."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints

from app.integrations.models import InboundOutcome
from app.integrations.rules import IntegrationMapping, RuleAction, checked_json
from app.kit.fields import Input, Instant, Output, Storable
from app.kit.pagination import Commas, ListQuery

MESSAGE_EXAMPLE: dict[str, Any] = {
    "event": "project.saved",
    "project": {"id": 123, "name": "Same-day access"},
}
_MESSAGE_DEPTH = 50
_OUTCOME: dict[str, Any] = {"x-extensible-enum": list(InboundOutcome)}
_RESULT: dict[str, Any] = {
    "outcome": "applied",
    "code": None,
    "detail": None,
    "resource_type": "project",
    "resource_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05",
}


class InboundReceipt(Output):
    """What became of the message."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "outcome": "applied",
                    "code": None,
                    "detail": None,
                }
            ]
        }
    )

    id: uuid.UUID
    outcome: str = Field(json_schema_extra=_OUTCOME)
    code: str | None = Field(description="Why it was refused or ignored.")
    detail: str | None


class InboundEventRead(Output):
    """A line of the log: one message and what became of it. What it said is not kept."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
                    "integration_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
                    "sender_id": "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W",
                    "type": "project.saved",
                    "subject": "123",
                    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "received_at": "2018-01-08T09:30:00Z",
                    "finished_at": "2018-01-08T09:30:00Z",
                    **_RESULT,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    integration_id: uuid.UUID
    sender_id: str = Field(description="Its `webhook-id`.")
    type: str = Field(description="Empty where it states none.")
    subject: str | None = Field(description="Their id of what it is about.")
    digest: str = Field(description="SHA-256 of its body.")
    received_at: datetime
    outcome: str = Field(
        description="`pending` and `failed` may still be tried again.", json_schema_extra=_OUTCOME
    )
    code: str | None
    detail: str | None
    resource_type: str | None
    resource_id: uuid.UUID | None
    finished_at: datetime | None


class InboundEventQuery(ListQuery):
    """Filters and sorts of the log."""

    outcome: list[InboundOutcome] = Field(default_factory=list, description="Repeat for 'or'.")
    type: list[Annotated[str, StringConstraints(max_length=100), Storable]] = Field(
        default_factory=list, max_length=50
    )
    since: Instant | None = Field(default=None, description="Received at or after.")
    sort: Annotated[list[Literal["received_at", "-received_at"]], Commas] = Field(
        default_factory=list, max_length=1
    )


class MappingTest(Input):
    """A message to try, by the mapping as it is or by another one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"message": MESSAGE_EXAMPLE, "mapping": None}]}
    )

    message: Annotated[
        dict[str, JsonValue],
        AfterValidator(lambda message: checked_json(message, deepest=_MESSAGE_DEPTH)),
    ]
    mapping: IntegrationMapping | None = Field(
        default=None, description="Instead of the stored one; it is not saved."
    )


class MappingTestRead(Output):
    """What the message would do. Nothing was written."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "project.saved",
                    "rule": 0,
                    "action": "upsert_project",
                    "values": [{"title": "Same-day access", "tags": ["from-lifeqi"]}],
                    **_RESULT,
                    "resource_id": None,
                }
            ]
        }
    )

    type: str
    rule: int | None = Field(description="Position of the rule that matches; null: none does.")
    action: str | None = Field(json_schema_extra={"x-extensible-enum": list(RuleAction)})
    values: list[dict[str, Any]] = Field(
        description="Our fields as read from the message; of data points, the first hundred."
    )
    outcome: str = Field(json_schema_extra=_OUTCOME)
    code: str | None
    detail: str | None
    resource_type: str | None
    resource_id: uuid.UUID | None = Field(description="Null where it would be created.")
