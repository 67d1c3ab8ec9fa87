"""Judging: the rules of a rule set, and the runs analysis, in all phases of all series at once."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from app.spc.rule_sets import Rule, RuleSet
from app.spc.rules import Finding
from app.spc.runs import Runs, analyse_runs
from app.spc.series import BoolArray, FloatArray
from app.spc.sides import OUTSIDE, zones
from app.spc.tracks import Segment, Track, lay

__all__ = ["Found", "Judgement", "Segment", "judge"]


class Found(NamedTuple):
    """A finding of one rule, in rows of the joined arrays."""

    rule: Rule
    parameters: dict[str, int]  # as applied
    finding: Finding


class Judgement(NamedTuple):
    """What the rules say about joined series."""

    outside_limits: BoolArray  # one a row; excluded rows are never flagged
    runs: Sequence[Runs]  # one a segment
    found: Sequence[Sequence[Found]]  # one a segment: by rule in the order of the set, by position


def judge(
    values: FloatArray,
    lines: FloatArray,
    excluded: BoolArray | None,
    segments: Sequence[Segment],
    rules: RuleSet,
) -> Judgement:
    """Judge segments of joined arrays; no pattern reaches from one segment into another.

    values: on the scale that rules judge on; NaN is a gap. lines: seven rows on the same scale:
    centre, then lower and upper line at 3, 2 and 1 sigma; NaN where undefined. segments: ascending
    and apart; rows outside all of them are compared with their limits and otherwise ignored.
    """
    points = zones(values, lines)
    outside = (points & OUTSIDE) != 0
    rows, bounds = None, segments
    if excluded is not None:  # an excluded point does not exist for any rule: its neighbours join
        outside &= ~excluded
        rows = np.flatnonzero(~excluded)
        points, values, lines = points[rows], values[rows], lines[:, rows]
        bounds = [Segment(*pair) for pair in np.searchsorted(rows, segments).tolist()]
    track = lay(points, values, lines, bounds)
    runs = [analyse_runs(track.centre[start:stop]) for start, stop in track.spans]
    found: list[list[Found]] = [[] for _ in segments]
    numbers = None if rows is None else rows.tolist()
    for rule in rules.rules:
        for index, finding in _findings(rule, track, runs):
            shifted = bounds[index].start - track.spans[index].start
            rowed = _in_rows(finding, shifted, numbers)
            found[index].append(Found(rule, rule.stated(runs[index]), rowed))
    return Judgement(outside, runs, found)


def _findings(rule: Rule, track: Track, runs: Sequence[Runs]) -> Iterable[tuple[int, Finding]]:
    """Findings of one rule, each with the number of its segment, in positions of the track."""
    if rule.find is not None:
        starts = [span.start for span in track.spans]
        for finding in rule.find(track):
            yield bisect_right(starts, finding.members[0]) - 1, finding
    if rule.find_in_phase is not None:
        for index, (start, stop) in enumerate(track.spans):
            for finding in rule.find_in_phase(track.centre[start:stop], runs[index]):
                yield index, _moved(finding, start)


def _in_rows(finding: Finding, shifted: int, rows: Sequence[int] | None) -> Finding:
    finding = _moved(finding, shifted)
    if rows is None:
        return finding
    side, members, completed = finding
    completed = None if completed is None else rows[completed]
    return Finding(side, [rows[position] for position in members], completed)


def _moved(finding: Finding, by: int) -> Finding:
    if not by:
        return finding
    side, members, completed = finding
    completed = None if completed is None else completed + by
    return Finding(side, [position + by for position in members], completed)
