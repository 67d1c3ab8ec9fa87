"""Signals: what a rule found, in rows of the series, with its meaning and a stable identity."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from app.spc.judging import Found
from app.spc.rule_sets import RuleSet
from app.spc.settings import Direction
from app.spc.sides import Side

Meaning = Literal["improvement", "concern", "neither"]

_MEANINGS: dict[tuple[Side, Direction], Meaning] = {
    ("high", "increase"): "improvement",
    ("low", "decrease"): "improvement",
    ("high", "decrease"): "concern",
    ("low", "increase"): "concern",
}


class Signal(NamedTuple):
    """A pattern that chance rarely makes.

    `direction` is the side of the centre, for a trend the slope; None for a pattern of spread
    (alternating, inner or outer points), and for a signal about a whole phase, which has no
    members, spans the rows of the phase and was completed by no one point.
    """

    id: str
    rule: str
    parameters: dict[str, int]
    direction: Side | None
    meaning: Meaning
    start: int
    end: int
    members: tuple[int, ...]  # rows, ascending
    completed_at: int | None
    phase: int


class Scene(NamedTuple):
    """One phase of one series: what turns findings in it into signals of the series."""

    phase: int  # its number
    start: int  # rows of the series
    stop: int
    offset: int  # row of the joined arrays where the series starts
    keys: Sequence[str]  # one a row of the series
    direction: Direction


def signals_of_points(signals: Sequence[Signal], size: int, rules: RuleSet) -> list[list[Signal]]:
    """For each row of a series the signals to list with it, in the order of the rules."""
    rows: list[list[Signal]] = [[] for _ in range(size)]
    for signal in signals:
        for row in signal.members:
            if not (rules.one_label and rows[row]):
                rows[row].append(signal)
    return rows


def signals_of(found: Iterable[Found], scene: Scene, rules: RuleSet) -> list[Signal]:
    """The signals of one phase, in the order of its findings."""
    version = f"{rules.name}/{rules.version}"
    return [_signal(each, version, scene) for each in found]


def _signal(found: Found, version: str, scene: Scene) -> Signal:
    side, positions, completed = found.finding
    offset, keys = scene.offset, scene.keys
    members = tuple([row - offset for row in positions] if offset else positions)
    start, end = (members[0], members[-1]) if members else (scene.start, scene.stop - 1)
    return Signal(
        signal_id(found.rule.name, version, keys[scene.start], keys[start]),
        found.rule.name,
        found.parameters,
        side,
        "neither" if side is None else _MEANINGS.get((side, scene.direction), "neither"),
        start,
        end,
        members,
        None if completed is None else completed - offset,
        scene.phase,
    )


def signal_id(rule: str, version: str, phase_start: str, first_member: str) -> str:
    """16 hex digits that stay the same while points are appended to the series."""
    text = "\x1f".join((rule, version, phase_start, first_member))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
