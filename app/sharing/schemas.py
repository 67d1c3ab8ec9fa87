"""Bodies of the release routes."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.kit.fields import Input, NoPatientIdentifier, Note, Output, Storable
from app.kit.pagination import ListQuery
from app.measures.schemas import Flag
from app.sharing.models import Audience, ReleaseState

LICENSES = ("CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC0-1.0", "OGL-UK-3.0")
License = Literal["CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "CC0-1.0", "OGL-UK-3.0"]
Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    Storable,
    NoPatientIdentifier,
]
_EXAMPLE: dict[str, Any] = {
    "audience": "public",
    "license": "CC-BY-4.0",
    "note": "Agreed with the team and with both practices.",
}
_ACCEPTED = "Requests are counted, not patients; both practices agree."
_READ_EXAMPLE: dict[str, Any] = {
    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d03",
    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05",
    **_EXAMPLE,
    "state": "published",
    "small_numbers": {
        "up_to": 7,
        "points": 3,
        "measures": [{"measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d07", "points": 3}],
        "accepted": True,
        "accepted_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d09",
        "reason": _ACCEPTED,
    },
    "released_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d09",
    "released_at": "2018-09-30T09:00:00Z",
    "withdrawn_by": None,
    "withdrawn_at": None,
    "withdrawal_reason": None,
    "revision": 1,
}


class ReleaseCreate(Input):
    """A project for an audience beyond its team."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _EXAMPLE | {"accept_small_numbers": True, "small_numbers_reason": _ACCEPTED}
            ]
        }
    )

    audience: Literal[Audience.PROGRAMME, Audience.NETWORK, Audience.PUBLIC] = Field(
        description="Everybody in the programme; whoever can log in here; everybody."
    )
    license: License = Field(default="CC-BY-4.0", description="An SPDX identifier.")
    note: Note | None = None
    accept_small_numbers: Flag = Field(
        default=False, description="Show counts from 1 to 7; otherwise they stop a wide release."
    )
    small_numbers_reason: Reason | None = Field(
        default=None, description="Needed to accept small numbers; kept with your name."
    )


class WithdrawalCreate(Input):
    """Why a release ends."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "One practice no longer agrees."}]}
    )

    reason: Reason


class SmallMeasureRead(Output):
    """How many points of a measure hold small numbers."""

    measure_id: uuid.UUID
    points: int


class SmallNumbersRead(Output):
    """What the check of small numbers found when the project was released, and who accepted it."""

    up_to: int = Field(description="A count from 1 to this is small.")
    points: int
    measures: list[SmallMeasureRead]
    accepted: bool = Field(description="If not, small numbers are left out of what is shared.")
    accepted_by: uuid.UUID | None
    reason: str | None


class ReleaseRead(Output):
    """A project given to an audience."""

    model_config = ConfigDict(json_schema_extra={"examples": [_READ_EXAMPLE]})

    id: uuid.UUID
    programme_id: uuid.UUID
    project_id: uuid.UUID
    audience: str = Field(json_schema_extra={"x-extensible-enum": list(Audience)})
    state: str = Field(json_schema_extra={"x-extensible-enum": list(ReleaseState)})
    license: str = Field(json_schema_extra={"x-extensible-enum": list(LICENSES)})
    note: str | None
    small_numbers: SmallNumbersRead
    released_by: uuid.UUID
    released_at: datetime
    withdrawn_by: uuid.UUID | None
    withdrawn_at: datetime | None
    withdrawal_reason: str | None
    revision: int


class ReleaseQuery(ListQuery):
    """Filters of a project's releases."""

    state: list[ReleaseState] = Field(default_factory=list, description="Repeat for 'or'.")
