"""Bodies of the programme routes."""

import uuid
import zoneinfo
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import MISSING, AfterValidator, ConfigDict, Field, model_validator

from app import spc
from app.kit.fields import Day, Input, Name, Output, Prose, SearchText
from app.kit.pagination import ArchivableQuery, Commas
from app.programmes.models import Confidentiality, ProgrammeState


def _known_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError("give an IANA time zone such as Europe/London")
    return name


def _known_rule_set(name: str) -> str:
    if name not in spc.RULE_SETS:
        raise ValueError(f"choose one of {', '.join(spc.RULE_SETS)}")
    return name


TimeZone = Annotated[Name, AfterValidator(_known_zone)]
Areas = Annotated[list[Name], Field(max_length=50)]
Capacity = Annotated[int, Field(ge=1, le=10_000, strict=True)]
SessionTarget = Annotated[int, Field(ge=1, le=100, strict=True)]
RuleSetName = Annotated[
    str,
    Field(max_length=32, json_schema_extra={"enum": list(spc.RULE_SETS)}),
    AfterValidator(_known_rule_set),
]
SortField = Literal["title", "-title", "starts_on", "-starts_on", "updated_at", "-updated_at"]
_EXAMPLE: dict[str, Any] = {
    "title": "Barnet quality improvement programme",
    "description": "Nine months, eight half-day sessions, teams by area.",
    "commissioner_org_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
    "provider_org_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
    "starts_on": "2017-12-07",
    "ends_on": "2018-09-30",
    "timezone": "Europe/London",
    "areas": ["North", "West", "South"],
    "capacity": 15,
    "session_target": 8,
    "rule_set": "mdc",
    "confidentiality": "internal",
    "retention_ends_on": None,
}


class ProgrammeBase(Input):
    """What a client may state of a programme."""

    title: Name
    description: Prose | None = None
    commissioner_org_id: uuid.UUID
    provider_org_id: uuid.UUID
    starts_on: Day
    ends_on: Day
    timezone: TimeZone = "Europe/London"
    areas: Areas = Field(default_factory=list)
    capacity: Capacity | None = None
    session_target: SessionTarget = 8
    rule_set: RuleSetName | None = Field(default=None, description="Default of its measures.")
    confidentiality: Confidentiality = Confidentiality.INTERNAL
    retention_ends_on: Day | None = Field(
        default=None, description="When personal data are to be erased; needed to close."
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.ends_on < self.starts_on:
            raise ValueError("ends_on must not lie before starts_on")
        if self.commissioner_org_id == self.provider_org_id:
            raise ValueError("commissioner and provider must be two organisations")
        return self


class ProgrammeCreate(ProgrammeBase):
    """A new programme, in draft."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class ProgrammePatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"capacity": 16}]})

    title: Name | MISSING = MISSING
    description: Prose | None | MISSING = MISSING
    commissioner_org_id: uuid.UUID | MISSING = MISSING
    provider_org_id: uuid.UUID | MISSING = MISSING
    starts_on: Day | MISSING = MISSING
    ends_on: Day | MISSING = MISSING
    timezone: TimeZone | MISSING = MISSING
    areas: Areas | MISSING = MISSING
    capacity: Capacity | None | MISSING = MISSING
    session_target: SessionTarget | MISSING = MISSING
    rule_set: RuleSetName | None | MISSING = MISSING
    confidentiality: Confidentiality | MISSING = MISSING
    retention_ends_on: Day | None | MISSING = MISSING


class ProgrammeRead(Output):
    """A programme. Its purpose is improvement; the data are not for performance management."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    **_EXAMPLE,
                    "purpose": "improvement",
                    "state": "running",
                    "first_session_on": "2017-12-07",
                    "created_at": "2017-11-01T09:00:00Z",
                    "updated_at": "2017-12-07T18:00:00Z",
                    "archived_at": None,
                    "revision": 4,
                }
            ]
        }
    )

    id: uuid.UUID
    title: str
    description: str | None
    commissioner_org_id: uuid.UUID
    provider_org_id: uuid.UUID
    starts_on: Day
    ends_on: Day
    timezone: str
    areas: list[str]
    capacity: int | None
    session_target: int
    rule_set: str | None
    confidentiality: str = Field(json_schema_extra={"x-extensible-enum": list(Confidentiality)})
    purpose: Literal["improvement"] = "improvement"
    state: str = Field(json_schema_extra={"x-extensible-enum": list(ProgrammeState)})
    first_session_on: Day | None = Field(description="Derived; who joins after it joins late.")
    retention_ends_on: Day | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class ProgrammeQuery(ArchivableQuery):
    """Filters and sorts of the programme list."""

    q: SearchText | None = Field(default=None, description="Part of the title.")
    state: list[ProgrammeState] = Field(default_factory=list, description="Repeat for 'or'.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
