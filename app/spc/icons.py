"""The two icons of Making Data Count: variation (what the process does) and assurance (whether it
will meet its target)."""

import math
from collections.abc import Sequence
from typing import Literal

from app.spc.phases import Phase
from app.spc.quality import DataWarning
from app.spc.series import FloatArray
from app.spc.settings import Direction
from app.spc.signals import Signal

Assurance = Literal["pass", "fail", "hit_or_miss", "none"]


def variation(signals: Sequence[Signal], last: int, *, improvement_wins: bool) -> str:
    """`common_cause`, or meaning and direction of a signal that the last row is a member of.

    Signals without a direction tell of the spread and not of the level; there is no icon for them.
    """
    latest = [signal for signal in _at(signals, last) if signal.direction]
    if not latest:
        return "common_cause"
    chosen = latest[0]
    if improvement_wins:
        chosen = next((signal for signal in latest if signal.meaning == "improvement"), chosen)
    return f"{chosen.meaning}_{chosen.direction}"


def conflicting_signals(signals: Sequence[Signal], last: int) -> tuple[DataWarning, ...]:
    """A warning where the last row is in a pattern of improvement and in one of concern."""
    latest = _at(signals, last)
    if not {"improvement", "concern"} <= {signal.meaning for signal in latest}:
        return ()
    names = {
        meaning: ", ".join(signal.rule for signal in latest if signal.meaning == meaning)
        for meaning in ("improvement", "concern")
    }
    detail = (
        f"The latest point is in signals of improvement ({names['improvement']}) and of concern "
        f"({names['concern']}); the icon shows one of them, so read both."
    )
    return (DataWarning("conflicting_signals", detail),)


def _at(signals: Sequence[Signal], last: int) -> list[Signal]:
    return [signal for signal in signals if signal.end == last and signal.members]


def assurance(
    target: FloatArray | None, lines: FloatArray, phase: Phase, direction: Direction
) -> Assurance:
    """The last target against the last limits, strictly: on the limit is hit or miss.

    A phase of equal values has no limits; its centre stands for both.
    """
    if target is None or direction == "neutral" or not len(target) or math.isnan(target[-1]):
        return "none"
    lower, upper = lines[1, -1], lines[2, -1]
    if math.isnan(lower) and _is_flat(phase):
        lower = upper = lines[0, -1]
    is_below, is_above = target[-1] < lower, target[-1] > upper
    if not is_below and not is_above:
        return "hit_or_miss"
    return "pass" if is_below == (direction == "increase") else "fail"


def _is_flat(phase: Phase) -> bool:
    """Whether every value of the phase lies on its centre."""
    return phase.base_points > 1 and not phase.runs.useful_points
