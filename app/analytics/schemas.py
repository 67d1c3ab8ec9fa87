"""The SPC document, the request of the stateless route, and the dashboard's lines."""

import uuid
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app import spc
from app.kit.fields import Day, Input, Line, Number, Output, Storable
from app.spc import CHARTS, MAX_POINTS, MAX_SUBGROUP, RULE_SETS

ChartName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=16,
        description="The chart.",
        json_schema_extra={"enum": list(CHARTS)},
    ),
]
RuleSetName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=32,
        description="The rule set.",
        json_schema_extra={"enum": list(RULE_SETS)},
    ),
]
Direction = Literal["increase", "decrease", "neutral"]
BaselineRows = Annotated[int, Field(ge=1, le=MAX_POINTS)]
Multiplier = Annotated[float, Field(gt=0, le=1e9, allow_inf_nan=False)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=100), Storable]
Target = Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15)]

_EXAMPLE_REQUEST: dict[str, Any] = {
    "chart": "p",
    "title": "Requests answered within 48 hours",
    "unit": "%",
    "multiplier": 100,
    "direction": "increase",
    "rule_set": "mdc",
    "target": 90,
    "baseline_points": 3,
    "phase_starts": [],
    "points": [
        {"x": "2018-01-01", "numerator": 41, "denominator": 60},
        {"x": "2018-01-08", "numerator": 39, "denominator": 55},
        {"x": "2018-01-15", "numerator": 45, "denominator": 64},
        {"x": "2018-01-22", "numerator": 57, "denominator": 61, "note": "New rota"},
    ],
}


_EXAMPLE_OF_SUBGROUPS: dict[str, Any] = {
    "chart": "xbar",
    "title": "Minutes to triage, five patients a day",
    "unit": "min",
    "points": [
        {"x": "2018-03-05", "values": [11, 14, 9, 17, 12]},
        {"x": "2018-03-06", "values": [13, 10, 15, 12, 16]},
        {"x": "2018-03-07", "values": [9, 12, None, 14, 11]},
    ],
}


def _example_chart() -> dict[str, Any]:
    """What the engine answers to the example: it cannot go out of date."""
    points = _EXAMPLE_REQUEST["points"]
    series = spc.Series(
        x=[point["x"] for point in points],
        numerators=[point["numerator"] for point in points],
        denominators=[point["denominator"] for point in points],
        notes=[point.get("note") for point in points],
    )
    chosen = {name: value for name, value in _EXAMPLE_REQUEST.items() if name != "points"}
    return spc.document(spc.chart(series, spc.Settings(**chosen)), as_of="2018-01-29T09:00:00Z")


_EXAMPLE_CHART = _example_chart()


class PointRequest(Input):
    """One point: a value, a numerator with its denominator, or a subgroup; null is a gap."""

    x: Label = Field(description="Label; where all are ISO dates they must rise.")
    value: Number | None = None
    numerator: Number | None = None
    denominator: Number | None = None
    values: Annotated[list[Number | None], Field(max_length=MAX_SUBGROUP)] | None = Field(
        default=None, description="The single measurements of a subgroup, for xbar, s and r charts."
    )
    excluded: bool = Field(default=False, description="Shown, but out of lines and rules.")
    note: Line | None = None


class SpcChartRequest(Input):
    """A series and how to chart it. Nothing of it is stored."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [_EXAMPLE_REQUEST, _EXAMPLE_OF_SUBGROUPS]}
    )

    chart: ChartName
    points: list[PointRequest] = Field(min_length=1, max_length=MAX_POINTS)
    phase_starts: list[Annotated[int, Field(ge=1, le=MAX_POINTS)]] = Field(
        default_factory=list, max_length=1_000, description="First row of each later phase, from 0."
    )
    baseline_points: (
        BaselineRows | Annotated[list[BaselineRows | None], Field(max_length=1_000)] | None
    ) = Field(default=None, description="Rows of each phase that lines are taken from.")
    rule_set: RuleSetName | None = Field(default=None, description="Null: the chart's default.")
    direction: Direction = Field(default="neutral", description="Which way is better.")
    target: Target | Annotated[list[Target | None], Field(max_length=MAX_POINTS)] | None = Field(
        default=None, description="In the displayed unit: one number, or one a point."
    )
    screen_moving_ranges: bool = True
    multiplier: Multiplier = 1
    title: Line | None = None
    unit: Annotated[Line, Field(max_length=64)] | None = None


class SpcQuery(Input):
    """Overrides for one request of what the measure has stored."""

    chart: ChartName | None = Field(default=None, description="Instead of the stored chart.")
    rule_set: RuleSetName | None = Field(default=None, description="Instead of the stored one.")
    direction: Direction | None = Field(default=None, description="Which way is better.")
    baseline_points: BaselineRows | None = Field(
        default=None, description="Rows of each phase that lines are taken from."
    )
    target: Target | None = Field(default=None, description="In the displayed unit: 90 is 90 %.")
    multiplier: Multiplier | None = Field(default=None, description="100 shows per cent.")
    screen_moving_ranges: bool | None = Field(
        default=None, description="Leave out extreme moving ranges (i charts); true by default."
    )
    phase_starts: list[Day] = Field(
        default_factory=list, max_length=100, description="First day of each later phase."
    )
    stratum: Annotated[str, StringConstraints(max_length=64), Storable] = Field(
        default="", description="The stratum of the points; empty is the whole."
    )


class SpcAnnotation(Output):
    """What happened in the period of a point."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(description="Of the annotation; of the PDSA cycle where it began.")
    kind: str = Field(description="That of the annotation, or `pdsa_start`.")
    text: str
    happened_on: date


class SpcExplanation(SpcAnnotation):
    """An annotation that somebody says explains a signal."""

    pdsa_cycle_ids: list[uuid.UUID]


class SpcPoint(Output):
    """One point with its lines; undefined numbers are null."""

    model_config = ConfigDict(extra="forbid")

    x: str
    value: float | None
    numerator: float | None
    denominator: float | None
    phase: int
    excluded: bool
    in_baseline: bool
    centre: float | None
    lower_limit: float | None
    upper_limit: float | None
    lower_warning: float | None
    upper_warning: float | None
    target: float | None
    outside_limits: bool
    signals: list[str] = Field(description="Ids of the signals that the point is a member of.")
    note: str | None
    annotations: list[SpcAnnotation]


class SpcPhase(Output):
    """One phase: its lines' centre and its runs analysis (Anhoej and Olesen 2014)."""

    model_config = ConfigDict(extra="forbid")

    index: int
    starts_at: str | None
    points: int
    useful_points: int
    centre: float | None = Field(description="Null where it varies from point to point.")
    sigma: float | None = Field(description="Null where it depends on the size of each point.")
    sigma_z: float | None = Field(
        description="Of Laney's charts: spread between points, in units of their sampling error."
    )
    longest_run: int | None
    longest_run_max: int | None
    crossings: int | None
    crossings_min: int | None
    runs_signal: bool
    label: str | None
    reason: str | None


class SpcSignal(Output):
    """A pattern that chance rarely makes; its id stays the same while points are appended."""

    model_config = ConfigDict(extra="forbid")

    id: str
    rule: str = Field(json_schema_extra={"x-extensible-enum": True})
    parameters: dict[str, float]
    direction: str | None
    meaning: str
    start: int
    end: int
    members: list[int]
    completed_at: int | None
    phase: int
    explained_by: list[SpcExplanation]


class SpcWarning(Output):
    """Something about the data that a reader should know."""

    model_config = ConfigDict(extra="forbid")

    code: str
    detail: str


class SpcQuality(Output):
    """How far the limits can be trusted."""

    model_config = ConfigDict(extra="forbid")

    points: int
    baseline_points: int
    limits: str = Field(description="`none`, `trial`, `provisional` or `firm`.")
    warnings: list[SpcWarning]
    false_signal_rate: float | None
    minimum_detectable_shift: float | None


class SpcSettings(Output):
    """The settings that decided the numbers."""

    model_config = ConfigDict(extra="forbid")

    rule_set: str
    rule_set_version: str
    direction: str
    phases: list[int]
    baseline_points: int | list[int | None] | None
    screen_moving_ranges: bool
    multiplier: float
    target: float | list[float | None] | None
    constants: str


class SpcChart(Output):
    """A series annotated by statistical process control: lines, signals, icons, quality."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE_CHART]})

    chart: str
    title: str | None
    unit: str | None
    engine_version: str
    settings: SpcSettings
    settings_hash: str
    as_of: datetime | None = Field(description="Last change of stored data; null for sent data.")
    points: list[SpcPoint]
    phases: list[SpcPhase]
    signals: list[SpcSignal]
    variation: str = Field(examples=["improvement_high"])
    assurance: str = Field(examples=["hit_or_miss"])
    quality: SpcQuality


class ChartFault(Output):
    """Why no chart can be drawn of the stored series: the code and advice of `unchartable`."""

    code: str
    detail: str


class MeasureChart(Output):
    """One measure of a project with its chart."""

    measure_id: uuid.UUID = Field(examples=["0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d42"])
    family: str = Field(examples=["outcome"], json_schema_extra={"x-extensible-enum": True})
    is_headline: bool = Field(examples=[True])
    spc: SpcChart | None = Field(description="Null where no chart can be drawn; `fault` says why.")
    fault: ChartFault | None = Field(examples=[None])


class ProjectCharts(Output):
    """Every measure of a project, charted."""

    project_id: uuid.UUID = Field(examples=["0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"])
    items: list[MeasureChart]
