"""Bodies of the team routes."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, ConfigDict, Field

from app.kit.fields import Day, Input, Name, Output, SearchText
from app.kit.pagination import ArchivableQuery, Commas, ListQuery
from app.participants.models import ProfessionalRole
from app.references.schemas import REF_EXAMPLE, ExternalRefs, RefFilter

TeamSort = Literal["name", "-name", "area", "-area", "updated_at", "-updated_at"]
MemberSort = Literal["family_name", "-family_name", "starts_on", "-starts_on"]
_TEAM: dict[str, Any] = {"name": "North Barnet", "area": "North", "coach_id": None, "sponsor": None}
_MEMBER: dict[str, Any] = {
    "participant_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05",
    "is_lead": True,
    "starts_on": "2017-12-07",
}


class TeamBase(Input):
    """What a client may state of a team."""

    name: Name
    area: Name | None = Field(default=None, description="One of the programme's areas, if any.")
    coach_id: uuid.UUID | None = Field(
        default=None, description="The account of the coach, who gets that role in the team."
    )
    sponsor: Name | None = Field(default=None, description="Who stands behind it; a label.")


class TeamCreate(TeamBase):
    """A new team."""

    model_config = ConfigDict(json_schema_extra={"examples": [_TEAM]})


class TeamPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"area": "West"}]})

    name: Name | MISSING = MISSING
    area: Name | None | MISSING = MISSING
    coach_id: uuid.UUID | None | MISSING = MISSING
    sponsor: Name | None | MISSING = MISSING


class TeamRead(Output):
    """A team with the size and make-up that it has now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d04",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
                    **_TEAM,
                    "member_count": 5,
                    "clinician_count": 2,
                    "non_clinician_count": 3,
                    "lead_participant_ids": [_MEMBER["participant_id"]],
                    "external_refs": [REF_EXAMPLE],
                    "created_at": "2017-11-20T09:00:00Z",
                    "updated_at": "2017-12-07T18:00:00Z",
                    "archived_at": None,
                    "revision": 6,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    name: str
    area: str | None
    coach_id: uuid.UUID | None
    sponsor: str | None
    member_count: int = Field(description="Live members, also those who are neither of the two.")
    clinician_count: int
    non_clinician_count: int
    lead_participant_ids: list[uuid.UUID]
    external_refs: ExternalRefs = []
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class TeamQuery(ArchivableQuery):
    """Filters and sorts of the team list."""

    q: SearchText | None = Field(default=None, description="Part of the name.")
    area: list[Name] = Field(default_factory=list, max_length=50)
    external_ref: RefFilter = Field(default_factory=list)
    sort: Annotated[list[TeamSort], Commas] = Field(default_factory=list, max_length=3)


class TeamMemberCreate(Input):
    """A participant who joins a team."""

    model_config = ConfigDict(json_schema_extra={"examples": [_MEMBER]})

    participant_id: uuid.UUID
    is_lead: bool = False
    starts_on: Day


class TeamMemberPatch(Input):
    """The fields to change; what is absent stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_lead": False}]})

    is_lead: Annotated[bool, Field(strict=True)] | MISSING = MISSING


class TeamMemberEnd(Input):
    """When the membership ends."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"ends_on": "2018-03-01"}]})

    ends_on: Day = Field(description="The first day on which the participant is not in the team.")


class TeamMemberRead(Output):
    """A participant's time in a team."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d06",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
                    "team_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d04",
                    **_MEMBER,
                    "given_name": "Ada",
                    "family_name": "Sample",
                    "role": "gp",
                    "clinical": True,
                    "ends_on": None,
                    "is_live": True,
                    "created_at": "2017-12-07T18:00:00Z",
                    "updated_at": "2017-12-07T18:00:00Z",
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    team_id: uuid.UUID
    participant_id: uuid.UUID
    given_name: str
    family_name: str
    role: str = Field(json_schema_extra={"x-extensible-enum": list(ProfessionalRole)})
    clinical: bool | None
    is_lead: bool
    starts_on: Day
    ends_on: Day | None = Field(
        description="The first day without it: its own end or the day after leaving the programme."
    )
    is_live: bool
    created_at: datetime
    updated_at: datetime
    revision: int


class TeamMemberQuery(ListQuery):
    """Filters and sorts of a team's members."""

    live: Literal["true", "false", "any"] = Field(
        default="true", description="Former members are hidden unless asked for."
    )
    sort: Annotated[list[MemberSort], Commas] = Field(default_factory=list, max_length=2)


class TeamBalanceLine(Output):
    """One team's share of the balance."""

    team_id: uuid.UUID
    name: str
    area: str | None
    member_count: int
    clinician_count: int
    non_clinician_count: int
    clinician_share: float | None
    role_coverage: float = Field(description="Share of general practitioner and manager present.")
    practice_concentration: float | None = Field(description="Largest share of one organisation.")
    area_match: float | None = Field(description="Share of members from the team's own area.")


class TeamBalance(Output):
    """How evenly the participants are spread over the teams now. Null: nothing to measure."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02",
                    "team_count": 1,
                    "assigned_count": 5,
                    "unassigned_count": 0,
                    "clinician_count": 2,
                    "non_clinician_count": 3,
                    "size_spread": 0,
                    "clinician_share_dev": 0.0,
                    "role_coverage": 1.0,
                    "practice_concentration": 0.4,
                    "area_match": 1.0,
                    "teams": [
                        {
                            "team_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d04",
                            "name": "North Barnet",
                            "area": "North",
                            "member_count": 5,
                            "clinician_count": 2,
                            "non_clinician_count": 3,
                            "clinician_share": 0.4,
                            "role_coverage": 1.0,
                            "practice_concentration": 0.4,
                            "area_match": 1.0,
                        }
                    ],
                }
            ]
        }
    )

    programme_id: uuid.UUID
    team_count: int
    assigned_count: int = Field(description="Participants who are in a team; the metrics' base.")
    unassigned_count: int
    clinician_count: int
    non_clinician_count: int
    size_spread: int | None = Field(description="Largest less smallest team.")
    clinician_share_dev: float | None = Field(
        description="Largest distance of a team's share of clinicians from that of all teams."
    )
    role_coverage: float | None = Field(
        description="Of each team's general practitioner and practice manager, the share present."
    )
    practice_concentration: float | None = Field(
        description="Largest share that one organisation has in a team."
    )
    area_match: float | None = Field(
        description="Share of members whose organisation is of their team's area."
    )
    teams: list[TeamBalanceLine]
