"""Judging: the rules of a rule set, and the runs analysis, in all phases of all series at once."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.spc.rule_sets import Rule, RuleSet
from app.spc.rules import Finding
from app.spc.runs import Runs
from app.spc.series import BoolArray, FloatArray
from app.spc.sides import outside, zones
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
    found: Sequence[Sequence[Found]]  # one a segment: by rule in the order of the set, by position
    track: Track

    @property
    def runs(self) -> Sequence[Runs]:
        """One a segment."""
        return self.track.runs()


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
    is_outside = outside(points)
    rows, bounds = None, segments
    if excluded is not None:  # an excluded point does not exist for any rule: its neighbours join
        is_outside = is_outside & ~excluded
        kept = np.flatnonzero(~excluded)
        points = np.frombuffer(points, np.uint8)[kept].tobytes()
        values, lines, rows = values[kept], lines[:, kept], kept.tolist()
        bounds = [Segment(*pair) for pair in np.searchsorted(kept, segments).tolist()]
    track = lay(points, values, lines, bounds)
    found: defaultdict[int, list[Found]] = defaultdict(list)  # by segment
    for rule in rules.rules:
        if rule.find is not None:
            for finding in rule.find(track):
                index = bisect_right(track.starts, finding.members[0]) - 1
                rowed = _in_rows(finding, bounds[index].start - track.starts[index], rows)
                found[index].append(Found(rule, rule.stated(), rowed))
        if rule.find_in_phase is not None:
            for index, each in enumerate(track.runs()):
                for finding in rule.find_in_phase(track, index, each):
                    rowed = _in_rows(finding, bounds[index].start, rows)
                    found[index].append(Found(rule, rule.stated(each), rowed))
    return Judgement(is_outside, [found.get(index, ()) for index in range(len(segments))], track)


def _in_rows(finding: Finding, moved: int, rows: Sequence[int] | None) -> Finding:
    """A finding in positions of the judged points after a move, and from them in rows."""
    if not moved and rows is None:
        return finding
    side, members, completed = finding
    if moved:
        if isinstance(members, range):
            members = range(members.start + moved, members.stop + moved)
        else:
            members = [position + moved for position in members]
        completed = None if completed is None else completed + moved
    if rows is not None:
        members = [rows[position] for position in members]
        completed = None if completed is None else rows[completed]
    return Finding(side, members, completed)
