"""Tracks: the judged points of many segments in one string of bytes, for finders to search once."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from app.spc.series import FloatArray
from app.spc.sides import BREAK, CENTRE, GAP, ByteArray, steps


class Segment(NamedTuple):
    """One phase of one series: rows `start` to `stop - 1` of joined arrays."""

    start: int
    stop: int


class Track(NamedTuple):
    """The points of all segments, one byte each, with a byte between segments that breaks patterns.

    Excluded points are not in it, so that their neighbours join.
    """

    zones: bytes
    centre: bytes  # sides of the centre
    spans: Sequence[Segment]  # positions of each segment in the track
    values: FloatArray  # of the judged points, without breaks
    lines: FloatArray
    bounds: Sequence[Segment]  # positions of each segment in `values`

    def steps(self) -> bytes:
        """Up (HIGH) or down (LOW) to each point from the one before; no step enters a segment."""
        codes = steps(self.values)
        codes[self._starts()] = BREAK[0]
        return _join(codes, self.bounds)

    def steps_over_gaps(self) -> bytes:
        """As steps(), but to each point from the last one that is not a GAP."""
        present = np.flatnonzero(self.values == self.values)
        if len(present) == len(self.values):
            return self.steps()
        inner = steps(self.values[present])
        first = np.searchsorted(present, self._starts())
        inner[first[first < len(present)]] = BREAK[0]
        codes = np.full(len(self.values), GAP[0], np.uint8)
        codes[present] = inner
        return _join(codes, self.bounds)

    def within_1_sigma(self) -> bytes:
        """HIGH at each point that lies between its 1 sigma lines, on neither."""
        inside = (self.values > self.lines[5]) & (self.values < self.lines[6])
        return _join(inside.view(np.uint8), self.bounds)

    def gaps(self) -> bytes:
        """GAP at each missing value."""
        return _join(GAP[0] * np.isnan(self.values).view(np.uint8), self.bounds)

    def _starts(self) -> list[int]:
        return [start for start, stop in self.bounds if start < stop]


def lay(
    points: ByteArray, values: FloatArray, lines: FloatArray, bounds: Sequence[Segment]
) -> Track:
    """The track of segments of judged points."""
    text = _join(points, bounds)
    spans = bounds
    if len(bounds) > 1 or (bounds and bounds[0].start):
        spans, position = [], 0
        for start, stop in bounds:
            end = position + stop - start
            spans.append(Segment(position, end))
            position = end + 1
    return Track(text, text.translate(CENTRE), spans, values, lines, bounds)


def _join(codes: ByteArray, bounds: Sequence[Segment]) -> bytes:
    text = codes.tobytes()
    return BREAK.join([text[start:stop] for start, stop in bounds])
