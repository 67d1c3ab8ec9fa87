"""How the feed is asked for, and how an event reads in it."""

import uuid
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.kit.fields import INT8_SAFE_MAX, Output
from app.kit.pagination import Commas
from app.webhooks.subscriptions import TOLD, types_of


def known(pattern: str) -> str:
    """Refuse a pattern that stands for nothing: a typo must not mean silence."""
    if not types_of([pattern], among=TOLD):
        raise PydanticCustomError("unknown_event_type", "There are no such events to hear of.")
    return pattern


EventTypePattern = Annotated[
    str,
    StringConstraints(max_length=64, pattern=r"^(\*|[a-z_]+\.(\*|[a-z_]+))$"),
    AfterValidator(known),
]
EXAMPLE: dict[str, Any] = {
    "id": "evt_0193a0c27d7e7bd09c7b0f6a3b1c2d3e",
    "type": "project.state_changed",
    "timestamp": "2018-01-08T09:30:00Z",
    "seq": 4711,
    "data": {
        "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
        "url": "/api/v1/projects/0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
        "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
        "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
        "revision": 4,
        "from": "baseline",
        "to": "testing",
    },
}


class EventFilter(BaseModel):
    """Which events; without a filter, all that the caller may read."""

    model_config = ConfigDict(extra="forbid")

    type: Annotated[list[EventTypePattern], Commas] = Field(
        default_factory=list,
        max_length=100,
        description="Types such as `project.created`, all of a noun as `measure.*`, or `*`.",
    )
    programme_id: uuid.UUID | None = Field(default=None, description="Of this programme.")
    resource_id: uuid.UUID | None = Field(default=None, description="Of this resource.")


class EventQuery(EventFilter):
    """The feed from a place on."""

    max_limit: ClassVar[int] = 500

    after: int = Field(
        default=0,
        ge=0,
        le=INT8_SAFE_MAX,
        description="`next_after` of the answer before; 0 from the first event on.",
    )
    limit: int = Field(
        default=100,
        ge=1,
        le=2**31,
        description=f"Events at most; more than {max_limit} is read as that.",
    )


class EventSubject(Output):
    """What the event is of. The webhooks section of this document has the other fields by type."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="The resource.", json_schema_extra={"format": "uuid"})
    url: str = Field(description="Where to read it, with your own token.")
    programme_id: str | None = Field(json_schema_extra={"format": "uuid"})
    revision: int = Field(description="Its revision after the event; a lower one is older news.")


class EventMessage(Output):
    """One event, in the same form in which webhooks tell of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str = Field(description="The same in every delivery: the key for telling duplicates.")
    type: str = Field(json_schema_extra={"x-extensible-enum": True})
    timestamp: str = Field(
        description="When it happened.", json_schema_extra={"format": "date-time"}
    )
    seq: int = Field(description="Its place in the feed; always rising, never given twice.")
    data: EventSubject


class EventFeed(Output):
    """A stretch of the feed. Keep `next_after`: it is all that a client needs to go on."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"items": [EXAMPLE], "next_after": 4711, "has_more": False}]
        }
    )

    items: list[EventMessage]
    next_after: int = Field(
        description="Send as `after` next time. It moves on past what you may not read, too."
    )
    has_more: bool = Field(
        description="Ask again at once. It can be true while `items` is empty.",
    )
