"""Rule functions: each makes a finder of one pattern in the points of joined phases.

A finder looks at all phases of all series at once and costs a few searches of bytes where there
is nothing to find. Positions count the judged points of a track.

What a gap does: it breaks a shift or a trend where ties break them, and is as though it were not
there where ties are skipped (a trend then goes on from the point before the gap). It takes a
place in a window of m of n, and it breaks patterns of alternating, inner and outer points.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from app.spc.runs import Runs
from app.spc.sides import ANYWHERE, BEYOND_1, BEYOND_3, BREAK, GAP, HIGH, LOW, ON, SIDES, Side
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
_SKIPPED = ON + GAP
_IS_KEPT = bytes(code not in _SKIPPED for code in range(256))
_WHOLE_PHASE = (Finding(None, (), None),)


def outside_limits(track: Track) -> Iterable[Finding]:
    """Each point outside the 3 sigma limits is a finding of its own."""
    codes = track.zones.translate(BEYOND_3)
    if HIGH in codes or LOW in codes:
        for match in _OFF.finditer(codes):
            position = match.start()
            yield Finding(SIDES[codes[position]], (position,), position)


def shift(length: int, ties: Ties, *, spanned: bool = False) -> Finder:
    """At least `length` points in a row on one side of the centre.

    Points that are skipped are no members, unless those `spanned` by the others are to be.
    """

    def find(track: Track) -> Iterable[Finding]:
        found = _same(track.centre, length, ties)
        return _filled(found, track) if found and spanned else found

    return find


def trend(length: int, ties: Ties, *, spanned: bool = False) -> Finder:
    """At least `length` points in a row rising, or falling; the side is that of the slope."""

    def find(track: Track) -> Iterable[Finding]:
        codes = track.steps() if ties == "break" else track.steps_over_gaps()
        found = [
            Finding(side, [_departure(codes, steps[0]), *steps], completed)
            for side, steps, completed in _same(codes, length - 1, ties)
        ]
        return _filled(found, track) if found and spanned else found

    return find


def long_run(centre: bytes, runs: Runs) -> Iterable[Finding]:
    """Each run longer than the runs analysis allows; points on the centre do not count."""
    if runs.is_long and runs.longest_run_max is not None:
        return _same(centre, runs.longest_run_max + 1, "skip")
    return ()


def few_crossings(_: bytes, runs: Runs) -> Iterable[Finding]:
    """Too few crossings of the centre: a finding about the whole phase, without members."""
    return _WHOLE_PHASE if runs.is_rarely_crossing else ()


def too_few_runs(_: bytes, runs: Runs) -> Iterable[Finding]:
    """Fewer runs than chance makes: a finding about the whole phase, without members."""
    return _WHOLE_PHASE if runs.runs < (runs.runs_min or 0) else ()


def too_many_runs(_: bytes, runs: Runs) -> Iterable[Finding]:
    """More runs than chance makes: a finding about the whole phase, without members."""
    return _WHOLE_PHASE if runs.runs > (runs.runs_max or runs.runs) else ()


def m_of_n(
    count: int,
    window: int,
    beyond: bytes,
    *,
    same_side: bool = False,
    short_phases: bool = False,
) -> Finder:
    """At least `count` of `window` neighbours beyond a line of one side.

    Members are the points beyond. Windows that share a member are one finding. beyond: the view
    of sides that says which points count. same_side: the whole window must lie on that side of
    the centre. short_phases: fewer points than a window suffice at the start of a phase.
    """

    def find(track: Track) -> Iterable[Finding]:
        codes = track.zones.translate(beyond)
        found: list[Finding] = []
        for side in HIGH, LOW:
            if codes.count(side) >= count:
                room = track.centre if same_side else track.zones.translate(ANYWHERE)
                wanted = (side if same_side else HIGH) * window
                found += _clusters(codes, room, side, count, wanted, short_phases)
        found.sort(key=_first)
        return found

    return find


def inner(length: int) -> Finder:
    """At least `length` points in a row between the 1 sigma lines; it has no side."""

    def find(track: Track) -> Iterable[Finding]:
        for start, stop in _spans(track.within_1_sigma(), HIGH, length):
            yield Finding(None, range(start, stop), start + length - 1)

    return find


def outer(length: int) -> Finder:
    """At least `length` points in a row beyond 1 sigma, on both sides of the centre among them.

    Members are the points of all windows of `length` that hold both sides; it has no side.
    """

    def find(track: Track) -> Iterable[Finding]:
        codes = track.zones.translate(BEYOND_1)
        for start, stop in _spans(codes.replace(LOW, HIGH), HIGH, length):
            yield from _two_sided(codes, start, stop, length)

    return find


def alternating(length: int) -> Finder:
    """At least `length` points in a row that go up and down in turn; it has no side."""
    steps = length - 1
    starts = [(pair * steps)[:steps] for pair in (HIGH + LOW, LOW + HIGH)]
    goes_on = {
        HIGH[0]: re.compile(b"(?:%b%b)*%b?" % (LOW, HIGH, LOW)),
        LOW[0]: re.compile(b"(?:%b%b)*%b?" % (HIGH, LOW, HIGH)),
    }

    def find(track: Track) -> Iterable[Finding]:
        codes = track.steps()
        position = _find_any(codes, starts, 0)
        while position >= 0:
            match = goes_on[codes[position + steps - 1]].match(codes, position + steps)
            assert match is not None  # it may be empty
            yield Finding(None, range(position - 1, match.end()), position + steps - 1)
            position = _find_any(codes, starts, match.end())

    return find


def _find_any(codes: bytes, patterns: Iterable[bytes], start: int) -> int:
    """The first position of any of the patterns, or -1."""
    found = [codes.find(pattern, start) for pattern in patterns]
    return min([position for position in found if position >= 0], default=-1)


def _two_sided(codes: bytes, start: int, stop: int, length: int) -> Iterable[Finding]:
    """Unions of windows of `length` between start and stop that hold both sides."""
    found: list[list[int]] = []
    for first in range(start, stop - length + 1):
        window = codes[first : first + length]
        if HIGH not in window or LOW not in window:
            continue
        if found and first < found[-1][1]:
            found[-1][1] = first + length
        else:
            found.append([first, first + length])
    return [Finding(None, range(first, end), first + length - 1) for first, end in found]


def _clusters(
    codes: bytes, room: bytes, side: bytes, count: int, wanted: bytes, short_phases: bool
) -> Iterable[Finding]:
    """Windows of `count` points of a side, where `room` has `wanted`; merged if they share one."""
    beyond = [match.start() for match in re.finditer(side, codes)]
    reach = len(wanted) - 1
    clusters: list[list[int]] = []  # first and last as positions in `beyond`, completing point
    for first, (start, stop) in enumerate(zip(beyond, beyond[count - 1 :], strict=False)):
        if stop - start > reach:
            continue
        last = first + count - 1
        end = _window_end(room, wanted, start, stop, short_phases)
        if end is None:
            continue
        if clusters and first <= clusters[-1][1]:
            clusters[-1][1] = last
        else:
            clusters.append([first, last, end])
    name = SIDES[side[0]]
    return [Finding(name, beyond[first : last + 1], end) for first, last, end in clusters]


def _window_end(
    room: bytes, wanted: bytes, first: int, last: int, short_phases: bool
) -> int | None:
    """The end of the earliest window that is `wanted` and holds `first` to `last`, if any."""
    if short_phases:
        return None if BREAK in room[first:last] else last
    window = len(wanted)
    start = room.find(wanted, max(0, last - window + 1), first + window)
    return None if start < 0 else start + window - 1


def _same(codes: bytes, length: int, ties: Ties) -> Sequence[Finding]:
    """Maximal runs of at least `length` equal sides."""
    text = codes if ties == "break" else codes.translate(None, _SKIPPED)
    spans = _spans(text, HIGH, length) + _spans(text, LOW, length)
    if not spans:
        return ()
    spans.sort()
    if len(text) == len(codes):
        rows: Sequence[Sequence[int]] = [range(start, stop) for start, stop in spans]
    else:
        kept = np.flatnonzero(np.frombuffer(codes.translate(_IS_KEPT), np.bool_))
        rows = [kept[start:stop].tolist() for start, stop in spans]
    return [
        Finding(SIDES[text[start]], members, members[length - 1])
        for (start, _), members in zip(spans, rows, strict=True)
    ]


def _filled(found: Iterable[Finding], track: Track) -> Iterable[Finding]:
    """Findings with every point between their members, gaps left out."""
    gaps = track.gaps()
    for side, members, completed in found:
        spanned = range(members[0], members[-1] + 1)
        yield Finding(side, [point for point in spanned if gaps[point] != GAP[0]], completed)


def _departure(steps: bytes, first: int) -> int:
    """The point that the step to `first` departs from."""
    departure = first - 1
    while steps[departure] == GAP[0]:
        departure -= 1
    return departure


def _spans(codes: bytes, side: bytes, length: int) -> list[tuple[int, int]]:
    """Start and stop of the maximal runs of a side of at least `length`."""
    wanted, run = side * length, _RUNS[side]
    found = []
    start = codes.find(wanted)
    while start >= 0:
        match = run.match(codes, start)
        assert match is not None  # it starts with `wanted`
        found.append(match.span())
        start = codes.find(wanted, match.end())
    return found


def _first(finding: Finding) -> int:
    return finding.members[0]
