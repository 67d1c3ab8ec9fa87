"""Bodies of the personal token routes."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.access.permissions import SCOPES
from app.kit.fields import Input, Name, Output
from app.kit.pagination import Commas, ListQuery

_KNOWN = sorted(SCOPES)
SortField = Literal[
    "name", "-name", "created_at", "-created_at", "expires_at", "-expires_at", "-last_used_at"
]


def _known_scope(scope: str) -> str:
    if scope not in SCOPES:
        raise PydanticCustomError(
            "unknown_scope", "There is no such scope; there are {known}.", {"known": _KNOWN}
        )
    return scope


Scope = Annotated[
    str, AfterValidator(_known_scope), WithJsonSchema({"type": "string", "enum": _KNOWN})
]
_EXAMPLE: dict[str, Any] = {
    "name": "Practice system, weekly export",
    "scopes": ["data_point:write", "measure:read"],
    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
}
_READ_EXAMPLE: dict[str, Any] = {
    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
    **_EXAMPLE,
    "hint": "x7Qa",
    "created_at": "2018-01-08T09:30:00Z",
    "expires_at": "2018-04-08T09:30:00Z",
    "last_used_at": None,
    "revoked_at": None,
    "revision": 1,
}


class PersonalTokenCreate(Input):
    """A new token. It never does more than you may at the time, nor more than its scopes."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "expires_in_days": 90}]})

    name: Name = Field(description="What uses it, so that you know what breaks if you revoke it.")
    scopes: list[Scope] = Field(min_length=1, max_length=len(_KNOWN))
    expires_in_days: int = Field(ge=1, le=365, strict=True)
    programme_id: uuid.UUID | None = Field(
        default=None, description="The only programme that it opens; null: all of yours."
    )


class PersonalTokenRead(Output):
    """A token without its secret, which is stored nowhere."""

    model_config = ConfigDict(json_schema_extra={"examples": [_READ_EXAMPLE]})

    id: uuid.UUID
    name: str
    scopes: list[str]
    programme_id: uuid.UUID | None
    hint: str = Field(description="The last four characters of the secret.")
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = Field(description="Noted every ten minutes at most.")
    revoked_at: datetime | None
    revision: int


class PersonalTokenCreated(PersonalTokenRead):
    """A new token with its secret, which is shown this once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    **_READ_EXAMPLE,
                    "secret": "qipat_shown-once-and-stored-nowhere",
                }
            ]
        }
    )

    secret: str = Field(description="Send it as `Authorization: Bearer <secret>`.")


class PersonalTokenQuery(ListQuery):
    """Filters and sorts of your tokens."""

    state: Literal["live", "ended", "any"] = Field(
        default="live", description="`ended`: revoked or expired."
    )
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
