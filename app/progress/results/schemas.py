"""Bodies of what projects have attained, one by one and for a programme."""

import uuid
from datetime import date
from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.analytics.summaries.schemas import HEADLINE_EXAMPLE, HeadlineRead
from app.kit.fields import Output
from app.kit.pagination import ListQuery, Page
from app.progress.results.attainment import AttainmentStatus
from app.projects.aims import AimDirection
from app.projects.models import ProjectState

NO_AIM = "no_aim"
NO_CHART = "no_chart"
Variation = Literal[
    "common_cause",
    "improvement_high",
    "improvement_low",
    "concern_high",
    "concern_low",
    "neither_high",
    "neither_low",
    "no_chart",
]
AssuranceKind = Literal["pass", "fail", "hit_or_miss", "none", "no_chart"]
AttainmentKind = Literal[
    "no_baseline",
    "insufficient_data",
    "in_progress",
    "attained_provisional",
    "attained_sustained",
    "missed",
    "overshot",
    "no_aim",
]
_ATTAINMENT: dict[str, Any] = {
    "status": "in_progress",
    "attainment": 0.4,
    "attainment_lower": -0.3,
    "attainment_upper": 1.1,
    "direction": "increase",
    "target": 85.0,
    "by_when": "2018-09-30",
    "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
    "baseline": {"phase": 0, "starts_on": "2017-12-04", "centre": 62.0, "points": 12},
    "current": {"phase": 1, "starts_on": "2018-04-30", "centre": 71.2, "points": 19},
    "is_shifting": True,
}


class PhaseCentre(Output):
    """The centre line of a phase, and the points that count."""

    phase: int
    starts_on: date
    centre: float
    points: int = Field(
        description="Neither missing nor excluded; of the baseline, those that its lines rest on."
    )


class AttainmentRead(Output):
    """How far the centre line has come from the baseline to the target of the aim."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ATTAINMENT]})

    status: str = Field(
        description="`attained_sustained` has 12 points in its phase and no signal the wrong way; "
        "`missed`: the day of the aim has passed; `overshot`: past the target by more than chance, "
        "where further is no better.",
        json_schema_extra={"x-extensible-enum": list(AttainmentStatus)},
    )
    attainment: float | None = Field(
        description="(centre now - centre of the baseline) / (target - centre of the baseline): "
        "0 is the baseline, 1 the target. Null where there is no way to go."
    )
    attainment_lower: float | None = Field(description="The same for the limits: the lower one.")
    attainment_upper: float | None = Field(description="The same for the limits: the upper one.")
    direction: str = Field(json_schema_extra={"x-extensible-enum": list(AimDirection)})
    target: float
    by_when: date | None
    measure_id: uuid.UUID | None = Field(description="Null: the aim names no live measure.")
    baseline: PhaseCentre | None = Field(
        description="The first phase, or the latest one that began with a new definition."
    )
    current: PhaseCentre | None
    is_shifting: bool = Field(
        description="A signal towards the aim in the current phase: no centre line shows this "
        "change until somebody approves a new phase."
    )


class ProjectAttainment(Output):
    """The aim of a project, and how far it is attained."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
                    "aim_statement": "increase repeat prescriptions ready within 48 hours from 62 "
                    "to 85 % for patients of the two northern practices by 2018-09-30",
                    "aim_missing": [],
                    "attainment": _ATTAINMENT,
                }
            ]
        }
    )

    project_id: uuid.UUID
    aim_statement: str | None = Field(
        description="The aim as a sentence; null while it is incomplete."
    )
    aim_missing: list[str] = Field(description="Parts of the aim that are empty.")
    attainment: AttainmentRead | None = Field(
        description="Null while the aim has no target or no direction."
    )


class ProjectResult(HeadlineRead):
    """A project in a line: its headline series, and how far its aim is attained."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [HEADLINE_EXAMPLE | {"attainment": _ATTAINMENT}]}
    )

    attainment: AttainmentRead | None = Field(
        description="Null while the aim has no target or no direction."
    )


class ResultTotals(Output):
    """Counts over every live project of the programme that you can see, whatever the filters."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "projects": 3,
                    "variation": {"common_cause": 1, "improvement_high": 1, "no_chart": 1},
                    "assurance": {"hit_or_miss": 2, "no_chart": 1},
                    "attainment": {"in_progress": 2, "no_aim": 1},
                }
            ]
        }
    )

    projects: int
    variation: dict[str, int] = Field(description="Of the headlines; `no_chart` without one.")
    assurance: dict[str, int] = Field(description="Of the headlines; `no_chart` without one.")
    attainment: dict[str, int] = Field(description="By status; `no_aim` without one.")


class ProgrammeAnalytics(Page[ProjectResult]):
    """A page of a programme's projects with their results, and the totals of all of them."""

    programme_id: uuid.UUID = Field(examples=["0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d03"])
    totals: ResultTotals

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Not generic any more."""
        return cls.__name__


class AnalyticsQuery(ListQuery):
    """Filters of the programme's projects; repeat a filter for 'or'."""

    variation: list[Variation] = Field(default_factory=list, max_length=8)
    assurance: list[AssuranceKind] = Field(default_factory=list, max_length=5)
    attainment: list[AttainmentKind] = Field(
        default_factory=list, max_length=8, description="Status of the aim; `no_aim` without one."
    )
    state: list[ProjectState] = Field(default_factory=list, max_length=10)
    team_id: list[uuid.UUID] = Field(default_factory=list, max_length=50)
    sort: Literal["title", "-title"] = "title"
