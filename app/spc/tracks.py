"""Tracks: the judged points of many segments in one string of bytes, for finders to search once."""

from collections.abc import Sequence
from typing import NamedTuple

from app.spc.series import FloatArray
from app.spc.sides import BREAK, CENTRE, ByteArray, steps


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
        codes[[start for start, stop in self.bounds if start < stop]] = BREAK[0]
        return _join(codes, self.bounds)


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
