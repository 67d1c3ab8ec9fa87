"""Bodies of the routes of webhook endpoints."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, AfterValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.kit.fields import Input, Line, Output, Storable, Url
from app.kit.pagination import ArchivableQuery, Commas
from app.webhooks.models import EndpointState
from app.webhooks.subscriptions import PATTERNS, near_misses

_MOST_TYPES = 100
SortField = Literal["created_at", "-created_at", "updated_at", "-updated_at"]


def _known(pattern: str) -> str:
    if pattern not in PATTERNS:
        near = near_misses(pattern)
        raise PydanticCustomError(
            "unknown_event_type",
            "Nobody can subscribe to events of that type. {advice}",
            {
                "advice": f"Did you mean {', '.join(near)}?"
                if near
                else "Give `*`, `measure.*` for a noun, or a type."
            },
        )
    return pattern


EventPattern = Annotated[
    str,
    StringConstraints(max_length=64),
    AfterValidator(_known),
    WithJsonSchema(
        {
            "type": "string",
            "maxLength": 64,
            "pattern": r"^(\*|[a-z0-9_]+\.(\*|[a-z0-9_]+))$",
            "description": "A type, `measure.*` for all types of a noun, or `*`.",
        }
    ),
]
EventPatterns = Annotated[
    list[EventPattern],
    Field(
        max_length=_MOST_TYPES,
        description="What it hears of; empty means all that its owner may read.",
    ),
]
# The address of another OpenQI as changes bear it as their origin: without a slash at the end.
SystemName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    Storable,
    AfterValidator(lambda name: name.rstrip("/") or name),
]
_EXAMPLE: dict[str, Any] = {
    "url": "https://platform.example.org/hooks/openqi",
    "description": "Sharing platform",
    "event_types": ["measure.*", "data_point.*", "project.state_changed"],
    "not_from": None,
}
_PLACED: dict[str, Any] = {"programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01", **_EXAMPLE}
_READ_EXAMPLE: dict[str, Any] = {
    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
    **_PLACED,
    "owner_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
    "scopes": None,
    "state": "enabled",
    "disabled_reason": None,
    "failures": 0,
    "failing_since": None,
    "open_until": None,
    "last_success_at": "2018-01-08T09:30:02Z",
    "old_secret_until": None,
    "created_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
    "created_at": "2018-01-08T09:30:00Z",
    "updated_at": "2018-01-08T09:30:00Z",
    "archived_at": None,
    "revision": 1,
}


class WebhookEndpointBase(Input):
    """What a client may state of an endpoint."""

    url: Url = Field(description="https, to a public address, and no user or fragment.")
    description: Line = ""
    event_types: EventPatterns = Field(default_factory=list)
    not_from: SystemName | None = Field(
        default=None, description="Leaves out what came from that system: no echo of one's own."
    )


class WebhookEndpointCreate(WebhookEndpointBase):
    """A new endpoint of a programme."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PLACED]})

    programme_id: uuid.UUID


class WebhookEndpointPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"event_types": ["measure.*"]}]})

    url: Url | MISSING = MISSING
    description: Line | MISSING = MISSING
    event_types: EventPatterns | MISSING = MISSING
    not_from: SystemName | None | MISSING = MISSING


class WebhookEndpointTransition(Input):
    """Where to: what is paused keeps its deliveries, what is enabled sends them."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "paused"}]})

    to: Literal[EndpointState.ENABLED, EndpointState.PAUSED]


class WebhookSecretRotation(Input):
    """How to change the secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"expire_old": False}]})

    expire_old: bool = Field(
        default=False,
        strict=True,
        description="End the old secret at once (it leaked); else it also signs for 24 hours.",
    )


class WebhookEndpointRead(Output):
    """An endpoint without its secret, and how it fares."""

    model_config = ConfigDict(json_schema_extra={"examples": [_READ_EXAMPLE]})

    id: uuid.UUID
    programme_id: uuid.UUID
    url: str
    description: str
    event_types: list[str]
    not_from: str | None
    owner_id: uuid.UUID = Field(description="Whose rights decide what it hears.")
    scopes: list[str] | None = Field(description="Those of the token that made it; null: no limit.")
    state: str = Field(json_schema_extra={"x-extensible-enum": list(EndpointState)})
    disabled_reason: str | None
    failures: int = Field(description="Failed attempts since the last success.")
    failing_since: datetime | None = Field(
        description="The first of them; from then on messages may be missing."
    )
    open_until: datetime | None = Field(description="Nothing is tried before, after five failures.")
    last_success_at: datetime | None
    old_secret_until: datetime | None = Field(description="Till when the old secret signs too.")
    created_by: uuid.UUID | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class WebhookEndpointCreated(WebhookEndpointRead):
    """An endpoint with its new secret, which is shown this once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_READ_EXAMPLE, "secret": "whsec_shown-once-and-then-sealed"}]
        }
    )

    secret: str = Field(description="Verify `webhook-signature` with it (Standard Webhooks).")


class WebhookEndpointQuery(ArchivableQuery):
    """Filters and sorts of endpoints."""

    programme_id: uuid.UUID | None = None
    state: list[EndpointState] = Field(default_factory=list, description="Repeat for 'or'.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=2)
