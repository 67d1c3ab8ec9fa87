"""Tracks: the judged points of many segments in one string of bytes, for finders to search once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from app.spc.runs import Runs, analyse_runs
from app.spc.series import FloatArray, all_hold
from app.spc.sides import BREAK, CENTRE, GAP, steps


class Segment(NamedTuple):
    """One phase of one series: rows `start` to `stop - 1` of joined arrays."""

    start: int
    stop: int


@dataclass(eq=False, slots=True)
class Track:
    """The points of all segments, one byte each, with a byte between segments that breaks patterns.

    Excluded points are not in it, so that their neighbours join.
    """

    zones: bytes
    centre: bytes  # sides of the centre
    starts: Sequence[int]  # position of the first point of each segment
    values: FloatArray  # of the judged points, without breaks
    lines: FloatArray
    bounds: Sequence[Segment]  # positions of each segment in `values`
    _steps: bytes | None = None
    _ups: bytes | None = None
    _runs: Sequence[Runs] | None = None

    def runs(self) -> Sequence[Runs]:
        """The runs of each segment, for the first of the rules or documents that asks for them."""
        if self._runs is None:
            self._runs = analyse_runs(self.centre)
        return self._runs

    def steps(self) -> bytes:
        """Up (HIGH) or down (LOW) to each point from the one before; no step enters a segment."""
        if self._steps is None:  # more than one rule looks at them
            codes = np.empty(len(self.values), np.uint8)
            codes[1:] = steps(self.values)
            codes[[start for start, stop in self.bounds if start < stop]] = BREAK[0]
            self._steps = _join(codes.tobytes(), self.bounds)
        return self._steps

    def ups(self) -> bytes:
        """1 where steps() has HIGH, for a cheap look at every pair of neighbours, 0 elsewhere.

        Breaks are not in it, so that a step from one segment into another is like any other.
        """
        if self._ups is None:
            self._ups = (self.values[1:] > self.values[:-1]).tobytes()
        return self._ups

    def steps_over_gaps(self) -> bytes:
        """As steps(), but to each point from the last one that is not a GAP."""
        present = self.values == self.values
        if all_hold(present):
            return self.steps()
        rows = np.flatnonzero(present)
        arriving = np.empty(len(rows), np.uint8)
        arriving[1:] = steps(self.values[rows])
        first = np.searchsorted(rows, [start for start, _ in self.bounds])
        arriving[first[first < len(rows)]] = BREAK[0]
        codes = np.full(len(present), GAP[0], np.uint8)
        codes[rows] = arriving
        return _join(codes.tobytes(), self.bounds)

    def within_1_sigma(self) -> bytes:
        """HIGH at each point that lies between its 1 sigma lines, on neither."""
        inside = (self.values > self.lines[5]) & (self.values < self.lines[6])
        return _join(inside.tobytes(), self.bounds)

    def gaps(self) -> bytes:
        """GAP at each missing value."""
        return _join((GAP[0] * np.isnan(self.values)).astype(np.uint8).tobytes(), self.bounds)


def lay(zones: bytes, values: FloatArray, lines: FloatArray, bounds: Sequence[Segment]) -> Track:
    """The track of segments of judged points."""
    text = _join(zones, bounds)
    starts, position = [], 0
    for start, stop in bounds:
        starts.append(position)
        position += stop - start + 1
    return Track(text, text.translate(CENTRE), starts, values, lines, bounds)


def _join(codes: bytes, bounds: Sequence[Segment]) -> bytes:
    if len(bounds) == 1:
        return codes[bounds[0].start : bounds[0].stop]
    return BREAK.join([codes[start:stop] for start, stop in bounds])
