"""Bodies about rule sets and charts, of a comparison, and of a batch."""

import copy
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from app.analytics.schemas import (
    SpcAnnotation,
    SpcChart,
    SpcChartRequest,
    SpcPhase,
    SpcQuality,
    SpcSignal,
)
from app.kit.fields import Input, Output
from app.kit.problems import ProblemError
from app.measures.models import DataType

MAX_CHARTS = 1_000
MAX_BATCH_POINTS = 100_000
_EXAMPLE_REQUEST: Any = SpcChartRequest.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]
_EXAMPLE_CHART: Any = SpcChart.model_config["json_schema_extra"]["examples"][0]  # type: ignore[index]
_LINES = ("centre", "lower_limit", "upper_limit", "lower_warning", "upper_warning")
_EXTENSIBLE: dict[str, Any] = {"x-extensible-enum": True}


class RuleRead(Output):
    """One rule of a set."""

    name: str = Field(examples=["shift"], json_schema_extra=_EXTENSIBLE)
    parameters: dict[str, float] = Field(examples=[{"length": 7}])
    depends_on: str | None = Field(
        description="The result of the runs analysis that sets the rule's limit.",
        examples=["longest_run_max"],
    )
    needs_limits: bool = Field(description="It says nothing on a chart without limits.")


class RuleSetRead(Output):
    """A named, versioned set of rules; a change of its rules is a new version."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "mdc",
                    "version": "1",
                    "description": "NHS England Making Data Count",
                    "constants": "mdc",
                    "improvement_wins": True,
                    "rules": [
                        {
                            "name": "shift",
                            "parameters": {"length": 7},
                            "depends_on": None,
                            "needs_limits": False,
                        }
                    ],
                    "default_of": ["i", "p"],
                    "charts": ["run", "i", "p"],
                }
            ]
        }
    )

    name: str
    version: str
    description: str
    constants: str = Field(
        description="How an individuals chart turns moving ranges into limits.",
        json_schema_extra=_EXTENSIBLE,
    )
    improvement_wins: bool = Field(
        description="A latest point in an improving and a worsening pattern counts as improvement."
    )
    rules: list[RuleRead] = Field(description="In the order of their precedence.")
    default_of: list[str] = Field(description="Charts that are judged by it unless told otherwise.")
    charts: list[str] = Field(description="Charts on which at least one of its rules can speak.")


class RuleSetList(Output):
    """Every rule set of the engine."""

    engine_version: str = Field(examples=["1"])
    items: list[RuleSetRead]


class ChartTypeRead(Output):
    """A chart: what data it takes and what it draws."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "p",
                    "description": "Proportions",
                    "data": "ratios",
                    "has_limits": True,
                    "run_rules": True,
                    "floor": 0.0,
                    "ceiling": 1.0,
                    "default_rule_set": "mdc",
                    "data_types": ["proportion", "yes_no"],
                    "recommended_for": ["proportion", "yes_no"],
                }
            ]
        }
    )

    name: str
    description: str
    data: str = Field(
        description="What a point states: `values`, `ratios`, `either`, or `subgroups`.",
        json_schema_extra=_EXTENSIBLE,
    )
    has_limits: bool
    run_rules: bool = Field(description="False: only rules about single points make sense.")
    floor: float | None = Field(description="No line lies below, before the multiplier.")
    ceiling: float | None = Field(description="No line lies above, before the multiplier.")
    default_rule_set: str
    data_types: list[DataType] = Field(description="Of measures that can be stored with it.")
    recommended_for: list[DataType]


class ChartTypeList(Output):
    """Every chart of the engine."""

    engine_version: str = Field(examples=["1"])
    items: list[ChartTypeRead]


class ComparedPoint(Output):
    """A point, stated once for all rule sets."""

    x: str
    value: float | None
    numerator: float | None
    denominator: float | None
    phase: int
    excluded: bool
    in_baseline: bool
    target: float | None
    note: str | None
    annotations: list[SpcAnnotation]


class ComparedLines(Output):
    """The lines that rule sets of the same constants share; one number a point."""

    constants: str
    rule_sets: list[str]
    phases: list[SpcPhase]
    centre: list[float | None]
    lower_limit: list[float | None]
    upper_limit: list[float | None]
    lower_warning: list[float | None]
    upper_warning: list[float | None]


class ComparedSettings(Output):
    """What holds for every rule set."""

    direction: str
    phases: list[int]
    baseline_points: int | list[int | None] | None
    screen_moving_ranges: bool
    multiplier: float
    target: float | list[float | None] | None


class ComparedRuleSet(Output):
    """What one rule set says of the series."""

    rule_set: str
    rule_set_version: str
    description: str
    constants: str
    is_chosen: bool = Field(description="The one that the chart itself is judged by.")
    settings_hash: str
    variation: str
    assurance: str
    outside_limits: list[int] = Field(description="Rows of the points outside the 3 sigma limits.")
    signals: list[SpcSignal]
    quality: SpcQuality


def _example_comparison() -> dict[str, Any]:
    """Of the example of a chart, its own rule set alone."""
    example = copy.deepcopy(_EXAMPLE_CHART)
    points, settings = example["points"], example["settings"]
    judged = {"description": "NHS England Making Data Count", "is_chosen": True}
    outside = [row for row, point in enumerate(points) if point["outside_limits"]]
    judged |= {"outside_limits": outside, "settings_hash": example["settings_hash"]}
    judged |= {name: settings[name] for name in ("rule_set", "rule_set_version", "constants")}
    judged |= {name: example[name] for name in ("variation", "assurance", "signals", "quality")}
    lines = {name: [point[name] for point in points] for name in _LINES}
    lines |= {"constants": settings["constants"], "rule_sets": [settings["rule_set"]]}
    lines |= {"phases": example["phases"]}
    shared = {name: example[name] for name in ("chart", "title", "unit", "engine_version", "as_of")}
    return shared | {
        "settings": {name: settings[name] for name in ComparedSettings.model_fields},
        "points": [{name: point[name] for name in ComparedPoint.model_fields} for point in points],
        "lines": [lines],
        "rule_sets": [judged],
    }


class SpcComparison(Output):
    """One series under every rule set that fits its chart."""

    model_config = ConfigDict(json_schema_extra={"examples": [_example_comparison()]})

    chart: str
    title: str | None
    unit: str | None
    engine_version: str
    settings: ComparedSettings
    as_of: datetime | None = Field(description="Last change of stored data; null for sent data.")
    points: list[ComparedPoint]
    lines: list[ComparedLines]
    rule_sets: list[ComparedRuleSet]


# Each item is checked by itself, so that one that is wrong does not refuse the others.
_Unchecked = Annotated[Any, WithJsonSchema({"$ref": "#/components/schemas/SpcChartRequest"})]


class SpcBatchRequest(Input):
    """Up to 1,000 series with 100,000 points together. Nothing of it is stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"items": [_EXAMPLE_REQUEST]}]})

    items: list[_Unchecked] = Field(min_length=1, max_length=MAX_CHARTS)


class ItemProblem(Output):
    """Why an item was not charted: what the single route would have answered with."""

    type: str = Field(examples=["/problems/unchartable"])
    title: str
    status: int
    code: str
    detail: str | None
    errors: list[ProblemError]


class BatchOutcome(Output):
    """What came of one item: its chart, or a problem."""

    index: int
    outcome: Literal["drawn", "refused"]
    chart: SpcChart | None
    problem: ItemProblem | None


class SpcBatchResult(Output):
    """An outcome for every item, in the order of the items."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "drawn": 1,
                    "refused": 0,
                    "items": [
                        {
                            "index": 0,
                            "outcome": "drawn",
                            "chart": _EXAMPLE_CHART | {"as_of": None},
                            "problem": None,
                        }
                    ],
                }
            ]
        }
    )

    drawn: int
    refused: int
    items: list[BatchOutcome]
