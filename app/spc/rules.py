"""Rule functions: each makes a finder of one pattern in the points of one phase.

Every finder costs at most a few passes over the points. Positions count the points of the phase
that are not excluded.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from app.spc.runs import Runs
from app.spc.sides import HIGH, LOW, ON, SIDES, Side

Ties = Literal["break", "skip"]  # what a point on the line, or a gap, does to a pattern


class Stretch(NamedTuple):
    """The points of one phase that are not excluded, as sides (one byte a point)."""

    centre: bytes  # of the centre
    limits: bytes  # outside the 3 sigma limits
    warnings: bytes  # beyond the 2 sigma lines
    steps: bytes  # up (HIGH) or down (LOW) to the next point; one shorter than the rest
    runs: Runs


class Finding(NamedTuple):
    """A pattern: its side (None if it has none), its points, and the point that completed it."""

    side: Side | None
    members: Sequence[int]
    completed: int | None


Finder = Callable[[Stretch], Iterable[Finding]]

_OFF = re.compile(b"[%b%b]" % (HIGH, LOW))
_RUNS = {side: re.compile(side + b"+") for side in (HIGH, LOW)}


def outside_limits(stretch: Stretch) -> Iterable[Finding]:
    """Each point outside the 3 sigma limits is a finding of its own."""
    for match in _OFF.finditer(stretch.limits):
        row = match.start()
        yield Finding(SIDES[stretch.limits[row]], (row,), row)


def shift(length: int, ties: Ties) -> Finder:
    """At least `length` points in a row on one side of the centre."""
    return lambda stretch: _same(stretch.centre, length, ties)


def trend(length: int, ties: Ties) -> Finder:
    """At least `length` points in a row rising, or falling; the side is that of the slope."""

    def find(stretch: Stretch) -> Iterable[Finding]:
        for side, steps, completed in _same(stretch.steps, length - 1, ties):
            assert completed is not None
            yield Finding(side, [steps[0], *(step + 1 for step in steps)], completed + 1)

    return find


def long_run(stretch: Stretch) -> Iterable[Finding]:
    """Each run longer than the runs analysis allows; points on the centre do not count."""
    if stretch.runs.is_long and stretch.runs.longest_run_max is not None:
        yield from _same(stretch.centre, stretch.runs.longest_run_max + 1, "skip")


def few_crossings(stretch: Stretch) -> Iterable[Finding]:
    """Too few crossings of the centre: a finding about the whole phase, without members."""
    if stretch.runs.is_rarely_crossing:
        yield Finding(None, (), None)


def beyond_warning(count: int, window: int) -> Finder:
    """At least `count` of `window` neighbours beyond 2 sigma, the whole window on one side.

    Members are the points beyond 2 sigma. Windows that share a member are one finding.
    """

    def find(stretch: Stretch) -> Iterable[Finding]:
        found: list[Finding] = []
        for side in HIGH, LOW:
            if stretch.warnings.count(side) >= count:
                found += _clusters(stretch, side, count, window)
        return sorted(found, key=lambda finding: finding.members[0])

    return find


def _clusters(stretch: Stretch, side: bytes, count: int, window: int) -> Iterable[Finding]:
    beyond = [match.start() for match in re.finditer(side, stretch.warnings)]
    clusters: list[list[int]] = []  # first and last as positions in `beyond`, completing point
    for first in range(len(beyond) - count + 1):
        last = first + count - 1
        end = _window_end(stretch.centre, side * window, beyond[first], beyond[last])
        if end is None:
            continue
        if clusters and first <= clusters[-1][1]:
            clusters[-1][1] = last
        else:
            clusters.append([first, last, end])
    name = SIDES[side[0]]
    return [Finding(name, beyond[first : last + 1], end) for first, last, end in clusters]


def _window_end(centre: bytes, wanted: bytes, first: int, last: int) -> int | None:
    """The end of the earliest window that is `wanted` and holds `first` to `last`, if any."""
    window = len(wanted)
    start = centre.find(wanted, max(0, last - window + 1), first + window)
    return None if start < 0 else start + window - 1


def _same(codes: bytes, length: int, ties: Ties) -> Iterable[Finding]:
    """Maximal runs of at least `length` equal sides."""
    positions: Sequence[int] = range(len(codes))
    if ties == "skip" and ON in codes:
        positions = [position for position, code in enumerate(codes) if code != ON[0]]
        codes = codes.replace(ON, b"")
    for start, stop in sorted([*_spans(codes, HIGH, length), *_spans(codes, LOW, length)]):
        yield Finding(SIDES[codes[start]], positions[start:stop], positions[start + length - 1])


def _spans(codes: bytes, side: bytes, length: int) -> Iterable[tuple[int, int]]:
    wanted, run = side * length, _RUNS[side]
    start = codes.find(wanted)
    while start >= 0:
        match = run.match(codes, start)
        assert match is not None  # it starts with `wanted`
        yield match.span()
        start = codes.find(wanted, match.end())
