"""The documents of EWMA, CUSUM and Pareto charts and of funnel plots, as clients read them.

They document the answers; the engine's plain documents are sent as they are. Examples are drawn by
the engine itself, so they cannot go out of date.
"""

import uuid
from datetime import date, datetime
from typing import Any

from pydantic import ConfigDict, Field

from app.analytics.comparisons.drawing import draw_cusum, draw_ewma, draw_funnel, draw_pareto
from app.analytics.comparisons.schemas import (
    CUSUM_EXAMPLE,
    EWMA_EXAMPLE,
    FUNNEL_EXAMPLE,
    PARETO_EXAMPLE,
    CusumRequest,
    EwmaRequest,
    FunnelRequest,
    ParetoRequest,
)
from app.analytics.schemas import SpcSignal, SpcWarning
from app.kit.fields import Output


def _shortened(document: dict[str, Any]) -> dict[str, Any]:
    """An example shows a few points of the curve, not a hundred."""
    return document | {"curve": document["curve"][::33]}


class _Document(Output):
    model_config = ConfigDict(extra="forbid")

    chart: str
    title: str | None
    unit: str | None
    engine_version: str
    settings_hash: str


class _MemoryPoint(Output):
    model_config = ConfigDict(extra="forbid")

    x: str
    value: float | None
    numerator: float | None
    denominator: float | None
    phase: int
    excluded: bool
    in_baseline: bool
    centre: float | None
    outside_limits: bool
    signals: list[str] = Field(description="Ids of the signals that the point is a member of.")
    note: str | None


class EwmaPoint(_MemoryPoint):
    """One point: what was measured, the statistic, and its limits; undefined numbers are null."""

    statistic: float | None
    lower_limit: float | None
    upper_limit: float | None


class CusumPoint(_MemoryPoint):
    """One point with both sums, in sigmas; undefined numbers are null."""

    high: float | None = Field(description="What lies above the centre and the allowance.")
    low: float | None = Field(description="What lies below; not negative either.")


class MemoryPhase(Output):
    """One phase: its centre and sigma; sigma is null where denominators differ."""

    model_config = ConfigDict(extra="forbid")

    index: int
    starts_at: str | None
    points: int
    base_points: int
    centre: float | None
    sigma: float | None
    label: str | None
    reason: str | None


class CusumSignal(SpcSignal):
    """A climb beyond the decision interval, from the estimated change to its last point outside."""

    changed_at: str = Field(description="The first point after the sum was last zero.")
    level: float | None = Field(description="Estimated from the change to the first crossing.")


class MemoryQuality(Output):
    """How far the limits of the latest phase can be trusted."""

    model_config = ConfigDict(extra="forbid")

    points: int
    baseline_points: int
    limits: str = Field(description="`none`, `trial`, `provisional` or `firm`.")
    warnings: list[SpcWarning]


class _MemorySettings(Output):
    model_config = ConfigDict(extra="forbid")

    data: str
    direction: str
    phases: list[int]
    baseline_points: int | list[int | None] | None
    screen_moving_ranges: bool
    centre: float | None
    sigma: float | None
    multiplier: float


class EwmaSettingsRead(_MemorySettings):
    """The settings that decided the numbers."""

    weight: float
    limit_width: float
    limits: str


class CusumSettingsRead(_MemorySettings):
    """The settings that decided the numbers."""

    allowance: float
    decision_interval: float
    head_start: float
    restart_after_signal: bool


class EwmaChart(_Document):
    """A series with its exponentially weighted moving average."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [draw_ewma(EwmaRequest.model_validate(EWMA_EXAMPLE))]}
    )

    settings: EwmaSettingsRead
    as_of: datetime | None = Field(description="Last change of stored data; null for sent data.")
    points: list[EwmaPoint]
    phases: list[MemoryPhase]
    signals: list[SpcSignal]
    quality: MemoryQuality


class CusumChart(_Document):
    """A series with its two cumulative sums."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [draw_cusum(CusumRequest.model_validate(CUSUM_EXAMPLE))]}
    )

    settings: CusumSettingsRead
    as_of: datetime | None = Field(description="Last change of stored data; null for sent data.")
    points: list[CusumPoint]
    phases: list[MemoryPhase]
    signals: list[CusumSignal]
    quality: MemoryQuality


class ParetoCategory(Output):
    """A category in its place; shares are of 1."""

    model_config = ConfigDict(extra="forbid")

    label: str
    value: float
    share: float
    cumulative_share: float
    is_vital: bool
    is_other: bool


class ParetoSettingsRead(Output):
    """The settings that decided the vital few."""

    model_config = ConfigDict(extra="forbid")

    threshold: float


class ParetoQuality(Output):
    """What a reader should know."""

    model_config = ConfigDict(extra="forbid")

    categories: int
    warnings: list[SpcWarning]


class ParetoChart(_Document):
    """Categories by falling value, the others last."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [draw_pareto(ParetoRequest.model_validate(PARETO_EXAMPLE))]}
    )

    settings: ParetoSettingsRead
    total: float
    categories: list[ParetoCategory]
    vital_few: int = Field(description="How many categories reach the threshold together.")
    quality: ParetoQuality


class FunnelLimits(Output):
    """Limits for a size, 95 % and 99.8 %; null where there are none."""

    model_config = ConfigDict(extra="forbid")

    lower_998: float | None
    lower_95: float | None
    upper_95: float | None
    upper_998: float | None


class FunnelUnit(Output):
    """A unit with the limits for its size. There is no rank."""

    model_config = ConfigDict(extra="forbid")

    id: str | None
    label: str
    n: float = Field(description="The denominator.")
    numerator: float
    value: float | None
    z: float | None = Field(description="On the transformed scale, by chance alone.")
    adjusted_z: float | None = Field(description="With the variance between units.")
    limits: FunnelLimits
    adjusted_limits: FunnelLimits
    outside_95: bool
    outside_998: bool
    side: str | None = Field(description="`high` or `low`; null within the 95 % limits.")
    meaning: str | None = Field(description="`better`, `worse`, or `neither` without a direction.")


class FunnelCurvePoint(Output):
    """The limits at one size, to be drawn as lines."""

    model_config = ConfigDict(extra="forbid")

    n: float
    limits: FunnelLimits
    adjusted_limits: FunnelLimits


class FunnelDispersion(Output):
    """How much more the units differ than chance explains, and whether limits allow for it."""

    model_config = ConfigDict(extra="forbid")

    phi: float | None
    tau_squared: float
    p_value: float | None
    degrees_of_freedom: int
    winsorised: int
    is_adjusted: bool = Field(description="Whether units were judged by `adjusted_limits`.")


class FunnelSettingsRead(Output):
    """The settings that decided the numbers."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    direction: str
    target: float | None
    over_dispersion: str
    winsorise: float
    multiplier: float


class FunnelQuality(Output):
    """What a reader should know."""

    model_config = ConfigDict(extra="forbid")

    units: int
    warnings: list[SpcWarning]


_FUNNEL = _shortened(draw_funnel(FunnelRequest.model_validate(FUNNEL_EXAMPLE)))
_SELECTION = {
    "programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e",
    "measure_code": "answered-48h",
    "by": "team",
    "from": "2018-01-01",
    "to": "2018-06-30",
    "stratum": "",
    "measures": 4,
}


class FunnelPlot(_Document):
    """Units side by side, each with limits for its own size."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FUNNEL]})

    settings: FunnelSettingsRead
    as_of: datetime | None = Field(description="Last change of stored data; null for sent data.")
    centre: float | None
    centre_source: str = Field(description="`target`, `pooled`, or `expected` (ratios).")
    dispersion: FunnelDispersion
    units: list[FunnelUnit]
    curve: list[FunnelCurvePoint]
    quality: FunnelQuality


class FunnelSelection(Output):
    """What of the programme was compared."""

    model_config = ConfigDict(extra="forbid")

    programme_id: uuid.UUID
    measure_code: str
    by: str
    from_: date | None = Field(alias="from")
    to: date | None
    stratum: str
    measures: int = Field(description="How many measures that you can see have this code.")


class ProgrammeFunnel(FunnelPlot):
    """Teams or projects of a programme side by side."""

    model_config = ConfigDict(json_schema_extra={"examples": [_FUNNEL | {"selection": _SELECTION}]})

    selection: FunnelSelection
