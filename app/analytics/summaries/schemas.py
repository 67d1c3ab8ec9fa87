"""A project's headline series in a line, as dashboards show it."""

import uuid
from datetime import date
from typing import Any, Literal

from pydantic import ConfigDict, Field

from app.analytics.schemas import ChartFault
from app.kit.fields import Output
from app.kit.pagination import ListQuery

SIGNAL_EXAMPLE: dict[str, Any] = {
    "id": "5f2b0c1d9a7e4b36",
    "rule": "shift",
    "direction": "high",
    "meaning": "improvement",
    "starts_on": "2018-07-02",
    "ends_on": "2018-09-03",
}
HEADLINE_EXAMPLE: dict[str, Any] = {
    "project_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
    "project_title": "Repeat prescriptions within 48 hours",
    "team_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d41",
    "state": "testing",
    "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42",
    "measure_name": "Ready within 48 hours",
    "unit": "%",
    "chart": "p",
    "rule_set": "mdc",
    "points": 38,
    "latest": {"x": "2018-09-03", "value": 88.2},
    "centre": 71.5,
    "lower_limit": 55.3,
    "upper_limit": 87.7,
    "target": 90.0,
    "variation": "improvement_high",
    "assurance": "hit_or_miss",
    "signals": 2,
    "improvement_signals": 2,
    "concern_signals": 0,
    "latest_signals": [SIGNAL_EXAMPLE],
    "fault": None,
}


class LatestPoint(Output):
    """The last point that has a value."""

    x: date
    value: float


class LatestSignal(Output):
    """A signal in short; the chart of the measure has it in full under the same id."""

    id: str
    rule: str = Field(json_schema_extra={"x-extensible-enum": True})
    direction: str | None
    meaning: str
    starts_on: date
    ends_on: date


class HeadlineRead(Output):
    """A project's headline series in a line: what a dashboard shows first."""

    model_config = ConfigDict(json_schema_extra={"examples": [HEADLINE_EXAMPLE]})

    project_id: uuid.UUID
    project_title: str
    team_id: uuid.UUID | None
    state: str
    measure_id: uuid.UUID | None = Field(description="Null: the project has no measure yet.")
    measure_name: str | None = None
    unit: str | None = None
    chart: str | None = None
    rule_set: str | None = None
    points: int = 0
    latest: LatestPoint | None = None
    centre: float | None = Field(default=None, description="Centre line at the latest point.")
    lower_limit: float | None = None
    upper_limit: float | None = None
    target: float | None = None
    variation: str | None = None
    assurance: str | None = None
    signals: int = 0
    improvement_signals: int = 0
    concern_signals: int = 0
    latest_signals: list[LatestSignal] = Field(
        default_factory=list, description="The three that end last."
    )
    fault: ChartFault | None = Field(
        default=None, description="Why the stored series cannot be charted."
    )


class HeadlineQuery(ListQuery):
    """The dashboard's pages."""

    sort: Literal["title", "-title"] = "title"
