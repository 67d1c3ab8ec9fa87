"""Bodies of the user routes."""

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import MISSING, ConfigDict, Field

from app.identity.models import UserState
from app.identity.schemas import NewPassword
from app.kit.fields import Email, Input, Instant, Name, Output, SearchText
from app.kit.pagination import Commas, ListQuery

SortField = Literal[
    "email",
    "-email",
    "display_name",
    "-display_name",
    "created_at",
    "-created_at",
    "updated_at",
    "-updated_at",
]
_EXAMPLE = {"email": "ada@example.org", "display_name": "Ada Example"}


class UserBase(Input):
    """What an administrator may state of a person."""

    email: Email
    display_name: Name


class UserCreate(UserBase):
    """A new person. Tell them the password by another way, and to change it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**_EXAMPLE, "password": "four quiet herons wading"}]}
    )

    password: NewPassword


class UserPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"display_name": "Ada Sample"}]})

    email: Email | MISSING = MISSING
    display_name: Name | MISSING = MISSING


class UserTransition(Input):
    """Whether the person may log in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "disabled"}]})

    to: UserState


class PasswordSet(Input):
    """A new password for somebody who has lost theirs."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"password": "four quiet herons wading"}]}
    )

    password: NewPassword


class UserRead(Output):
    """A person who can log in."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    **_EXAMPLE,
                    "state": "active",
                    "disabled_at": None,
                    "created_at": "2017-11-01T09:00:00Z",
                    "updated_at": "2017-11-01T09:00:00Z",
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    email: str
    display_name: str
    state: str = Field(json_schema_extra={"x-extensible-enum": list(UserState)})
    disabled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    revision: int


class UserQuery(ListQuery):
    """Filters and sorts of the user list."""

    q: SearchText | None = Field(default=None, description="Part of the address or the name.")
    is_active: bool | None = Field(default=None, description="Whether they may log in.")
    updated_since: Instant | None = Field(default=None, description="Changed at or after.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
