"""Bodies of the phase routes."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, ConfigDict, Field, StringConstraints

from app.kit.fields import Day, Input, NoPatientIdentifier, Note, Output, Storable
from app.kit.pagination import ArchivableQuery, Commas
from app.measures.models import PhaseReason, PhaseStatus
from app.measures.schemas import BaselinePoints, CycleIds, Flag

Label = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=100),
    Storable,
    NoPatientIdentifier,
]
SortField = Literal["starts_on", "-starts_on", "created_at", "-created_at"]
_ID = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"
_CHECKLIST: dict[str, bool] = {
    "cause_known": True,
    "linked_to_adopted_change": True,
    "sustained": True,
    "expected_to_persist": True,
    "old_limits_no_longer_useful": True,
}
_EXAMPLE: dict[str, Any] = {
    "starts_on": "2018-05-14",
    "label": "Guarded slot in both practices",
    "reason": "change_adopted",
    "reason_text": "The slot has held for a month in both practices.",
    "baseline_points": 12,
    "checklist": _CHECKLIST,
    "pdsa_cycle_ids": [],
}


class PhaseChecklist(Input):
    """What whoever takes lines anew should have asked. A `false` refuses nothing; it is kept."""

    cause_known: Flag = Field(description="Do you know what changed the process?")
    linked_to_adopted_change: Flag = Field(description="Did a PDSA cycle adopt that change?")
    sustained: Flag = Field(description="Has it lasted for eight points or more?")
    expected_to_persist: Flag = Field(description="Do you expect it to last?")
    old_limits_no_longer_useful: Flag = Field(
        description="Do the old limits no longer help to see what comes next?"
    )


class PhaseBase(Input):
    """What a client may state of a phase."""

    starts_on: Day = Field(description="Lines are taken anew from the first point on or after it.")
    label: Label | None = None
    reason: PhaseReason
    reason_text: Note | None = Field(default=None, description="Needed where the reason is other.")
    baseline_points: BaselinePoints | None = Field(
        default=None, description="Points from its start that lines are taken from; null is all."
    )
    checklist: PhaseChecklist | None = None
    pdsa_cycle_ids: CycleIds = Field(default_factory=list)


class PhaseCreate(PhaseBase):
    """A new phase: approved, or put forward for somebody else to approve."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE | {"status": "approved"}]})

    status: Literal[PhaseStatus.APPROVED, PhaseStatus.PROPOSED] = PhaseStatus.APPROVED


class PhasePatch(Input):
    """The fields to change; what is absent stays. A given checklist replaces the one before."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"label": "Both practices"}]})

    starts_on: Day | MISSING = MISSING
    label: Label | None | MISSING = MISSING
    reason: PhaseReason | MISSING = MISSING
    reason_text: Note | None | MISSING = MISSING
    baseline_points: BaselinePoints | None | MISSING = MISSING
    checklist: PhaseChecklist | None | MISSING = MISSING
    pdsa_cycle_ids: CycleIds | MISSING = MISSING


class PhaseTransition(Input):
    """A decision about a phase."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"to": "revoked", "reason": "The locum left; the process went back."}]
        }
    )

    to: PhaseStatus
    reason: Note | None = Field(default=None, description="Needed to decline or to revoke.")
    checklist: PhaseChecklist | None = Field(default=None, description="Kept where it is given.")


class PhaseRead(Output):
    """A phase of a measure. Only an approved one is drawn."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3f",
                    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d40",
                    "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41",
                    **_EXAMPLE,
                    "status": "approved",
                    "decision_reason": None,
                    "decided_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
                    "decided_at": "2018-06-18T09:00:00Z",
                    "detector": None,
                    "candidate_id": None,
                    "created_by": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
                    "created_at": "2018-06-18T09:00:00Z",
                    "updated_at": "2018-06-18T09:00:00Z",
                    "archived_at": None,
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    project_id: uuid.UUID
    measure_id: uuid.UUID
    starts_on: Day
    label: str | None
    reason: str = Field(json_schema_extra={"x-extensible-enum": list(PhaseReason)})
    reason_text: str | None
    baseline_points: int | None
    status: str = Field(json_schema_extra={"x-extensible-enum": list(PhaseStatus)})
    decision_reason: str | None = Field(description="Why it was approved, declined or revoked.")
    decided_by: uuid.UUID | None
    decided_at: datetime | None
    detector: str | None = Field(description="What computed the proposal; null: a person.")
    candidate_id: str | None = Field(description="The rebase candidate that it answers.")
    checklist: PhaseChecklist | None
    pdsa_cycle_ids: list[uuid.UUID]
    created_by: uuid.UUID | None
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class PhaseQuery(ArchivableQuery):
    """Filters and sorts of a measure's phases."""

    status: list[PhaseStatus] = Field(default_factory=list, description="Repeat for 'or'.")
    reason: list[PhaseReason] = Field(default_factory=list, description="Repeat for 'or'.")
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=2)
