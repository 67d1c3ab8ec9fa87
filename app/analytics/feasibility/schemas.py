"""Bodies of the routes of feasibility and of chart advice."""

from datetime import date
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from app import spc
from app.analytics.schemas import ChartName, Multiplier, RuleSetName
from app.kit.fields import Day, Input, Line, Output
from app.measures.models import DataType
from app.measures.schemas import Frequency

PlannedDay = Annotated[Day, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))]
# In queries numbers come as text; in bodies they are numbers.
PerWeek = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
Level = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
Spread = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
_STRICT = Field(strict=True)

_FIRST = Field(default=None, description="First day of collection.")
_LAST = Field(default=None, description="Last day of collection.")
_CHANGE = Field(
    default=None, description="Start of the first test of change; else a third of the way."
)
_CASES = Field(
    default=None,
    description="Denominators a week, or events a week where each is a point (`per_case`).",
)
_LEVEL = Field(default=None, description="Expected level in the displayed unit: 70 is 70 %.")
_SPREAD = Field(
    default=None, description="Standard deviation between points, in the displayed unit."
)
_REQUEST: dict[str, Any] = {
    "starts_on": "2026-01-01",
    "ends_on": "2026-09-30",
    "first_change_on": "2026-04-06",
    "frequency": "monthly",
    "data_type": "proportion",
    "chart": "p",
    "rule_set": "mdc",
    "cases_per_week": 50,
    "level": 70,
    "spread": None,
    "multiplier": 100,
    "unit": "%",
}


class FeasibilityQuery(Input):
    """What to assume otherwise than stored, for one request."""

    starts_on: PlannedDay | None = _FIRST
    ends_on: PlannedDay | None = _LAST
    first_change_on: PlannedDay | None = _CHANGE
    frequency: Frequency | None = Field(default=None, description="How often a point is collected.")
    chart: ChartName | None = Field(default=None, description="Instead of the measure's chart.")
    rule_set: RuleSetName | None = Field(default=None, description="Instead of the stored one.")
    cases_per_week: PerWeek | None = _CASES
    level: Level | None = _LEVEL
    spread: Spread | None = _SPREAD


class FeasibilityRequest(Input):
    """A plan of data collection. Nothing of it is stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [_REQUEST]})

    starts_on: PlannedDay = Field(description="First day of collection.")
    ends_on: PlannedDay = Field(description="Last day of collection.")
    first_change_on: PlannedDay | None = _CHANGE
    frequency: Frequency = Field(description="How often a point is collected.")
    data_type: DataType
    chart: ChartName | None = Field(default=None, description="Null: what suits the data type.")
    rule_set: RuleSetName | None = Field(default=None, description="Null: the chart's default.")
    cases_per_week: Annotated[PerWeek, _STRICT] | None = _CASES
    level: Annotated[Level, _STRICT] | None = _LEVEL
    spread: Annotated[Spread, _STRICT] | None = _SPREAD
    multiplier: Annotated[Multiplier, _STRICT] = 1
    unit: Annotated[Line, Field(max_length=64)] | None = None


class FeasibilityInputs(Output):
    """What was assumed, after all defaults."""

    starts_on: date
    ends_on: date
    first_change_on: date
    frequency: str
    data_type: str
    chart: str
    rule_set: str
    cases_per_week: float | None
    level: float | None
    spread: float | None
    multiplier: float
    unit: str | None
    sources: dict[str, str] = Field(
        description="Where each came from: `request`, `measure`, `project`, `programme`, "
        "`pdsa_cycle`, `data`, or `assumed`; what is unknown is not listed."
    )


class FeasibilityOption(Output):
    """What one frequency of collection gives.

    Each point has the same odds as in the simulation: independent values, a lasting shift right
    after the points before the change, limits taken from those alone.
    """

    frequency: str
    points: int
    points_before: int = Field(description="Complete before the first change.")
    points_after: int
    cases_per_point: float | None
    events_per_point: float | None = Field(description="Of shares: of the rarer outcome.")
    limits: str = Field(description="`none`, `trial`, `provisional` or `firm`.")
    false_signal_rate: float | None = Field(
        description="Probability that a stable process raises a signal; null if not simulated."
    )
    minimum_detectable_shift: float | None = Field(
        description="In sigma, with 80 % power; null if above 3 or not simulated."
    )
    shift_in_unit: float | None = Field(description="The same in the displayed unit.")
    shift_of_level: float | None = Field(
        description="The same as a share of the level: comparable between frequencies."
    )


class ChartSupportRead(Output):
    """Whether the plan supports a chart."""

    chart: str
    is_supported: bool
    reason: str


class ChartAlternative(Output):
    """Another chart, and when to choose it."""

    chart: str
    when: str


class ChartObjection(Output):
    """What the data say against the usual chart."""

    code: str = Field(
        json_schema_extra={
            "x-extensible-enum": [
                *("over_dispersed", "many_zeros", "small_counts", "not_positive", "few_points"),
                *("constant_denominators", "autocorrelated", "uneven_spacing"),
            ]
        }
    )
    detail: str


class ChartAdviceRead(Output):
    """Which chart to draw, why, what else, and what the data speak against."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "chart": "p",
                    "reason": "Each point is a share of cases; p limits follow the number of "
                    "cases.",
                    "alternatives": [
                        {
                            "chart": "run",
                            "when": "with fewer than 12 points, or fewer than 5 cases of the "
                            "rarer outcome a point",
                        }
                    ],
                    "against": [],
                }
            ]
        }
    )

    chart: str
    reason: str
    alternatives: list[ChartAlternative]
    against: list[ChartObjection]


def rounded(number: float | None) -> float | None:
    """Four significant digits: a plan knows no more."""
    return None if number is None else float(f"{number:.4g}")


def numbers_of(option: spc.FeasibilityOption) -> dict[str, Any]:
    """The members of FeasibilityOption."""
    return {
        name: rounded(value) if isinstance(value, float) else value
        for name, value in option._asdict().items()
    }


def _example() -> dict[str, Any]:
    """What is answered to the example of a request: it cannot go out of date."""
    values = {name: value for name, value in _REQUEST.items() if name != "unit"}
    for name in ("starts_on", "ends_on", "first_change_on"):
        values[name] = date.fromisoformat(values[name])
    found = spc.feasibility(spc.CollectionPlan(**values))
    return {
        "inputs": _REQUEST | {"sources": dict.fromkeys(_REQUEST, "request")},
        "chosen": numbers_of(found.chosen),
        "charts": [support._asdict() for support in found.charts],
        "alternatives": [numbers_of(option) for option in found.alternatives],
        "recommended_frequency": found.recommended,
        "chart_advice": {
            "chart": "p",
            "reason": spc.advise_chart("proportion").reason,
            "alternatives": [],
            "against": [],
        },
        "advice": spc.explain(found, unit=_REQUEST["unit"]),
    }


class FeasibilityRead(Output):
    """What a plan of collection can show, and which frequency is worth its work."""

    model_config = ConfigDict(json_schema_extra={"examples": [_example()]})

    inputs: FeasibilityInputs
    chosen: FeasibilityOption = Field(description="The planned frequency.")
    charts: list[ChartSupportRead]
    alternatives: list[FeasibilityOption] = Field(description="The other frequencies.")
    recommended_frequency: str | None = Field(
        description="Null: none gives 12 points both before and after the first change."
    )
    chart_advice: ChartAdviceRead
    advice: list[str] = Field(description="The same in sentences, the most important first.")
