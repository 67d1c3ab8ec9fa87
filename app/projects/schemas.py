"""Bodies of the project routes."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, ConfigDict, Field, StringConstraints, computed_field

from app.kit.fields import Day, Input, Line, Name, Number, Output, Prose, SearchText, Storable
from app.kit.pagination import ArchivableQuery, Commas
from app.projects import aims
from app.projects.aims import Aim, AimDirection, ChangeKind
from app.projects.models import PatientInvolvement, ProjectState, Visibility
from app.references.schemas import REF_EXAMPLE, ExternalRefs, RefFilter

Tag = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64), Storable
]
Tags = Annotated[list[Tag], Field(max_length=50)]
SortField = Literal["title", "-title", "created_at", "-created_at", "updated_at", "-updated_at"]
_AIM = {
    "what": "repeat prescriptions ready within 48 hours",
    "for_whom": "patients of the two northern practices",
    "baseline_value": 62,
    "target_value": 85,
    "unit": "%",
    "direction": "increase",
    "by_when": "2018-09-30",
    "measure_id": None,
    "change_kind": "percentage_points",
}
_EXAMPLE: dict[str, Any] = {
    "team_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d04",
    "title": "Repeat prescriptions ready within 48 hours",
    "problem": "Four in ten repeat prescriptions wait longer than patients are told.",
    "rationale": "Requests now wait for a gap between patients.",
    "scope_in": "Repeat prescriptions of both practices",
    "scope_out": "Acute prescriptions",
    "aim": _AIM,
    "area": "North",
    "tags": ["prescribing"],
    "start_on": "2018-01-08",
    "patient_involvement": "consulted",
}


class ProjectBase(Input):
    """What a client may state of a project."""

    team_id: uuid.UUID | None = Field(default=None, description="The team that owns it.")
    title: Name
    problem: Prose | None = None
    rationale: Prose | None = None
    scope_in: Prose | None = None
    scope_out: Prose | None = None
    aim: Aim | None = None
    area: Name | None = None
    tags: Tags = Field(default_factory=list)
    start_on: Day | None = None
    patient_involvement: PatientInvolvement = PatientInvolvement.NONE


class ProjectCreate(ProjectBase):
    """A new project, an idea as yet."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})


class AimPatch(Input):
    """The parts of the aim to change; what is absent stays, null empties."""

    what: Line | None | MISSING = MISSING
    for_whom: Line | None | MISSING = MISSING
    baseline_value: Number | None | MISSING = MISSING
    target_value: Number | None | MISSING = MISSING
    unit: Name | None | MISSING = MISSING
    direction: AimDirection | None | MISSING = MISSING
    by_when: Day | None | MISSING = MISSING
    measure_id: uuid.UUID | None | MISSING = MISSING
    change_kind: ChangeKind | None | MISSING = MISSING


class ProjectPatch(Input):
    """The fields to change; what is absent stays. The aim merges part by part."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "aim": {"target_value": 90},
                    "aim_change_reason": "The first target was reached in April.",
                }
            ]
        }
    )

    team_id: uuid.UUID | None | MISSING = MISSING
    title: Name | MISSING = MISSING
    problem: Prose | None | MISSING = MISSING
    rationale: Prose | None | MISSING = MISSING
    scope_in: Prose | None | MISSING = MISSING
    scope_out: Prose | None | MISSING = MISSING
    aim: AimPatch | None | MISSING = MISSING
    area: Name | None | MISSING = MISSING
    tags: Tags | MISSING = MISSING
    start_on: Day | None | MISSING = MISSING
    patient_involvement: PatientInvolvement | MISSING = MISSING
    aim_change_reason: Line | MISSING = Field(
        default=MISSING, description="Needed to change the aim once the baseline is being measured."
    )


class AimRead(Output):
    """An aim."""

    what: str | None = None
    for_whom: str | None = None
    baseline_value: float | None = None
    target_value: float | None = None
    unit: str | None = None
    direction: str | None = Field(
        default=None, json_schema_extra={"x-extensible-enum": list(AimDirection)}
    )
    by_when: Day | None = None
    measure_id: uuid.UUID | None = None
    change_kind: str | None = Field(
        default=None, json_schema_extra={"x-extensible-enum": list(ChangeKind)}
    )


class ProjectProvenance(Output):
    """Where a project came from that another server shares; it is read-only here."""

    source: str = Field(description="Address of that server.")
    source_project_id: uuid.UUID
    source_release_id: uuid.UUID
    license: str = Field(description="An SPDX identifier.")
    received_at: datetime
    fetched_at: datetime = Field(description="When that server was last asked with success.")
    withdrawn_at: datetime | None = Field(description="Since when it is no longer shared there.")


class ProjectRead(Output):
    """An improvement project."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d03",
                    **_EXAMPLE,
                    "visibility": "team",
                    "state": "testing",
                    "paused_from": None,
                    "pause_reason": None,
                    "review_on": None,
                    "stop_reason": None,
                    "learning": None,
                    "created_at": "2018-01-08T09:00:00Z",
                    "updated_at": "2018-03-05T12:00:00Z",
                    "archived_at": None,
                    "revision": 5,
                    "provenance": None,
                    "aim_statement": aims.statement_of(Aim.model_validate(_AIM)),
                    "aim_missing": [],
                    "external_refs": [REF_EXAMPLE],
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    team_id: uuid.UUID | None
    title: str
    problem: str | None
    rationale: str | None
    scope_in: str | None
    scope_out: str | None
    aim: AimRead | None
    area: str | None
    tags: list[str]
    start_on: Day | None
    patient_involvement: str = Field(
        json_schema_extra={"x-extensible-enum": list(PatientInvolvement)}
    )
    visibility: str = Field(json_schema_extra={"x-extensible-enum": list(Visibility)})
    state: str = Field(json_schema_extra={"x-extensible-enum": list(ProjectState)})
    paused_from: str | None = Field(description="The state that it goes back to.")
    pause_reason: str | None
    review_on: Day | None = Field(description="When the pause is to be looked at again.")
    stop_reason: str | None
    learning: str | None = Field(description="What a stopped project taught.")
    external_refs: ExternalRefs = []
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int
    provenance: ProjectProvenance | None = Field(
        default=None, description="Null: a project of this server."
    )

    @computed_field(  # type: ignore[prop-decorator]
        description="The aim as a sentence; null while it is incomplete."
    )
    @property
    def aim_statement(self) -> str | None:
        return aims.statement_of(self._aim())

    @computed_field(  # type: ignore[prop-decorator]
        description="Parts of the aim that a charter needs and that are empty."
    )
    @property
    def aim_missing(self) -> list[str]:
        return aims.missing_of(self._aim())

    def _aim(self) -> Aim | None:
        return None if self.aim is None else Aim.model_validate(self.aim, from_attributes=True)


class ProjectQuery(ArchivableQuery):
    """Filters and sorts of a programme's projects."""

    q: SearchText | None = Field(default=None, description="Part of the title.")
    team_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
    state: list[ProjectState] = Field(default_factory=list, description="Repeat for 'or'.")
    area: list[Name] = Field(default_factory=list, max_length=50)
    tag: list[Tag] = Field(default_factory=list, max_length=50, description="Has any of these.")
    external_ref: RefFilter = Field(default_factory=list)
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)


class AllProjectsQuery(ProjectQuery):
    """Filters and sorts of the list across programmes."""

    programme_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
