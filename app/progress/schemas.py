"""Bodies of transitions and of the programme's summary."""

import uuid
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints

from app.kit.fields import Day, Input, Output, Storable
from app.pdsa.models import CycleState
from app.programmes.models import ProgrammeState
from app.projects.models import ProjectState

Reason = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000), Storable
]
_COUNTS: dict[str, Any] = {
    "projects": {state.value: 0 for state in ProjectState} | {"testing": 2, "implementing": 1},
    "pdsa_cycles": {state.value: 0 for state in CycleState} | {"doing": 1, "closed": 8},
}


class ProgrammeTransition(Input):
    """A step of the programme."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"to": "recruiting"}]})

    to: ProgrammeState
    reason: Reason | None = Field(
        default=None, description="Needed to cancel; kept in the history."
    )


class ProjectTransition(Input):
    """A step of the project."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"to": "paused", "reason": "Staff changes", "review_on": "2018-05-01"}]
        }
    )

    to: ProjectState
    reason: Reason | None = Field(default=None, description="Needed to pause and to stop.")
    review_on: Day | None = Field(default=None, description="When a pause is to be looked at.")
    learning: Reason | None = Field(
        default=None, description="Needed to stop: what others can learn from it."
    )
    override_reason: Reason | None = Field(
        default=None, description="Why to go on although something is missing; kept in the history."
    )


class ProgrammeSummary(Output):
    """Counts of a programme; nothing in it names a person or a project."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "participants": 13,
                    "late_joiners": 1,
                    "teams": 3,
                    "sessions_planned": 3,
                    "sessions_held": 5,
                    "projects": _COUNTS["projects"],
                    "measures": 9,
                    "pdsa_cycles": _COUNTS["pdsa_cycles"],
                    "data_points": 312,
                }
            ]
        }
    )

    programme_id: uuid.UUID
    participants: int = Field(description="Enrolments, those that have ended included.")
    late_joiners: int = Field(description="Of these, who joined after the first session.")
    teams: int
    sessions_planned: int = Field(description="Neither held nor cancelled.")
    sessions_held: int
    projects: dict[str, int] = Field(description="By state.")
    measures: int
    pdsa_cycles: dict[str, int] = Field(description="By state.")
    data_points: int
