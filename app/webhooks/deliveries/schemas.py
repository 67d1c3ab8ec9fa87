"""Bodies of the routes of deliveries."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from app.kit.fields import Input, Instant, Output
from app.kit.pagination import Commas, ListQuery
from app.webhooks.models import DeliveryState

SortField = Literal["created_at", "-created_at"]
EventType = Annotated[str, StringConstraints(max_length=64, pattern=r"^[a-z0-9_]+\.[a-z0-9_]+$")]
_EXAMPLE: dict[str, Any] = {
    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d50",
    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
    "endpoint_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
    "event_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d51",
    "webhook_id": "evt_0193a0c27d7e7bd09c7b0f6a3b1c2d51",
    "event_type": "data_point.recorded",
    "replay": 0,
    "state": "pending",
    "attempts": 1,
    "next_at": "2018-01-08T09:35:08Z",
    "last_status": 503,
    "last_error": "The receiver answered 503.",
    "created_at": "2018-01-08T09:30:00Z",
    "finished_at": None,
}


class WebhookDeliveryRead(Output):
    """One message to one endpoint. Its payload is that of the event."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: uuid.UUID
    programme_id: uuid.UUID
    endpoint_id: uuid.UUID
    event_id: uuid.UUID
    webhook_id: str = Field(description="The `webhook-id` header, the same in every replay.")
    event_type: str = Field(json_schema_extra={"x-extensible-enum": True})
    replay: int = Field(description="How often it was asked for again before.")
    state: str = Field(json_schema_extra={"x-extensible-enum": list(DeliveryState)})
    attempts: int
    next_at: datetime | None = Field(description="When it is tried next, while it is pending.")
    last_status: int | None
    last_error: str | None
    created_at: datetime
    finished_at: datetime | None


class WebhookAttemptRead(Output):
    """One call: what was answered, or why nothing was."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "number": 1,
                    "at": "2018-01-08T09:30:01Z",
                    "milliseconds": 212,
                    "status": 503,
                    "error": "The receiver answered 503.",
                    "response_head": "busy",
                    "remote_address": "192.0.2.10",
                }
            ]
        }
    )

    number: int
    at: datetime
    milliseconds: int
    status: int | None
    error: str | None
    response_head: str | None = Field(description="The first 1,024 bytes of the answer.")
    remote_address: str | None


class WebhookReplayCreate(Input):
    """What to send again: what was missed since an instant, or all events of a span."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"failed_since": "2018-01-08T09:30:00Z"}]},
        validate_by_alias=True,
        validate_by_name=False,
    )

    failed_since: Instant | None = Field(
        default=None,
        description="Every event since then that the endpoint should have got and did not.",
    )
    from_: Instant | None = Field(
        default=None, alias="from", description="Every event from then on, got before or not."
    )
    to: Instant | None = Field(default=None, description="Before that; null is until now.")

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if (self.failed_since is None) == (self.from_ is None):
            raise PydanticCustomError("replay_span", "Give either failed_since or from.")
        if self.to is not None and (self.from_ is None or self.to <= self.from_):
            raise PydanticCustomError("replay_span", "Give to with an earlier from.")
        return self


class Span(NamedTuple):
    """Which events: from one instant until before another."""

    since: datetime
    until: datetime
    only_missed: bool


class ReplayParams(BaseModel):
    """What an operation keeps of a replay."""

    endpoint_id: uuid.UUID
    since: datetime
    until: datetime
    only_missed: bool

    @property
    def span(self) -> Span:
        """Which events."""
        return Span(self.since, self.until, self.only_missed)


class WebhookReplayRead(BaseModel):
    """The `result` of the operation: how many deliveries were made."""

    deliveries: int


class WebhookDeliveryQuery(ListQuery):
    """Filters and sorts of deliveries."""

    endpoint_id: uuid.UUID | None = None
    event_id: uuid.UUID | None = None
    programme_id: uuid.UUID | None = None
    state: list[DeliveryState] = Field(default_factory=list, description="Repeat for 'or'.")
    event_type: list[EventType] = Field(
        default_factory=list, max_length=100, description="Repeat for 'or'."
    )
    created_since: Instant | None = Field(default=None, description="At or after.")
    created_until: Instant | None = Field(default=None, description="Before.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=1)


class WebhookAttemptQuery(ListQuery):
    """The attempts of a delivery, in their order."""
