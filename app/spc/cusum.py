"""Tabular CUSUM charts: what lies beyond an allowance adds up until it counts as a shift.

Sources: Page 1954, Biometrika 41:100; Lucas & Crosier 1982, Technometrics 24:199 (head start);
Montgomery, Introduction to Statistical Quality Control, section "The tabular cusum".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from app.spc import printing
from app.spc.means import mean, ratio_of_sums
from app.spc.memory import Base, MemorySettings, Prepared, in_range, prepare
from app.spc.printing import MemorySignal
from app.spc.series import FloatArray, Observations, Series
from app.spc.sides import Side

_SIDES: tuple[Side, Side] = ("high", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class CusumSettings(MemorySettings):
    """How to draw a CUSUM chart. All of these are in sigmas, as is the statistic.

    allowance: k, half of the shift that matters. decision_interval: h; with k = 0.5, h = 5 gives a
        false signal in 465 points and h = 4 one in 168 (Montgomery; both sides together).
    head_start: part of h that both sides start from (0.5 is the fast initial response); 0: none.
    restart_after_signal: whether a side starts afresh after its signal, as after a cause was
        found and removed; otherwise it adds up for as long as the shift lasts.
    """

    allowance: float = 0.5
    decision_interval: float = 5.0
    head_start: float = 0.0
    restart_after_signal: bool = False


class _Climb(NamedTuple):
    """Points since the sum was last zero, with the one that took it beyond h."""

    rows: list[int]
    crossed: int


class _Side(NamedTuple):
    """One side of one phase."""

    sums: list[float]  # NaN at points that add nothing
    outside: list[bool]
    climbs: list[_Climb]


def cusum(series: Series, settings: CusumSettings, *, as_of: str | None = None) -> dict[str, Any]:
    """The CUSUM document, two sides, standardised by the sigma of each point.

    high_i = max(0, high_(i-1) + z_i - k), low_i = max(0, low_(i-1) - z_i - k), outside above h.
    A signal begins with the first point after the last zero, the estimate of when the process
    changed, and completes at the first crossing; `level` estimates the process from the one to the
    other. Missing and excluded points add nothing and are null. Raises SpcError.
    """
    in_range("allowance", settings.allowance, least=0)
    in_range("decision_interval", settings.decision_interval, above=0)
    in_range("head_start", settings.head_start, least=0, most=0.99)
    with np.errstate(all="ignore"):  # undefined and huge numbers are expected, and become null
        ready = prepare(series, settings)
        return _document(series, settings, ready, as_of)


def _document(
    series: Series, settings: CusumSettings, ready: Prepared, as_of: str | None
) -> dict[str, Any]:
    size, multiplier = len(series.x), settings.multiplier
    sums = np.full((2, size), np.nan)
    outside = [False] * size
    found: list[MemorySignal] = []
    for base in ready.phases:
        steps = _steps(ready, base)
        for line, name in zip(sums, _SIDES, strict=True):
            side = _add_up((steps if name == "high" else -steps).tolist(), settings)
            line[base.start : base.stop] = side.sums
            for row, is_outside in enumerate(side.outside, base.start):
                outside[row] |= is_outside
            found += _signals(side, ready.observed, base, name)
    found.sort(key=lambda signal: (signal.members[0], signal.direction))
    said = printing.stated(
        settings,
        allowance=settings.allowance,
        decision_interval=settings.decision_interval,
        head_start=settings.head_start,
        restart_after_signal=settings.restart_after_signal,
    )
    printed = _printed(found, series, settings, ready)
    columns: dict[str, Sequence[Any]] = {
        "centre": printing.numbers(_centres(ready, size) * multiplier),
        "high": printing.numbers(sums[0]),
        "low": printing.numbers(sums[1]),
        "outside_limits": outside,
    }
    overflowed = bool(np.isinf(sums).any() or np.isinf(ready.observed.values * multiplier).any())
    ids = printing.ids_of_rows(printed, size)
    return printing.head("cusum", settings, said, as_of) | {
        "points": printing.points(series, ready, multiplier, columns, ids),
        "phases": printing.phases(ready, series.x, multiplier),
        "signals": printed,
        "quality": printing.quality(series, settings, ready, overflowed=overflowed),
    }


def _centres(ready: Prepared, size: int) -> FloatArray:
    centres = np.full(size, np.nan)
    for base in ready.phases:
        centres[base.start : base.stop] = base.centre
    return centres


def _steps(ready: Prepared, base: Base) -> FloatArray:
    """Distances from the centre in sigmas; NaN where a point adds nothing."""
    rows = slice(base.start, base.stop)
    steps: FloatArray = (ready.observed.values[rows] - base.centre) / base.sigma
    steps[~np.array(ready.usable[rows], dtype=np.bool_)] = np.nan
    return steps


def _add_up(steps: Sequence[float], settings: CusumSettings) -> _Side:
    limit = settings.decision_interval
    start = settings.head_start * limit
    side = _Side([], [], [])
    total, since, crossed = start, list[int](), False
    for row, step in enumerate(steps):
        if step != step:
            side.sums.append(step)
            side.outside.append(False)
            continue
        total = max(0.0, total + step - settings.allowance)
        since.append(row)
        is_outside = total > limit
        if is_outside and not crossed:
            side.climbs.append(_Climb([], row))
        if is_outside:  # what a climb has gathered up to its latest point outside
            side.climbs[-1].rows[:] = since
        crossed = crossed or is_outside
        side.sums.append(total)
        side.outside.append(is_outside)
        if total == 0 or (is_outside and settings.restart_after_signal):
            total, since, crossed = (start if is_outside else 0.0), [], False
    return side


def _signals(side: _Side, observed: Observations, base: Base, name: Side) -> list[MemorySignal]:
    found = []
    for climb in side.climbs:
        members = [base.start + row for row in climb.rows]
        completed = base.start + climb.crossed
        level = _level(observed, [row for row in members if row <= completed])
        found.append(MemorySignal("cusum", name, members, completed, base.number, level))
    return found


def _level(observed: Observations, rows: list[int]) -> float:
    """Mean, or pooled ratio, of these points: Montgomery's centre + K + C/N."""
    if observed.numerators is None or observed.denominators is None:
        return mean(observed.values[rows].tolist())
    parts = observed.numerators, observed.denominators, observed.values
    return ratio_of_sums(*[part[rows].tolist() for part in parts])


def _printed(
    found: list[MemorySignal], series: Series, settings: CusumSettings, ready: Prepared
) -> list[dict[str, Any]]:
    """The signals with what only a CUSUM tells: when the process changed, and to what level."""
    printed = printing.signals(
        found,
        settings,
        ready,
        allowance=settings.allowance,
        decision_interval=settings.decision_interval,
    )
    for signal, row in zip(found, printed, strict=True):
        level = np.nan if signal.level is None else signal.level * settings.multiplier
        row |= {"changed_at": series.x[signal.members[0]], "level": printing.plain(level)}
    return printed
