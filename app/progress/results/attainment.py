"""How far a project is on the way from its baseline to its aim. Pure: plain values in and out.

It is told by the centre lines of phases, never by single points: a centre line moves only when
somebody has decided that the process has changed.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from app.progress.guards import MIN_BASELINE_POINTS
from app.projects.aims import Aim

MIN_PHASE_POINTS = 8  # in a phase after the baseline: as many as a shift has
SUSTAINED_POINTS = 12
_SIDES = {"increase": 1.0, "decrease": -1.0}  # of an aim, and of what is better in a measure
_ROUNDING = 1e-9  # of the numbers at hand: a change of unit must not change what is reached


class AttainmentStatus(StrEnum):
    """Where a project stands with its aim."""

    NO_BASELINE = "no_baseline"
    INSUFFICIENT_DATA = "insufficient_data"
    IN_PROGRESS = "in_progress"
    ATTAINED_PROVISIONAL = "attained_provisional"
    ATTAINED_SUSTAINED = "attained_sustained"
    MISSED = "missed"
    OVERSHOT = "overshot"


class Attainment(NamedTuple):
    """The status, and the share of the way that the centre line and the limits now stand at.

    A share is None where there is no way: to maintain, or a baseline beyond the target already.
    """

    status: AttainmentStatus
    share: float | None = None
    lower_share: float | None = None
    upper_share: float | None = None
    is_shifting: bool = False


Summary = Mapping[str, Any]  # what app.analytics.summaries keeps of a measure


class _Way(NamedTuple):
    """From where to where, in the displayed unit; the side is 1 upwards, -1 down, 0 to stay."""

    side: float
    baseline: float
    target: float
    current: float
    lower: float | None
    upper: float | None

    @property
    def allowance(self) -> float:
        """What rounding may make of the numbers at hand."""
        return _ROUNDING * max(abs(self.baseline), abs(self.target), abs(self.current))

    @property
    def length(self) -> float:
        """From the baseline to the target; zero or less is no way."""
        return self.side * (self.target - self.baseline)

    def share_at(self, value: float | None) -> float | None:
        """The share of the way that a value stands at; None where there is no way."""
        if value is None or self.length <= self.allowance:
            return None
        share = (value - self.baseline) / (self.target - self.baseline)
        return share + 0.0  # minus zero becomes zero

    def lies_beyond(self, value: float, side: float) -> bool:
        """Whether a value has reached the target, coming from the other side of it."""
        return side * (value - self.target) >= -self.allowance


def attainment_of(
    aim: Aim | None, measure_direction: str | None, summary: Summary | None, *, today: date
) -> Attainment | None:
    """None where the aim states no target or no direction: there is nothing to attain yet.

    measure_direction and summary: of the live outcome measure that the aim names, if it names one.
    """
    if aim is None or aim.target_value is None or aim.direction is None:
        return None
    if summary is None or summary["baseline_centre"] is None:
        return Attainment(AttainmentStatus.NO_BASELINE)
    if summary["current_centre"] is None:
        return Attainment(AttainmentStatus.INSUFFICIENT_DATA)
    way = _Way(
        _SIDES.get(aim.direction, 0.0),
        summary["baseline_centre"],
        aim.target_value,
        summary["current_centre"],
        summary["lower_limit"],
        summary["upper_limit"],
    )
    shares = [share for share in map(way.share_at, (way.lower, way.upper)) if share is not None]
    better = _SIDES.get(measure_direction or "", 0.0)
    is_due = aim.by_when is not None and aim.by_when < today
    is_attained = _is_attained(way, better)
    return Attainment(
        _status(way, better, summary, is_attained=is_attained, is_due=is_due),
        way.share_at(way.current),
        min(shares) if len(shares) == 2 else None,
        max(shares) if len(shares) == 2 else None,
        is_shifting=way.side != 0 and not is_attained and _signals(summary, way.side) > 0,
    )


def _status(
    way: _Way, better: float, summary: Summary, *, is_attained: bool, is_due: bool
) -> AttainmentStatus:
    if _is_unsure(way, better, summary):
        return AttainmentStatus.INSUFFICIENT_DATA
    if not is_attained:
        return AttainmentStatus.MISSED if is_due else AttainmentStatus.IN_PROGRESS
    if _is_beyond(way, better):
        return AttainmentStatus.OVERSHOT
    is_adverse = _signals(summary, -(way.side or better)) > 0
    if summary["current_points"] < SUSTAINED_POINTS or is_adverse:
        return AttainmentStatus.ATTAINED_PROVISIONAL
    return AttainmentStatus.ATTAINED_SUSTAINED


def _is_unsure(way: _Way, better: float, summary: Summary) -> bool:
    """Too few points to tell, or to stay at a target without limits that say how near is near."""
    is_later = summary["current_phase"] != summary["baseline_phase"]
    return (
        summary["baseline_points"] < MIN_BASELINE_POINTS
        or (is_later and summary["current_points"] < MIN_PHASE_POINTS)
        or (not (way.side or better) and None in (way.lower, way.upper))
    )


def _is_attained(way: _Way, better: float) -> bool:
    """The centre line has reached the target; to maintain it, it stays on the better side, or,

    where neither side is better, the target stays within the limits.
    """
    side = way.side or better
    if side:
        return way.lies_beyond(way.current, side)
    if way.lower is None or way.upper is None:
        return False
    return way.lower - way.allowance <= way.target <= way.upper + way.allowance


def _is_beyond(way: _Way, better: float) -> bool:
    """Past a target where further is no better, by more than the limits allow for chance."""
    if not way.side or better == way.side:
        return False
    nearest = way.lower if way.side > 0 else way.upper
    return nearest is not None and way.side * (nearest - way.target) > way.allowance


def _signals(summary: Summary, side: float) -> int:
    """Signals of the current phase on one side; without a side, on both."""
    high, low = summary["current_high_signals"], summary["current_low_signals"]
    return int(high if side > 0 else low if side < 0 else high + low)
