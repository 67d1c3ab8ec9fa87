"""EWMA charts: a moving average whose weights fade, for small lasting shifts.

Sources: Roberts 1959, Technometrics 1:239; Lucas & Saccucci 1990, Technometrics 32:1; Montgomery,
Introduction to Statistical Quality Control, section "The EWMA control chart".
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from app.spc import printing
from app.spc.errors import SpcError
from app.spc.memory import Base, MemorySettings, Prepared, in_range, prepare
from app.spc.printing import MemorySignal
from app.spc.series import FloatArray, Series
from app.spc.sides import Side

_FLOOR = {"values": -math.inf, "proportion": 0.0, "rate": 0.0}
_CEILING = {"values": math.inf, "proportion": 1.0, "rate": math.inf}


@dataclass(frozen=True, slots=True, kw_only=True)
class EwmaSettings(MemorySettings):
    """How to draw an EWMA chart.

    weight: lambda, of the newest point; above 0, at most 1 (1 is a Shewhart chart).
    limit_width: L, the distance of the limits in sigmas of the statistic.
    limits: `exact` widen from the start of a phase; `asymptotic` are those that they tend to.
    Lucas & Saccucci: with weight 0.2 a width of 2.962 gives a false signal in 500 points.
    """

    weight: float = 0.2
    limit_width: float = 3.0
    limits: Literal["exact", "asymptotic"] = "exact"


def ewma(series: Series, settings: EwmaSettings, *, as_of: str | None = None) -> dict[str, Any]:
    """The EWMA document: z_i = weight x_i + (1 - weight) z_(i-1), from the centre of the phase.

    The variance of z is carried from point to point, so unequal denominators are exact; for equal
    ones it is the textbook's sigma^2 weight/(2-weight) (1-(1-weight)^(2i)). Missing and excluded
    points add nothing: the statistic is null there, and the lines stay. Raises SpcError.
    """
    _check(settings)
    with np.errstate(all="ignore"):  # undefined and huge numbers are expected, and become null
        ready = prepare(series, settings)
        _check_limits(ready, settings)
        return _document(series, settings, ready, as_of)


def _check(settings: EwmaSettings) -> None:
    in_range("weight", settings.weight, above=0, most=1)
    in_range("limit_width", settings.limit_width, above=0)
    if settings.limits not in {"exact", "asymptotic"}:
        raise SpcError("unknown_limits", "The limits are exact or asymptotic.", "/limits")


def _check_limits(ready: Prepared, settings: EwmaSettings) -> None:
    if settings.limits == "asymptotic" and any(_varies(base.sigma) for base in ready.phases):
        detail = "Asymptotic limits need equal denominators; ask for exact limits."
        raise SpcError("limits_do_not_settle", detail, "/limits")


def _varies(sigma: FloatArray) -> bool:
    known = sigma[sigma == sigma]
    return bool(len(known)) and bool(np.any(known != known[0]))


def _document(
    series: Series, settings: EwmaSettings, ready: Prepared, as_of: str | None
) -> dict[str, Any]:
    size, multiplier = len(series.x), settings.multiplier
    lines = np.full((4, size), np.nan)  # statistic, centre, lower limit, upper limit
    for base in ready.phases:
        lines[:, base.start : base.stop] = _smooth(ready, base, settings)
    # Judged before the multiplier: it must not decide what lies on a limit.
    high, low = (lines[0] > lines[3]).tolist(), (lines[0] < lines[2]).tolist()
    found = [signal for base in ready.phases for signal in _signals(ready, base, high, low)]
    said = printing.stated(
        settings,
        weight=settings.weight,
        limit_width=settings.limit_width,
        limits=settings.limits,
    )
    shown = lines * multiplier
    overflowed = bool(np.isinf(shown).any() or np.isinf(ready.observed.values * multiplier).any())
    printed = printing.signals(
        found, settings, ready, weight=settings.weight, limit_width=settings.limit_width
    )
    columns = dict(
        zip(
            ("statistic", "centre", "lower_limit", "upper_limit"),
            map(printing.numbers, shown),
            strict=True,
        ),
        outside_limits=[above or below for above, below in zip(high, low, strict=True)],
    )
    ids = printing.ids_of_rows(printed, size)
    return printing.head("ewma", settings, said, as_of) | {
        "points": printing.points(series, ready, multiplier, columns, ids),
        "phases": printing.phases(ready, series.x, multiplier),
        "signals": printed,
        "quality": printing.quality(series, settings, ready, overflowed=overflowed),
    }


def _smooth(ready: Prepared, base: Base, settings: EwmaSettings) -> FloatArray:
    """Statistic, centre and limits of one phase, in raw units."""
    weight, keep = settings.weight, 1 - settings.weight
    values = ready.observed.values[base.start : base.stop].tolist()
    statistics, spreads = [], []
    statistic, variance = base.centre, 0.0
    for value, sigma, ok in zip(
        values, base.sigma.tolist(), ready.usable[base.start : base.stop], strict=True
    ):
        if ok:
            statistic += weight * (value - statistic)
            variance = keep * keep * variance + weight * weight * sigma * sigma
        statistics.append(statistic if ok else np.nan)
        spreads.append(math.sqrt(variance) if variance else np.nan)
    half = np.array(spreads) * settings.limit_width
    if settings.limits == "asymptotic":
        half = np.fmax.reduce(base.sigma, initial=np.nan) * np.ones(len(values))
        half *= settings.limit_width * math.sqrt(weight / (2 - weight))
    lower = np.maximum(base.centre - half, _FLOOR[settings.data])
    upper = np.minimum(base.centre + half, _CEILING[settings.data])
    return np.array([statistics, np.full(len(values), base.centre), lower, upper])


def _signals(ready: Prepared, base: Base, high: list[bool], low: list[bool]) -> list[MemorySignal]:
    """Neighbouring points outside the same limit are one signal: they are not independent."""
    found: list[MemorySignal] = []
    before = None
    for row in range(base.start, base.stop):
        if not ready.usable[row]:
            continue
        side: Side | None = "high" if high[row] else "low" if low[row] else None
        if side is not None and side == before:
            found[-1].members.append(row)
        elif side is not None:
            found.append(MemorySignal("ewma", side, [row], row, base.number))
        before = side
    return found
