"""Bodies of the participant routes."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import MISSING, ConfigDict, Field, StringConstraints, model_validator

from app.kit.fields import Day, Email, Input, Name, Output, Prose, SearchText, Storable
from app.kit.pagination import ArchivableQuery, Commas
from app.participants.models import EnrolmentStatus, ProfessionalRole
from app.references.schemas import REF_EXAMPLE, ExternalRefs, RefFilter


class Entry(StrEnum):
    """`late`: joined after the first session."""

    LAUNCH = "launch"
    LATE = "late"


ProfessionalId = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Storable
]
SortField = Literal[
    "family_name", "-family_name", "joined_on", "-joined_on", "updated_at", "-updated_at"
]
_EXAMPLE: dict[str, Any] = {
    "given_name": "Ada",
    "family_name": "Sample",
    "email": "ada.sample@example.org",
    "professional_id": None,
    "first_registered_on": "2012-08-01",
    "gp_qualified_on": "2015-08-05",
    "primary_care_start_on": "2015-09-01",
    "role": "gp",
    "organisation_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d01",
    "joined_on": "2017-12-07",
    "unassigned_reason": None,
    "user_id": None,
}


class ParticipantBase(Input):
    """What a client may state of a participant."""

    given_name: Name
    family_name: Name
    email: Email = Field(description="Stored in lower case; it says which person this is.")
    professional_id: ProfessionalId | None = Field(
        default=None, description="Of the GMC, NMC or GPhC; leave it out unless it is needed."
    )
    first_registered_on: Day | None = None
    gp_qualified_on: Day | None = None
    primary_care_start_on: Day | None = None
    role: ProfessionalRole
    organisation_id: uuid.UUID
    joined_on: Day
    unassigned_reason: Prose | None = Field(default=None, description="Why there is no team yet.")
    user_id: uuid.UUID | None = Field(
        default=None, description="The account that this person logs in with; for administrators."
    )


class ParticipantCreate(ParticipantBase):
    """A new participant."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class ParticipantPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"role": "practice_nurse"}]})

    given_name: Name | MISSING = MISSING
    family_name: Name | MISSING = MISSING
    email: Email | MISSING = MISSING
    professional_id: ProfessionalId | None | MISSING = MISSING
    first_registered_on: Day | None | MISSING = MISSING
    gp_qualified_on: Day | None | MISSING = MISSING
    primary_care_start_on: Day | None | MISSING = MISSING
    role: ProfessionalRole | MISSING = MISSING
    organisation_id: uuid.UUID | MISSING = MISSING
    joined_on: Day | MISSING = MISSING
    unassigned_reason: Prose | None | MISSING = MISSING
    user_id: uuid.UUID | None | MISSING = MISSING


class ParticipantTransition(Input):
    """A step to another status."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"to": "withdrawn", "left_on": "2018-03-01", "withdrawal_reason": "Moved away."}
            ]
        }
    )

    to: EnrolmentStatus
    left_on: Day | None = Field(
        default=None, description="The last day in the programme; needed for the final statuses."
    )
    withdrawal_reason: Annotated[Prose, Field(min_length=1)] | None = Field(
        default=None, description="Needed for `withdrawn`."
    )

    @model_validator(mode="after")
    def _only_where_it_applies(self) -> Self:
        if self.withdrawal_reason is not None and self.to is not EnrolmentStatus.WITHDRAWN:
            raise ValueError("withdrawal_reason goes with withdrawn only")
        return self


class ParticipantRead(Output):
    """A participant. Contact fields are null for those who may not see them."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
                    "person_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d03",
                    "team_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d04",
                    **_EXAMPLE,
                    "contact_visible": True,
                    "clinical": True,
                    "entry": "launch",
                    "organisation_name": "Elmtree Surgery (fictional)",
                    "status": "active",
                    "left_on": None,
                    "withdrawal_reason": None,
                    "external_refs": [REF_EXAMPLE],
                    "created_at": "2017-11-20T09:00:00Z",
                    "updated_at": "2017-12-07T18:00:00Z",
                    "archived_at": None,
                    "revision": 2,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    person_id: uuid.UUID
    team_id: uuid.UUID | None
    given_name: str
    family_name: str
    email: str | None
    professional_id: str | None
    contact_visible: bool = Field(
        description="Whether email, professional_id and withdrawal_reason are shown to you."
    )
    first_registered_on: Day | None
    gp_qualified_on: Day | None
    primary_care_start_on: Day | None
    role: str = Field(json_schema_extra={"x-extensible-enum": list(ProfessionalRole)})
    clinical: bool | None = Field(
        description="Derived from the role: clinician, non-clinician, or null for neither."
    )
    organisation_id: uuid.UUID
    organisation_name: str
    joined_on: Day
    left_on: Day | None
    entry: str = Field(
        description="`late` if joined after the first session.",
        json_schema_extra={"x-extensible-enum": list(Entry)},
    )
    status: str = Field(json_schema_extra={"x-extensible-enum": list(EnrolmentStatus)})
    withdrawal_reason: str | None
    unassigned_reason: str | None
    user_id: uuid.UUID | None
    external_refs: ExternalRefs = []
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class ParticipantQuery(ArchivableQuery):
    """Filters and sorts of the participant list."""

    q: SearchText | None = Field(default=None, description="Part of the name.")
    role: list[ProfessionalRole] = Field(default_factory=list, description="Repeat for 'or'.")
    team_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
    has_team: bool | None = Field(default=None, description="false: who has no team yet.")
    status: list[EnrolmentStatus] = Field(default_factory=list)
    entry: Entry | None = None
    clinical: Literal["true", "false", "null"] | None = Field(
        default=None, description="`null`: neither clinician nor non-clinician."
    )
    external_ref: RefFilter = Field(default_factory=list)
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)


class SummaryCount(Output):
    """How many have one value; `value` null means that it is not known."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"value": "gp", "count": 3}]})

    value: str | None
    count: int


class ParticipantSummary(Output):
    """Counts of a programme's participants, without names."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
                    "total": 13,
                    "by_role": [
                        {"value": "community_pharmacist", "count": 1},
                        {"value": "gp", "count": 3},
                        {"value": "practice_manager", "count": 8},
                        {"value": "practice_nurse", "count": 1},
                    ],
                    "by_clinical": [
                        {"value": "clinician", "count": 5},
                        {"value": "non_clinician", "count": 8},
                    ],
                    "by_area": [
                        {"value": "North", "count": 5},
                        {"value": "South", "count": 4},
                        {"value": "West", "count": 4},
                    ],
                    "by_team": [{"value": None, "count": 13}],
                    "by_entry": [{"value": "launch", "count": 12}, {"value": "late", "count": 1}],
                    "by_status": [{"value": "enrolled", "count": 13}],
                }
            ]
        }
    )

    programme_id: uuid.UUID
    total: int
    by_role: list[SummaryCount]
    by_clinical: list[SummaryCount] = Field(
        description="`clinician`, `non_clinician` and `neither`."
    )
    by_area: list[SummaryCount] = Field(description="Area of the organisation.")
    by_team: list[SummaryCount] = Field(description="Team id; null: no team.")
    by_entry: list[SummaryCount]
    by_status: list[SummaryCount]
