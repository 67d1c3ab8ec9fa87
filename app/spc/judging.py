"""Judging: the rules of a rule set, and the runs analysis, inside each phase of a drawn chart."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.spc.phases import Phase, Plan, describe_phase
from app.spc.rule_sets import RuleSet
from app.spc.rules import Stretch
from app.spc.runs import analyse_runs
from app.spc.series import BoolArray, FloatArray, Observations
from app.spc.settings import Settings
from app.spc.sides import ON, sides
from app.spc.signals import Scene, Signal, find_signals


class Judgement(NamedTuple):
    """What the rules say about a series."""

    outside_limits: BoolArray  # one a row; excluded rows are never flagged
    phases: tuple[Phase, ...]
    signals: tuple[Signal, ...]


class _Track(NamedTuple):
    """The points that are not excluded, in order: their rows and where they lie."""

    rows: Sequence[int]
    centre: bytes
    limits: bytes
    warnings: bytes
    steps: bytes

    def stretch(self, start: int, stop: int) -> Stretch:
        centre = self.centre[start:stop]
        return Stretch(
            centre,
            self.limits[start:stop],
            self.warnings[start:stop],
            self.steps[start : max(start, stop - 1)],  # no step leads out of a phase
            analyse_runs(centre),
        )


def judge(
    observed: Observations,
    lines: FloatArray,
    plans: Sequence[Plan],
    settings: Settings,
    rules: RuleSet,
) -> Judgement:
    """Judge every phase; `lines` are those of draw_lines, in raw units like the values."""
    kept = None if observed.excluded is None else np.flatnonzero(~observed.excluded)
    if kept is None:
        track = _track(range(len(observed.values)), observed.values, lines)
    else:  # an excluded point does not exist for any rule: its neighbours join
        track = _track(kept.tolist(), observed.values[kept], lines[:, kept])
    phases: list[Phase] = []
    signals: list[Signal] = []
    for index, plan in enumerate(plans):
        start, stop = plan.start, plan.stop
        if kept is not None:
            start, stop = np.searchsorted(kept, (start, stop)).tolist()
        stretch = track.stretch(start, stop)
        scene = Scene(index, plan, track.rows[start:stop], observed.keys, settings.direction)
        signals += find_signals(stretch, rules, scene)
        phases.append(describe_phase(index, plan, stretch.runs, settings.multiplier))
    outside = np.zeros(len(observed.values), dtype=np.bool_)
    outside[slice(None) if kept is None else kept] = np.frombuffer(track.limits, np.uint8) != ON[0]
    return Judgement(outside, tuple(phases), tuple(signals))


def _track(rows: Sequence[int], values: FloatArray, lines: FloatArray) -> _Track:
    earlier = values[:-1]
    return _Track(
        rows,
        sides(values, lines[0], lines[0]),
        sides(values, lines[1], lines[2]),
        sides(values, lines[3], lines[4]),
        sides(values[1:], earlier, earlier),
    )
