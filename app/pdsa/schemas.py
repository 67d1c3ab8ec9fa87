"""Bodies of the routes of PDSA cycles."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import MISSING, ConfigDict, Field

from app.kit.fields import Input, Line, Name, Output, SearchText
from app.kit.pagination import ArchivableQuery, Commas
from app.pdsa.models import CycleState, Purpose
from app.pdsa.stages import (
    Act,
    ActPatch,
    ActRead,
    Do,
    DoPatch,
    DoRead,
    Entry,
    Plan,
    PlanPatch,
    PlanRead,
    Study,
    StudyPatch,
    StudyRead,
)
from app.references.schemas import REF_EXAMPLE, ExternalRefs, RefFilter

StageName = Literal["plan", "do", "study", "act"]
SortField = Literal[
    "created_at", "-created_at", "updated_at", "-updated_at", "cycle_no", "-cycle_no"
]
_PREDICTION = {
    "text": "Eight of ten requests of that doctor will be ready the same day",
    "because": "requests now wait for a gap between patients",
    "measure_id": None,
    "expected_value": None,
    "expected_low": 0.7,
    "expected_high": 0.9,
    "confidence": 0.6,
}
_PLAN: dict[str, Any] = {
    "objective": "Find out whether a fixed signing slot shortens the wait",
    "questions": ["Does a slot at eleven clear the morning's requests?"],
    "predictions": [_PREDICTION],
    "test_scale": "one_clinician",
    "where": "Elmtree Surgery (fictional)",
    "when_start": "2018-03-05",
    "when_end": "2018-03-16",
    "who": ["Reception", "Dr Example"],
    "tasks": ["Tell reception about the slot"],
    "data_plan": {
        "measure_id": None,
        "observation": "Requests ready by the evening",
        "who": "Reception",
        "how": "Tally sheet",
        "when": "Every evening",
    },
    "safety_check": "Urgent requests are signed at once, as before.",
}
_ID = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"
_NEW: dict[str, Any] = {
    "title": "Morning slot for signing, one doctor",
    "purpose": "test_change",
    "previous_cycle_id": None,
}


class PDSACycleBase(Input):
    """What a client may state of a cycle; each stage only while it is open."""

    title: Name
    purpose: Purpose
    plan: Plan
    do: Do
    study: Study
    act: Act


class PDSACycleCreate(Input):
    """A new cycle, planned. After `previous_cycle_id` it goes on with that cycle's ramp."""

    model_config = ConfigDict(json_schema_extra={"examples": [_NEW | {"plan": _PLAN}]})

    title: Name
    purpose: Purpose
    previous_cycle_id: uuid.UUID | None = Field(
        default=None, description="What the plan leaves out is copied from it, but for its dates."
    )
    plan: Plan = Field(default_factory=Plan)


class PDSACyclePatch(Input):
    """The fields to change; what is absent stays. Of the stages, only the open one."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"do": {"observations": ["Nine of ten were ready."]}}]}
    )

    title: Name | MISSING = MISSING
    purpose: Purpose | MISSING = MISSING
    plan: PlanPatch | MISSING = MISSING
    do: DoPatch | MISSING = MISSING
    study: StudyPatch | MISSING = MISSING
    act: ActPatch | MISSING = MISSING


class PDSACycleTransition(Input):
    """A step forward, or `cancelled` with a reason."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "doing"}]})

    to: CycleState
    reason: Entry | None = Field(default=None, description="Needed to cancel.")
    override_reason: Entry | None = Field(
        default=None, description="Why to go on although something is missing; kept in the history."
    )


class AmendmentCreate(Input):
    """A correction of a stage that is closed. What stood there stays."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "stage": "do",
                    "field": "observations",
                    "text": "Eight of ten were ready, not nine.",
                    "reason": "One request was counted twice.",
                }
            ]
        }
    )

    stage: StageName
    field: Line = Field(description="A field of the stage.")
    text: Entry
    reason: Entry


class AmendmentRead(Output):
    """A correction, by whom and when."""

    stage: str
    field: str
    text: str
    reason: str
    author_id: uuid.UUID
    at: datetime


class PDSACycleRead(Output):
    """A Plan-Do-Study-Act cycle."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ID,
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d03",
                    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d05",
                    **_NEW,
                    "ramp_id": _ID,
                    "cycle_no": 1,
                    "ramp_length": 3,
                    "state": "planned",
                    "is_stalled": False,
                    "plan": _PLAN | {"predictions": [_PREDICTION | {"id": _ID}]},
                    "do": DoRead().model_dump(),
                    "study": StudyRead().model_dump(),
                    "act": ActRead().model_dump(),
                    "amendments": [],
                    "predictions_hash": None,
                    "cancel_reason": None,
                    "started_at": None,
                    "studied_at": None,
                    "closed_at": None,
                    "external_refs": [REF_EXAMPLE],
                    "created_at": "2018-03-01T09:00:00Z",
                    "updated_at": "2018-03-01T09:00:00Z",
                    "archived_at": None,
                    "revision": 1,
                }
            ]
        }
    )

    id: uuid.UUID
    programme_id: uuid.UUID
    project_id: uuid.UUID
    ramp_id: uuid.UUID = Field(description="The series of cycles that it belongs to.")
    cycle_no: int = Field(description="From 1, without gaps in the ramp.")
    ramp_length: int = Field(description="Cycles in the ramp today; derived.")
    previous_cycle_id: uuid.UUID | None
    title: str
    purpose: str = Field(json_schema_extra={"x-extensible-enum": list(Purpose)})
    state: str = Field(json_schema_extra={"x-extensible-enum": list(CycleState)})
    is_stalled: bool = Field(description="Still doing although when_end is past; derived.")
    plan: PlanRead
    do: DoRead
    study: StudyRead
    act: ActRead
    amendments: list[AmendmentRead]
    predictions_hash: str | None = Field(
        description="SHA-256 of the predictions as canonical JSON, from when the cycle started."
    )
    cancel_reason: str | None
    started_at: datetime | None = Field(description="When it went from planned to doing.")
    studied_at: datetime | None = Field(description="When the study was done.")
    closed_at: datetime | None
    external_refs: ExternalRefs = []
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None
    revision: int


class PDSACycleQuery(ArchivableQuery):
    """Filters and sorts of a project's cycles."""

    q: SearchText | None = Field(default=None, description="Part of the title.")
    state: list[CycleState] = Field(default_factory=list, description="Repeat for 'or'.")
    purpose: list[Purpose] = Field(default_factory=list)
    ramp_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
    external_ref: RefFilter = Field(default_factory=list)
    sort: Annotated[list[SortField], Commas] = Field(default_factory=list, max_length=3)
