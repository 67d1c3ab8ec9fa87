"""How an event reads in a history."""

import uuid
from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.kit.fields import Output
from app.kit.pagination import ListQuery


class HistoryQuery(ListQuery):
    """A history, latest first unless asked otherwise."""

    sort: Literal["-created_at", "created_at"] = "-created_at"


class EventRead(Output):
    """One thing that happened: when, by whom, and which fields went from what to what."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "type": "project.updated",
                    "resource_type": "project",
                    "resource_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                    "revision": 2,
                    "actor_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
                    "token_id": None,
                    "request_id": "0193a0c27d7e7bd09c7b0f6a3b1c2d41",
                    "changes": {"title": ["Access", "Same-day access"]},
                    "created_at": "2018-01-08T09:30:00Z",
                }
            ]
        }
    )

    id: uuid.UUID
    type: str = Field(json_schema_extra={"x-extensible-enum": True})
    resource_type: str
    resource_id: uuid.UUID
    revision: int
    actor_id: uuid.UUID | None
    token_id: uuid.UUID | None
    request_id: str | None
    changes: dict[str, Any] = Field(description="Field name to [old, new].")
    created_at: datetime
