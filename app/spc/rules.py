"""Rule functions: each makes a finder of one pattern in the points of joined phases.

A finder looks at all phases of all series at once and costs a few searches of bytes where there
is nothing to find. Positions count the judged points of a track.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from app.spc.runs import Runs
from app.spc.sides import BEYOND_2, BEYOND_3, HIGH, LOW, ON, SIDES, Side
from app.spc.tracks import Track

Ties = Literal["break", "skip"]  # what a point on the line, or a gap, does to a pattern


class Finding(NamedTuple):
    """A pattern: its side (None if it has none), its points, and the point that completed it."""

    side: Side | None
    members: Sequence[int]
    completed: int | None


Finder = Callable[[Track], Iterable[Finding]]
# Finds in one phase, from the sides of its points and their runs; positions count from its start.
PhaseFinder = Callable[[bytes, Runs], Iterable[Finding]]

_OFF = re.compile(b"[%b%b]" % (HIGH, LOW))
_RUNS = {side: re.compile(side + b"+") for side in (HIGH, LOW)}


def outside_limits(track: Track) -> Iterable[Finding]:
    """Each point outside the 3 sigma limits is a finding of its own."""
    codes = track.zones.translate(BEYOND_3)
    if HIGH in codes or LOW in codes:
        for match in _OFF.finditer(codes):
            position = match.start()
            yield Finding(SIDES[codes[position]], (position,), position)


def shift(length: int, ties: Ties) -> Finder:
    """At least `length` points in a row on one side of the centre."""
    return lambda track: _same(track.centre, length, ties)


def trend(length: int, ties: Ties) -> Finder:
    """At least `length` points in a row rising, or falling; the side is that of the slope."""

    def find(track: Track) -> Iterable[Finding]:
        for side, steps, completed in _same(track.steps(), length - 1, ties):
            yield Finding(side, [steps[0] - 1, *steps], completed)

    return find


def long_run(centre: bytes, runs: Runs) -> Iterable[Finding]:
    """Each run longer than the runs analysis allows; points on the centre do not count."""
    if runs.is_long and runs.longest_run_max is not None:
        return _same(centre, runs.longest_run_max + 1, "skip")
    return ()


def few_crossings(_: bytes, runs: Runs) -> Iterable[Finding]:
    """Too few crossings of the centre: a finding about the whole phase, without members."""
    return (Finding(None, (), None),) if runs.is_rarely_crossing else ()


def beyond_warning(count: int, window: int) -> Finder:
    """At least `count` of `window` neighbours beyond 2 sigma, the whole window on one side.

    Members are the points beyond 2 sigma. Windows that share a member are one finding.
    """

    def find(track: Track) -> Iterable[Finding]:
        warnings = track.zones.translate(BEYOND_2)
        found: list[Finding] = []
        for side in HIGH, LOW:
            if warnings.count(side) >= count:
                found += _clusters(track.centre, warnings, side, count, window)
        return sorted(found, key=lambda finding: finding.members[0])

    return find


def _clusters(
    centre: bytes, warnings: bytes, side: bytes, count: int, window: int
) -> Iterable[Finding]:
    beyond = [match.start() for match in re.finditer(side, warnings)]
    clusters: list[list[int]] = []  # first and last as positions in `beyond`, completing point
    for first in range(len(beyond) - count + 1):
        last = first + count - 1
        end = _window_end(centre, side * window, beyond[first], beyond[last])
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
