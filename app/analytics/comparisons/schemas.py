"""What is asked of EWMA, CUSUM and Pareto charts and of funnel plots: bodies and parameters."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints

from app.analytics.pictures.schemas import PictureQuery
from app.analytics.schemas import (
    BaselineRows,
    Direction,
    Label,
    Multiplier,
    PointRequest,
    Target,
)
from app.kit.fields import Day, Input, Line, Number, Storable
from app.spc import MAX_POINTS
from app.spc.pareto import MAX_CATEGORIES
from app.spc.units import MAX_UNITS

Data = Annotated[
    Literal["values", "proportion", "rate"],
    Field(
        description="How sigma arises: `values` from the moving ranges of the base points (also "
        "for ratios that vary more than chance), `proportion` and `rate` from the denominators."
    ),
]
Centre = Annotated[
    Target, Field(description="Instead of the mean of the base points; in the displayed unit.")
]
Sigma = Annotated[
    float,
    Field(gt=0, le=1e15, allow_inf_nan=False, description="Instead of the estimate; for `values`."),
]
Weight = Annotated[
    float, Field(gt=0, le=1, allow_inf_nan=False, description="Lambda, of the newest point.")
]
LimitWidth = Annotated[
    float, Field(gt=0, le=10, allow_inf_nan=False, description="L, in sigmas of the statistic.")
]
Limits = Annotated[
    Literal["exact", "asymptotic"],
    Field(description="`exact` widen from the start; `asymptotic` need equal denominators."),
]
Allowance = Annotated[
    float,
    Field(ge=0, le=10, allow_inf_nan=False, description="k: half the shift that matters, sigmas."),
]
DecisionInterval = Annotated[
    float, Field(gt=0, le=100, allow_inf_nan=False, description="h, in sigmas.")
]
HeadStart = Annotated[
    float,
    Field(ge=0, le=0.9, allow_inf_nan=False, description="Part of h to start from; 0.5 is usual."),
]
Winsorise = Annotated[float, Field(ge=0, le=0.4, allow_inf_nan=False)]
OverDispersion = Annotated[
    Literal["auto", "adjust", "ignore"],
    Field(description="Allow for differences beyond chance: where phi is significant, or not."),
]
UnitName = Annotated[Line, Field(max_length=64)]
_WEEKS = [f"2018-01-{day:02}" for day in (1, 8, 15, 22, 29)]
_DAYS = [6.1, 5.8, 6.4, 4.2, 3.9]
_SENT: dict[str, Any] = {
    "title": "Days until the result is told",
    "unit": "days",
    "direction": "decrease",
    "baseline_points": 3,
    "points": [{"x": x, "value": value} for x, value in zip(_WEEKS, _DAYS, strict=True)],
}
EWMA_EXAMPLE = _SENT | {"weight": 0.2, "limit_width": 3, "limits": "exact"}
CUSUM_EXAMPLE = _SENT | {"allowance": 0.5, "decision_interval": 5, "head_start": 0}
PARETO_EXAMPLE: dict[str, Any] = {
    "title": "Why requests came back",
    "unit": "requests",
    "threshold": 0.8,
    "categories": [
        {"label": "Dose not stated", "value": 61},
        {"label": "Out of stock", "value": 34},
        {"label": "Wrong pharmacy", "value": 9},
        {"label": "Not signed", "value": 6},
        {"label": "Other", "value": 8, "is_other": True},
    ],
}
FUNNEL_EXAMPLE: dict[str, Any] = {
    "kind": "proportion",
    "title": "Requests answered within 48 hours",
    "unit": "%",
    "direction": "increase",
    "multiplier": 100,
    "units": [
        {"label": "Team Birch", "numerator": 412, "denominator": 520},
        {"label": "Team Elm", "numerator": 96, "denominator": 130},
        {"label": "Team Oak", "numerator": 505, "denominator": 780},
        {"label": "Team Rowan", "numerator": 61, "denominator": 84},
    ],
}


class MemoryRequest(Input):
    """A series for a chart that carries what came before. Nothing of it is stored."""

    points: list[PointRequest] = Field(min_length=1, max_length=MAX_POINTS)
    data: Data = "values"
    centre: Centre | None = None
    sigma: Sigma | None = None
    phase_starts: list[Annotated[int, Field(ge=1, le=MAX_POINTS)]] = Field(
        default_factory=list, max_length=1_000, description="First row of each later phase, from 0."
    )
    baseline_points: (
        BaselineRows | Annotated[list[BaselineRows | None], Field(max_length=1_000)] | None
    ) = Field(default=None, description="Rows of each phase that centre and sigma are taken from.")
    direction: Direction = Field(default="neutral", description="Which way is better.")
    screen_moving_ranges: bool = True
    multiplier: Multiplier = 1
    title: Line | None = None
    unit: UnitName | None = None


class EwmaRequest(MemoryRequest):
    """A series and how to draw its EWMA chart."""

    model_config = ConfigDict(json_schema_extra={"examples": [EWMA_EXAMPLE]})

    weight: Weight = 0.2
    limit_width: LimitWidth = 3
    limits: Limits = "exact"


class CusumRequest(MemoryRequest):
    """A series and how to draw its CUSUM chart."""

    model_config = ConfigDict(json_schema_extra={"examples": [CUSUM_EXAMPLE]})

    allowance: Allowance = 0.5
    decision_interval: DecisionInterval = 5
    head_start: HeadStart = 0
    restart_after_signal: bool = Field(
        default=False, description="Start afresh after a signal, as when its cause was removed."
    )


class MemoryQuery(Input):
    """Overrides for one request of what the measure has stored."""

    data: Data | None = None
    centre: Centre | None = None
    sigma: Sigma | None = None
    baseline_points: BaselineRows | None = Field(
        default=None, description="Rows of each phase that centre and sigma are taken from."
    )
    direction: Direction | None = Field(default=None, description="Which way is better.")
    multiplier: Multiplier | None = Field(default=None, description="100 shows per cent.")
    screen_moving_ranges: bool | None = Field(
        default=None, description="Leave out extreme moving ranges; true by default."
    )
    phase_starts: list[Day] = Field(
        default_factory=list, max_length=100, description="First day of each later phase."
    )
    stratum: Annotated[str, StringConstraints(max_length=64), Storable] = Field(
        default="", description="The stratum of the points; empty is the whole."
    )


class EwmaQuery(MemoryQuery, PictureQuery):
    """How to draw the EWMA chart of a measure."""

    weight: Weight = 0.2
    limit_width: LimitWidth = 3
    limits: Limits = "exact"


class CusumQuery(MemoryQuery, PictureQuery):
    """How to draw the CUSUM chart of a measure."""

    allowance: Allowance = 0.5
    decision_interval: DecisionInterval = 5
    head_start: HeadStart = 0
    restart_after_signal: bool = Field(
        default=False, description="Start afresh after a signal, as when its cause was removed."
    )


class CategoryRequest(Input):
    """A category with its count or weight; at most one gathers the others."""

    label: Label
    value: Number = Field(description="Above zero.")
    is_other: bool = Field(default=False, description="It gathers the rest and stands last.")


class ParetoRequest(Input):
    """Categories in any order. Nothing of it is stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [PARETO_EXAMPLE]})

    categories: list[CategoryRequest] = Field(min_length=1, max_length=MAX_CATEGORIES)
    threshold: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = Field(
        default=0.8, description="What the vital few reach together, as a part of the total."
    )
    title: Line | None = None
    unit: UnitName | None = None


class UnitRequest(Input):
    """A team, practice or other unit with its sums."""

    label: Label
    id: Label | None = Field(default=None, description="Yours; it comes back as it is.")
    numerator: Number
    denominator: Number = Field(description="Cases, exposure, or expected events; 0: no value.")


class FunnelRequest(Input):
    """Units and how to compare them. Nothing of it is stored."""

    model_config = ConfigDict(json_schema_extra={"examples": [FUNNEL_EXAMPLE]})

    kind: Literal["proportion", "rate", "ratio"] = Field(
        description="Cases among cases, events in an exposure, or observed over expected events."
    )
    units: list[UnitRequest] = Field(min_length=1, max_length=MAX_UNITS)
    direction: Direction = Field(default="neutral", description="Which way is better.")
    target: Target | None = Field(
        default=None, description="Displayed unit. Null: all units pooled, for ratios 1."
    )
    over_dispersion: OverDispersion = "auto"
    winsorise: Winsorise = Field(
        default=0.1, description="Part of the z-scores pulled in at either end before phi."
    )
    multiplier: Multiplier = 1
    title: Line | None = None
    unit: UnitName | None = None


class FunnelQuery(PictureQuery):
    """Which measures of the programme to compare, over which periods, and how."""

    measure_code: (
        Annotated[str, StringConstraints(min_length=1, max_length=64), Storable] | None
    ) = Field(default=None, description="Needed: the code that the measures to compare share.")
    from_: Day | None = Field(
        default=None, alias="from", description="First `period_start` that counts."
    )
    to: Day | None = Field(default=None, description="Last `period_start` that counts.")
    by: Literal["team", "project"] = Field(default="team", description="What a unit is.")
    stratum: Annotated[str, StringConstraints(max_length=64), Storable] = Field(
        default="", description="The stratum of the points; empty is the whole."
    )
    kind: Literal["proportion", "rate"] | None = Field(
        default=None, description="Instead of what the measures' data type says."
    )
    direction: Direction | None = Field(default=None, description="Which way is better.")
    target: Target | None = Field(
        default=None, description="Displayed unit. Without: all units that you see, pooled."
    )
    over_dispersion: OverDispersion = "auto"
    winsorise: Winsorise = Field(
        default=0.1, description="Part of the z-scores pulled in at either end before phi."
    )
    multiplier: Multiplier | None = Field(default=None, description="100 shows per cent.")
