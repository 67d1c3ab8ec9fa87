"""Rebase candidates as they are answered, and the decision about one."""

import uuid
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from app.kit.fields import Day, Input, NoPatientIdentifier, Output, Storable
from app.measures.models import PhaseReason
from app.measures.phases.schemas import Label, PhaseChecklist
from app.measures.schemas import BaselinePoints, CycleIds

Reason = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000),
    Storable,
    NoPatientIdentifier,
]
_QUESTIONS: list[dict[str, Any]] = [
    {"code": name, "text": field.description} for name, field in PhaseChecklist.model_fields.items()
]


class RebaseChoice(StrEnum):
    """What becomes of a candidate."""

    ACCEPT = "accept"
    PROPOSE = "propose"
    DECLINE = "decline"


class RebaseDecision(Input):
    """A decision about a candidate, with its reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "decision": "accept",
                    "reason": "The guarded slot is the way both practices work now.",
                    "label": "Guarded slot in both practices",
                    "phase_reason": "change_adopted",
                    "baseline_points": 12,
                    "checklist": dict.fromkeys(PhaseChecklist.model_fields, True),
                    "pdsa_cycle_ids": [],
                }
            ]
        }
    )

    decision: RebaseChoice = Field(description="`propose` leaves it to somebody who leads.")
    reason: Reason
    label: Label | None = None
    phase_reason: PhaseReason = PhaseReason.CHANGE_ADOPTED
    baseline_points: BaselinePoints | None = Field(
        default=None, description="Null: the points that the candidate's limits come from."
    )
    checklist: PhaseChecklist | None = Field(default=None, description="Needed to accept.")
    pdsa_cycle_ids: CycleIds = Field(default_factory=list)


class RebaseLevel(Output):
    """Centre and limits at the point where the phase would start, in the displayed unit."""

    centre: float | None
    lower_limit: float | None
    upper_limit: float | None


class RebaseStretch(Output):
    """Some points of the series."""

    starts_on: Day
    ends_on: Day = Field(description="First day of its last period.")
    points: int = Field(description="Those with a value that are not excluded.")


class RebaseQuestion(Output):
    """A question to ask before lines are taken anew."""

    code: str = Field(description="The field of the checklist that holds the answer.")
    text: str
    answer: bool | None = Field(description="Where the data answer it.")


class RebaseCandidate(Output):
    """Where a new phase may be due. Nothing changes before somebody decides."""

    id: str = Field(description="Stays the same while points are appended.")
    starts_on: Day = Field(description="The phase that it proposes.")
    direction: str = Field(description="`high` or `low`: where the process went.")
    meaning: str = Field(description="`improvement`, `concern` or `neither`.")
    run: RebaseStretch = Field(description="The run on one side of the centre, as far as it goes.")
    limits_from: RebaseStretch = Field(description="The points that the new limits come from.")
    baseline_points: int = Field(description="Their number of rows, gaps and ghosts included.")
    before: RebaseLevel
    after: RebaseLevel
    questions: list[RebaseQuestion]
    phase_id: uuid.UUID | None = Field(description="The phase that was put forward for it.")


class RebaseCandidates(Output):
    """What the detector proposes for a measure today: one shift after the other, so one at most."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41",
                    "detector": "stable_shift/1",
                    "run_length": 8,
                    "period_points": 12,
                    "items": [
                        {
                            "id": "7d1f0c52a94be803",
                            "starts_on": "2018-04-16",
                            "direction": "high",
                            "meaning": "improvement",
                            "run": {
                                "starts_on": "2018-04-16",
                                "ends_on": "2018-09-03",
                                "points": 21,
                            },
                            "limits_from": {
                                "starts_on": "2018-04-16",
                                "ends_on": "2018-07-02",
                                "points": 12,
                            },
                            "baseline_points": 12,
                            "before": {
                                "centre": 62.4,
                                "lower_limit": 43.7,
                                "upper_limit": 81.2,
                            },
                            "after": {
                                "centre": 86.1,
                                "lower_limit": 72.7,
                                "upper_limit": 99.5,
                            },
                            "questions": [
                                question | {"answer": question["code"] == "sustained" or None}
                                for question in _QUESTIONS
                            ],
                            "phase_id": None,
                        }
                    ],
                }
            ]
        }
    )

    measure_id: uuid.UUID
    detector: str
    run_length: int = Field(description="Points of a run that show a shift.")
    period_points: int = Field(description="Points that new limits take.")
    items: list[RebaseCandidate]


def questions(**answers: bool) -> list[dict[str, Any]]:
    """The checklist, with what the data answer."""
    return [question | {"answer": answers.get(question["code"])} for question in _QUESTIONS]
