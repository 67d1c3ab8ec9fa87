"""Signals: what a rule found, in rows of the series, with its meaning and a stable identity."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from app.spc.phases import Plan
from app.spc.rule_sets import RuleSet
from app.spc.rules import Finding, Stretch
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

    `direction` is the side of the centre, for a trend the slope; None for a signal about a whole
    phase, which has no members, spans the rows of the phase and was completed by no one point.
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
    """What turns findings in one phase into signals of the series."""

    phase: int
    plan: Plan
    rows: Sequence[int]  # row of each judged point of the phase
    keys: Sequence[str]  # one a row of the series
    direction: Direction


def find_signals(stretch: Stretch, rules: RuleSet, scene: Scene) -> Iterable[Signal]:
    """Every signal of one phase: by rule in the order of the set, then by position."""
    for rule in rules.rules:
        for finding in rule.find(stretch):
            parameters = rule.stated(stretch.runs)
            yield _signal(rule.name, parameters, finding, f"{rules.name}/{rules.version}", scene)


def _signal(
    rule: str, parameters: dict[str, int], finding: Finding, version: str, scene: Scene
) -> Signal:
    rows, plan = scene.rows, scene.plan
    members = tuple([rows[position] for position in finding.members])
    start, end = (members[0], members[-1]) if members else (plan.start, plan.stop - 1)
    side = finding.side
    return Signal(
        signal_id(rule, version, scene.keys[plan.start], scene.keys[start]),
        rule,
        parameters,
        side,
        "neither" if side is None else _MEANINGS.get((side, scene.direction), "neither"),
        start,
        end,
        members,
        None if finding.completed is None else rows[finding.completed],
        scene.phase,
    )


def signal_id(rule: str, version: str, phase_start: str, first_member: str) -> str:
    """16 hex digits that stay the same while points are appended to the series."""
    text = "\x1f".join((rule, version, phase_start, first_member))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
