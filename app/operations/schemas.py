"""How long work reads, and what a list of it can be filtered by."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.kit.fields import Output
from app.kit.pagination import ListQuery
from app.operations.models import Operation, OperationState

# What work and jobs are called, and the queues of jobs.
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.]{1,64}$")]


class OperationProgress(Output):
    """How much of how much is done; `total` is null while it is unknown."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"done": 12_500, "total": 100_000}]})

    done: int
    total: int | None


class OperationRead(Output):
    """Long work. Ask again after `Retry-After` seconds until the state is one of the last three."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "kind": "data_points.import",
                    "state": "running",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
                    "owner_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41",
                    "progress": {"done": 12_500, "total": 100_000},
                    "result": None,
                    "result_url": None,
                    "error": None,
                    "cancel_asked_at": None,
                    "created_at": "2018-01-08T09:30:00Z",
                    "started_at": "2018-01-08T09:30:01Z",
                    "finished_at": None,
                    "expires_at": "2018-01-15T09:30:00Z",
                    "revision": 27,
                }
            ]
        }
    )

    id: uuid.UUID
    kind: str = Field(json_schema_extra={"x-extensible-enum": True})
    state: str = Field(json_schema_extra={"x-extensible-enum": list(OperationState)})
    programme_id: uuid.UUID
    project_id: uuid.UUID | None
    owner_id: uuid.UUID
    progress: OperationProgress
    result: dict[str, Any] | None = Field(description="What came of it; the kind says what.")
    result_url: str | None
    error: dict[str, Any] | None = Field(description="Why it failed: a problem as in any answer.")
    cancel_asked_at: datetime | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime = Field(description="Forgotten after that, seven days from its end.")
    revision: int

    @classmethod
    def of(cls, row: Operation) -> "OperationRead":
        """The operation as it stands."""
        progress = {"done": row.done, "total": row.total}
        return cls.model_validate(row.model_dump() | {"progress": progress})


class OperationQuery(ListQuery):
    """Filters and sorts of operations."""

    state: list[OperationState] = Field(default_factory=list, description="Repeat for 'or'.")
    kind: Label | None = Field(default=None, description="Such as `data_points.import`.")
    programme_id: uuid.UUID | None = None
    project_id: uuid.UUID | None = None
    sort: Literal["-created_at", "created_at"] = "-created_at"
