"""Bodies of the job routes."""

import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from app.kit.fields import Output
from app.kit.pagination import Commas, ListQuery
from app.operations.schemas import Label


def _instant(value: Any) -> Any:
    return datetime.fromtimestamp(value / 1000, UTC) if isinstance(value, int) else value


Milliseconds = Annotated[datetime, BeforeValidator(_instant)]
_WORK: dict[str, Any] = {
    "queue": "mail",
    "kind": "mail.send",
    "lane": "",
    "programme_id": None,
    "args": {"letter": "endpoint_disabled", "ids": {}},
}


class _WorkRead(Output):
    """What is to be done. `args` holds ids and scalars, never names of people."""

    queue: str
    kind: str
    lane: str = Field(description="Jobs of one lane share a limit of how many run at once.")
    programme_id: uuid.UUID | None
    args: dict[str, Any]
    attempt: int = Field(description="How often it was begun.")
    error: str | None = Field(description="What went wrong the last time.")
    created_at: Milliseconds


class JobRead(_WorkRead):
    """A job that waits or runs; a job that is done is gone."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_WORK,
                    "state": "waiting",
                    "run_at": "2018-01-08T09:32:00Z",
                    "worker": None,
                    "attempt": 1,
                    "error": "The mail server did not take the letter (SMTPConnectError).",
                    "created_at": "2018-01-08T09:30:00Z",
                }
            ]
        }
    )

    state: Literal["waiting", "running"]
    run_at: Milliseconds = Field(
        description="When it is due; of a running job, when another worker would take it over."
    )
    worker: str | None = Field(description="The process that runs it.")


class DeadJobRead(_WorkRead):
    """A job that was given up. It is kept for 30 days."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    **_WORK,
                    "attempt": 8,
                    "error": "The mail server refused the letter (550).",
                    "created_at": "2018-01-08T09:30:00Z",
                    "died_at": "2018-01-09T09:30:00Z",
                }
            ]
        }
    )

    id: uuid.UUID
    died_at: Milliseconds


class _WorkQuery(ListQuery):
    queue: Label | None = Field(default=None, description="Such as `webhook` or `mail`.")
    kind: Label | None = Field(default=None, description="Such as `event.dispatch`.")


class JobQuery(_WorkQuery):
    """Filters and sorts of jobs."""

    state: Literal["waiting", "running", "any"] = "any"
    sort: Annotated[list[Literal["run_at", "-run_at", "created_at", "-created_at"]], Commas] = (
        Field(default_factory=list, max_length=2)
    )


class DeadJobQuery(_WorkQuery):
    """Filters and sorts of dead jobs."""

    sort: Annotated[list[Literal["died_at", "-died_at", "created_at", "-created_at"]], Commas] = (
        Field(default_factory=list, max_length=2)
    )
