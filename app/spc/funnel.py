"""Funnel plots: units side by side, with limits that allow for their size.

There is no ranking, and no place for one: with small units the order is mostly chance, and whoever
stands last in a league table need not differ from the rest (Goldstein & Spiegelhalter 1996, J R
Stat Soc A 159:385). A unit is compared with the limits for its own size, not with its neighbours.
Limits: Spiegelhalter 2005, Stat Med 24:1185, appendix A.1. Over-dispersion: see `dispersion`.
His upper limit lies up to one event too low to stand for its level: of one case with a chance of a
half, one event would lie beyond 99.8 %. The line is drawn as published, but a unit counts as high
only from the next whole event on, where the chance is no greater than the level says.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from app.spc.dispersion import Dispersion, Scores, adjusted_limits, estimate, score
from app.spc.means import ratio_of_sums
from app.spc.printing import numbers, plain
from app.spc.series import FloatArray
from app.spc.settings import ENGINE_VERSION, Direction, hash_of
from app.spc.tails import binomial_limits, poisson_limits
from app.spc.units import FunnelSettings, Unit, check_units

LIMITS = ("lower_998", "lower_95", "upper_95", "upper_998")
_LEVELS = (0.001, 0.025, 0.975, 0.999)
_SIGNIFICANT = 0.05  # phi above 1 by chance alone
_CURVE_POINTS = 100
_FEW_UNITS = 10
_FEW_EVENTS = 5.0  # expected, on either side of a proportion


class _Data(NamedTuple):
    """The units as arrays, those without a denominator left out, and what is estimated."""

    numerators: FloatArray
    denominators: FloatArray
    centre: float
    scores: Scores
    dispersion: Dispersion
    is_adjusted: bool


class _Band(NamedTuple):
    """Limits in the order of `LIMITS`: as counts, as values, and adjusted."""

    counts: list[float]
    by_chance: list[float]
    wide: list[float]


def funnel(
    units: Sequence[Unit], settings: FunnelSettings, *, as_of: str | None = None
) -> dict[str, Any]:
    """The funnel document: every unit with its limits, and the limits as a curve over the size.

    Units stand in the order in which they came. Values and limits are in the displayed unit, z is
    on the transformed scale. A unit on a limit is inside. Raises SpcError.
    """
    check_units(units, settings)
    with np.errstate(all="ignore"):  # undefined numbers are expected, and become null
        data = _estimate(units, settings)
        rows = _rows(units, settings, data)
        curve = _curve(settings, data)
    said = {
        "kind": settings.kind,
        "direction": settings.direction,
        "target": settings.target,
        "over_dispersion": settings.over_dispersion,
        "winsorise": settings.winsorise,
        "multiplier": settings.multiplier,
    }
    return {
        "chart": "funnel",
        "title": settings.title,
        "unit": settings.unit,
        "engine_version": ENGINE_VERSION,
        "settings": said,
        "settings_hash": hash_of(["funnel", said]),
        "as_of": as_of,
        "centre": plain(data.centre * settings.multiplier),
        "centre_source": "target" if settings.target is not None else _default_centre(settings),
        "dispersion": data.dispersion._asdict() | {"is_adjusted": data.is_adjusted},
        "units": rows,
        "curve": curve,
        "quality": {"units": len(units), "warnings": _warnings(units, settings, data)},
    }


def _default_centre(settings: FunnelSettings) -> str:
    return "expected" if settings.kind == "ratio" else "pooled"


def _estimate(units: Sequence[Unit], settings: FunnelSettings) -> _Data:
    numerators = np.array([unit.numerator for unit in units], dtype=np.float64)
    denominators = np.array([unit.denominator for unit in units], dtype=np.float64)
    sized = denominators > 0
    if settings.target is not None:
        centre = settings.target / settings.multiplier
    elif settings.kind == "ratio":
        centre = 1.0
    else:
        above, below = numerators[sized], denominators[sized]
        centre = ratio_of_sums(above.tolist(), below.tolist(), (above / below).tolist())
    scores = score(settings.kind, numerators, denominators, centre)
    found = estimate(
        scores,
        winsorise=settings.winsorise,
        centre_is_given=settings.target is not None or settings.kind == "ratio",
    )
    is_significant = found.p_value is not None and found.p_value < _SIGNIFICANT
    wanted = settings.over_dispersion
    is_adjusted = found.tau_squared > 0 and (
        wanted == "adjust" or (wanted == "auto" and is_significant)
    )
    return _Data(numerators, denominators, centre, scores, found, is_adjusted)


def _limits(settings: FunnelSettings, data: _Data, size: float) -> _Band:
    """The limits for a unit of this size."""
    centre, nothing = data.centre, [math.nan] * 4
    if not (size > 0 and 0 < centre < _ceiling(settings)):
        return _Band(nothing, nothing, nothing)
    if settings.kind == "proportion":
        counts = binomial_limits(size, centre, _LEVELS)
    else:
        counts = poisson_limits(size * centre, _LEVELS)
    wide = adjusted_limits(settings.kind, size, centre, data.dispersion.tau_squared, _LEVELS)
    return _Band(
        counts,
        [count / size * settings.multiplier for count in counts],
        [limit * settings.multiplier for limit in wide],
    )


def _rows(units: Sequence[Unit], settings: FunnelSettings, data: _Data) -> list[dict[str, Any]]:
    values = numbers(data.numerators / data.denominators * settings.multiplier)
    z = numbers(data.scores.z)
    spread = np.sqrt(data.scores.errors**2 + data.dispersion.tau_squared)
    adjusted_z = numbers(data.scores.z * data.scores.errors / spread)
    rows = []
    for row, unit in enumerate(units):
        band = _limits(settings, data, unit.denominator)
        rows.append(
            {
                "id": unit.id,
                "label": unit.label,
                "n": unit.denominator,
                "numerator": unit.numerator,
                "value": values[row],
                "z": z[row],
                "adjusted_z": adjusted_z[row],
                "limits": _named(band.by_chance),
                "adjusted_limits": _named(band.wide),
            }
            | _judge(unit, values[row], band, data.is_adjusted, settings.direction)
        )
    return rows


def _named(limits: Sequence[float]) -> dict[str, float | None]:
    return dict(zip(LIMITS, map(plain, limits), strict=True))


def _judge(
    unit: Unit, value: float | None, band: _Band, is_adjusted: bool, direction: Direction
) -> dict[str, Any]:
    """Where a unit lies; `better` and `worse` say how it compares, not that anything changed."""
    number = math.nan if value is None else value
    limits = band.wide if is_adjusted else band.by_chance
    beyond = [number < limits[0], number < limits[1], number > limits[2], number > limits[3]]
    if not is_adjusted and unit.denominator > 0:
        beyond[2:] = [_exceeds(unit.numerator, count) for count in band.counts[2:]]
    side = "low" if beyond[1] else "high" if beyond[2] else None
    meaning = None if side is None else "neither"
    if side is not None and direction != "neutral":
        meaning = "better" if (side == "high") == (direction == "increase") else "worse"
    return {
        "outside_95": side is not None,
        "outside_998": beyond[0] or beyond[3],
        "side": side,
        "meaning": meaning,
    }


def _exceeds(numerator: float, count: float) -> bool:
    return math.isfinite(count) and numerator > math.ceil(count)


def _curve(settings: FunnelSettings, data: _Data) -> list[dict[str, Any]]:
    """The limits over the sizes from half of the smallest unit's to a little beyond the largest."""
    sized = data.denominators[data.denominators > 0]
    if not len(sized) or not data.centre > 0:
        return []
    grid = np.geomspace(sized.min() / 2, sized.max() * 1.05, _CURVE_POINTS)
    if settings.kind == "proportion":
        grid = np.unique(np.ceil(grid))
    points = []
    for size in grid.tolist():
        band = _limits(settings, data, size)
        limits = {"limits": _named(band.by_chance), "adjusted_limits": _named(band.wide)}
        points.append({"n": size} | limits)
    return points


def _warnings(units: Sequence[Unit], settings: FunnelSettings, data: _Data) -> list[dict[str, str]]:
    expected = data.denominators * data.centre
    if settings.kind == "proportion":
        expected = np.minimum(expected, data.denominators * (1 - data.centre))
    empty = [unit.label for unit in units if unit.denominator == 0]
    small = [
        unit.label
        for unit, events in zip(units, expected, strict=True)
        if unit.denominator > 0 and events < _FEW_EVENTS
    ]
    warnings = [
        ("no_units", "There is nothing to compare.", not units),
        (
            "denominator_zero",
            f"Without a denominator, and so without a value: {_some(empty)}.",
            empty,
        ),
        (
            "small_numbers",
            f"Fewer than 5 events are expected: {_some(small)}. The limits are exact, but a unit "
            "of this size can hardly be told from chance.",
            small,
        ),
        (
            "few_units",
            "With fewer than 10 units, how much they differ beyond chance is a rough estimate.",
            0 < len(units) < _FEW_UNITS,
        ),
        (
            "over_dispersed",
            "The units differ more than chance explains; the limits allow for it.",
            data.is_adjusted,
        ),
        (
            "no_limits",
            "No unit differs from none or all, so there are no limits; give a target.",
            len(units) > len(empty) and not 0 < data.centre < _ceiling(settings),
        ),
    ]
    return [{"code": code, "detail": detail} for code, detail, holds in warnings if holds]


def _ceiling(settings: FunnelSettings) -> float:
    return 1.0 if settings.kind == "proportion" else math.inf


def _some(labels: Sequence[str]) -> str:
    return ", ".join(labels[:5]) + (f" and {len(labels) - 5} more" if len(labels) > 5 else "")
