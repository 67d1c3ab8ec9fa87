"""Bodies of the membership routes."""

import uuid
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from app.access.permissions import Role
from app.kit.fields import Day, Email, Input, Output
from app.kit.pagination import Commas, ListQuery

SortField = Literal["starts_on", "-starts_on", "created_at", "-created_at"]
_PLACE = {
    "role": "team_lead",
    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
    "team_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
    "starts_on": "2017-12-07",
    "ends_on": None,
}


class MembershipCreate(Input):
    """A role for a person, named by `user_id` or by `email`.

    A platform_admin has no programme; coach, team_lead and member have a team; the rest have a
    programme only.
    """

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "ada@example.org", **_PLACE}]}
    )

    user_id: uuid.UUID | None = None
    email: Email | None = None
    role: Role
    programme_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None
    starts_on: Day | None = Field(default=None, description="Today, unless stated.")
    ends_on: Day | None = Field(default=None, description="The first day without the role.")

    @model_validator(mode="after")
    def _one_person(self) -> Self:
        if (self.user_id is None) == (self.email is None):
            raise ValueError("give either user_id or email")
        return self


class MembershipEnd(Input):
    """When the role ends."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ends_on": "2018-09-30"}, {}]})

    ends_on: Day | None = Field(
        default=None, description="The first day without the role; today, which ends it at once."
    )


class MembershipUser(Output):
    """Whose role it is."""

    id: uuid.UUID
    email: str
    display_name: str


class MembershipRead(Output):
    """A role of a person, and where and when it holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "user_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                    "user": {
                        "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                        "email": "ada@example.org",
                        "display_name": "Ada Example",
                    },
                    **_PLACE,
                    "enrolment_id": None,
                    "created_at": "2017-12-01T09:30:00Z",
                    "updated_at": "2017-12-01T09:30:00Z",
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    user_id: uuid.UUID
    user: MembershipUser
    role: str = Field(json_schema_extra={"x-extensible-enum": list(Role)})
    programme_id: uuid.UUID | None
    team_id: uuid.UUID | None
    enrolment_id: uuid.UUID | None = Field(description="The enrolment that it follows from.")
    starts_on: Day
    ends_on: Day | None
    created_at: datetime
    updated_at: datetime
    revision: int


class MembershipQuery(ListQuery):
    """Filters and sorts of memberships."""

    role: list[Role] = Field(default_factory=list, description="Repeat for 'or'.")
    held_on: Day | None = Field(default=None, description="Only those that hold on that day.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=2)


class ProgrammeMembershipQuery(MembershipQuery):
    """Filters and sorts of the memberships of a programme."""

    user_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None
