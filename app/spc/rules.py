"""Rule functions: each makes a finder of one pattern in the points of joined phases.

A finder looks at all phases of all series at once and costs a few searches of bytes where there
is nothing to find. Positions count the judged points of a track.

What a gap does: it breaks a shift or a trend where ties break them, and is as though it were not
there where ties are skipped (a trend then goes on from the point before the gap). It takes a
place in a window of m of n, and it breaks patterns of alternating, inner and outer points.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from app.spc.runs import Runs
from app.spc.sides import (
    ANYWHERE,
    BEYOND_1,
    BEYOND_3,
    BREAK,
    GAP,
    HIGH,
    IS_OUTSIDE,
    LOW,
    ON,
    SIDES,
    Side,
)
from app.spc.tracks import Track

Ties = Literal["break", "skip"]  # what a point on the line, or a gap, does to a pattern


class Finding(NamedTuple):
    """A pattern: its side (None if it has none), its points, and the point that completed it."""

    side: Side | None
    members: Sequence[int]
    completed: int | None


Finder = Callable[[Track], Iterable[Finding]]
# Finds in one phase, of which the number and the runs are given; positions count from its start.
PhaseFinder = Callable[[Track, int, Runs], Iterable[Finding]]

PlaceArray = npt.NDArray[np.intp]
_FEW = 500  # points, which it pays to look through before anything else
_RUNS = {side: re.compile(side + b"+") for side in (HIGH, LOW)}
_SKIPPED = ON + GAP
_IS_KEPT = bytes(code not in _SKIPPED for code in range(256))
_WHOLE_PHASE = (Finding(None, (), None),)


def outside_limits(track: Track) -> Iterable[Finding]:
    """Each point outside the 3 sigma limits is a finding of its own."""
    flags = track.zones.translate(IS_OUTSIDE)
    if b"\1" not in flags:
        return ()
    off = np.flatnonzero(np.frombuffer(flags, np.bool_)).tolist()
    codes = track.zones.translate(BEYOND_3)
    return [Finding(SIDES[codes[position]], (position,), position) for position in off]


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
    up, down = b"\1" * (length - 1), b"\0" * (length - 1)

    def find(track: Track) -> Iterable[Finding]:
        if ties == "break" and len(track.values) <= _FEW:  # most often a cheap look is enough
            ups = track.ups()
            if up not in ups and down not in ups:
                return ()
        codes = track.steps() if ties == "break" else track.steps_over_gaps()
        found = [
            Finding(side, [_departure(codes, steps[0]), *steps], completed)
            for side, steps, completed in _same(codes, length - 1, ties)
        ]
        return _filled(found, track) if found and spanned else found

    return find


def long_run(track: Track, phase: int, runs: Runs) -> Iterable[Finding]:
    """Each run longer than the runs analysis allows; points on the centre do not count."""
    if runs.is_long and runs.longest_run_max is not None:
        start, (first, stop) = track.starts[phase], track.bounds[phase]
        centre = track.centre[start : start + stop - first]
        return _same(centre, runs.longest_run_max + 1, "skip")
    return ()


def few_crossings(track: Track, phase: int, runs: Runs) -> Iterable[Finding]:
    """Too few crossings of the centre: a finding about the whole phase, without members."""
    return _WHOLE_PHASE if runs.is_rarely_crossing else ()


def too_few_runs(track: Track, phase: int, runs: Runs) -> Iterable[Finding]:
    """Fewer runs than chance makes: a finding about the whole phase, without members."""
    return _WHOLE_PHASE if runs.runs < (runs.runs_min or 0) else ()


def too_many_runs(track: Track, phase: int, runs: Runs) -> Iterable[Finding]:
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
    looks = {side: _window(side, count, window) for side in (HIGH, LOW)}

    def find(track: Track) -> Iterable[Finding]:
        codes = track.zones.translate(beyond)
        found: list[Finding] = []
        for side in HIGH, LOW:
            if len(codes) <= _FEW and not looks[side].search(codes):
                continue
            places, dense = _dense(codes, side, count, window)
            if dense:
                room = track.centre if same_side else track.zones.translate(ANYWHERE)
                wanted = (side if same_side else HIGH) * window
                found += [
                    Finding(SIDES[side[0]], places[first : last + 1].tolist(), end)
                    for first, last, end in _clusters(dense, count, room, wanted, short_phases)
                ]
        found.sort(key=_first)
        return found

    return find


def inner(length: int) -> Finder:
    """At least `length` points in a row between the 1 sigma lines; it has no side."""

    def find(track: Track) -> Iterable[Finding]:
        if ON * length not in track.zones.translate(BEYOND_1):
            return ()  # the cheap look: a point on a 1 sigma line passes it, and is not inner
        return [
            Finding(None, range(start, stop), start + length - 1)
            for start, stop in _spans(track.within_1_sigma(), HIGH, length)
        ]

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
    up_first, down_first = [(pair * steps)[:steps] for pair in (b"\1\0", b"\0\1")]

    def find(track: Track) -> Iterable[Finding]:
        if len(track.values) <= _FEW:  # as in trend()
            ups = track.ups()
            if up_first not in ups and down_first not in ups:
                return ()
        # With every second step turned round, steps up and down in turn are steps on one side.
        turned = np.frombuffer(track.steps(), np.uint8).copy()
        np.negative(turned[::2], out=turned[::2])
        return [
            Finding(None, range(turns[0] - 1, turns[-1] + 1), completed)
            for _, turns, completed in _same(turned.tobytes(), steps, "break")
        ]

    return find


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


def _window(side: bytes, count: int, window: int) -> re.Pattern[bytes]:
    """`count` bytes of a side within a window, whatever the others are."""
    ways = {
        b"".join(side if place in others else b"." for place in range(1, window)).rstrip(b".")
        for others in combinations(range(1, window), count - 1)
    }
    return re.compile(side + b"(?:%b)" % b"|".join(sorted(ways)), re.DOTALL)


def _dense(
    codes: bytes, side: bytes, count: int, window: int
) -> tuple[PlaceArray, Iterable[tuple[int, int, int]]]:
    """Where the side is, and which `count` of these places in a row lie within a window.

    Of each: which of the places is its first, that place, and the place of its last.
    """
    places = np.flatnonzero(np.frombuffer(codes, np.uint8) == side[0])
    starts, stops = places[: 1 - count], places[count - 1 :]
    firsts = np.flatnonzero(stops - starts < window)
    if not len(firsts):
        return places, ()
    return places, list(
        zip(*[each.tolist() for each in (firsts, starts[firsts], stops[firsts])], strict=True)
    )


def _clusters(
    dense: Iterable[tuple[int, int, int]],
    count: int,
    room: bytes,
    wanted: bytes,
    short_phases: bool,
) -> Iterable[list[int]]:
    """Windows where `room` has `wanted`, merged if they share a place of the side.

    Of each: the first and the last of the places, and the point that completed it.
    """
    clusters: list[list[int]] = []
    for first, start, stop in dense:
        end = _window_end(room, wanted, start, stop, short_phases)
        if end is None:
            continue
        last = first + count - 1
        if clusters and first <= clusters[-1][1]:
            clusters[-1][1] = last
        else:
            clusters.append([first, last, end])
    return clusters


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
    if HIGH * length not in text and LOW * length not in text:
        return ()
    spans = sorted(_spans(text, HIGH, length) + _spans(text, LOW, length))
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
