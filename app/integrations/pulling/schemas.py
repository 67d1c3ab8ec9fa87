"""The body that asks for a fetch, and what is read of the other server's catalogue."""

import uuid
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from app.kit.fields import Input, Output

_ID = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"
_PROJECT = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05"


class PullCreate(Input):
    """What to fetch now."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"project_id": _PROJECT}]})

    project_id: uuid.UUID | None = Field(
        default=None,
        description="A project by its id on the other server; null: all that it shares.",
    )


class PullRead(Output):
    """A fetch that was asked for; the projects appear in the programme when it is done."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "integration_id": _ID,
                    "project_id": _PROJECT,
                    "asked_at": "2018-10-01T09:00:00Z",
                }
            ]
        }
    )

    integration_id: uuid.UUID
    project_id: uuid.UUID | None
    asked_at: datetime


class ListedThere(BaseModel):
    """A project of the other server's catalogue; only its identifier is needed."""

    project_id: uuid.UUID


class CatalogueThere(BaseModel):
    """A page of that catalogue."""

    items: Annotated[list[ListedThere], Field(max_length=200)]
    next_cursor: Annotated[str, Field(max_length=2_000)] | None = None


class ProblemThere(BaseModel):
    """A refusal by the other server, as far as it matters."""

    code: str | None = None


def query_of(cursor: str | None) -> dict[str, Any]:
    """The parameters of a page of the catalogue."""
    return {"limit": 200} | ({"cursor": cursor} if cursor else {})
