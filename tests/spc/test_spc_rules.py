"""Rule functions against slow oracles that try every stretch and every window."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import rules
from app.spc.rules import Finding, Ties
from app.spc.runs import analyse_runs
from app.spc.sides import zones
from app.spc.tracks import Segment, Track, lay

H, L, ON = 1, 2, 0
NAMES = {H: "high", L: "low"}
codes = st.lists(st.sampled_from([H, H, H, L, ON]), max_size=40).map(bytes)
levels = st.lists(st.integers(-3, 3), max_size=40)  # whole sigmas from the centre
LINES = np.array([0, -2.5, 2.5, -1.5, 1.5, -0.5, 0.5])  # a level of 2 is beyond 2 sigma


def track(levels: Sequence[float]) -> Track:
    """The track of one phase from whole sigmas from the centre."""
    values = np.array(levels, dtype=np.float64)
    lines = np.repeat(LINES[:, None], len(values), axis=1)
    return lay(zones(values, lines), values, lines, [Segment(0, len(values))])


def on_sides(sides: bytes) -> Track:
    return track([{H: 1, L: -1, ON: 0}[side] for side in sides])


def plain(findings: Iterable[Finding]) -> list[tuple[str | None, list[int], int | None]]:
    return [(finding.side, list(finding.members), finding.completed) for finding in findings]


def maximal_runs(
    sides: Sequence[int], length: int
) -> list[tuple[str | None, list[int], int | None]]:
    """Every stretch of equal sides that cannot be made longer, by trying all of them."""
    found = []
    for start in range(len(sides)):
        for stop in range(start + length, len(sides) + 1):
            same = len(set(sides[start:stop])) == 1 and sides[start] != ON
            grows_left = start > 0 and sides[start - 1] == sides[start]
            grows_right = stop < len(sides) and sides[stop] == sides[start]
            if same and not grows_left and not grows_right:
                found.append((NAMES[sides[start]], list(range(start, stop)), start + length - 1))
    return found  # type: ignore[return-value]


@given(codes, st.integers(2, 8))
def test_shift_breaks_on_the_centre(sides: bytes, length: int) -> None:
    assert plain(rules.shift(length, "break")(on_sides(sides))) == maximal_runs(sides, length)


@given(codes, st.integers(2, 8))
def test_shift_skips_the_centre(sides: bytes, length: int) -> None:
    rows = [row for row, side in enumerate(sides) if side != ON]
    expected = [
        (side, [rows[position] for position in members], rows[members[length - 1]])
        for side, members, _ in maximal_runs([sides[row] for row in rows], length)
    ]
    assert plain(rules.shift(length, "skip")(on_sides(sides))) == expected


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(3, 7))
def test_trend_is_strictly_monotone(values: list[int], length: int) -> None:
    found = plain(rules.trend(length, "break")(track(values)))
    members = {tuple(rows) for _, rows, _ in found}
    for start in range(len(values) - length + 1):
        window = values[start : start + length]
        rising = all(b > a for a, b in pairwise(window))
        falling = all(b < a for a, b in pairwise(window))
        covered = any(set(range(start, start + length)) <= set(rows) for rows in members)
        assert covered == (rising or falling)
    for side, rows, completed in found:
        assert completed == rows[length - 1]
        assert all((values[b] > values[a]) == (side == "high") for a, b in pairwise(rows))


def two_of_three(levels: list[int]) -> dict[str, set[int]]:
    """Rows flagged by the 2 of 3 rule, window by window."""
    flagged: dict[str, set[int]] = {"high": set(), "low": set()}
    for start in range(len(levels) - 2):
        window = range(start, start + 3)
        for side, sign in ("high", 1), ("low", -1):
            beyond = [row for row in window if sign * levels[row] >= 2]
            if len(beyond) >= 2 and all(sign * levels[row] > 0 for row in window):
                flagged[side] |= set(beyond)
    return flagged


@given(levels)
def test_two_of_three_flags_every_point_beyond_in_a_window(levels: list[int]) -> None:
    found = plain(beyond(levels))
    expected = two_of_three(levels)
    for side in "high", "low":
        rows = [row for name, members, _ in found if name == side for row in members]
        assert len(rows) == len(set(rows))  # no point is in two findings
        assert set(rows) == expected[side]


@given(levels)
def test_two_of_three_is_completed_as_soon_as_a_window_holds(levels: list[int]) -> None:
    for side, members, completed in plain(beyond(levels)):
        assert completed is not None
        assert side is not None
        until = two_of_three(levels[: completed + 1])[side]
        before = two_of_three(levels[:completed])[side]
        assert members[0] in until
        assert members[0] not in before


def beyond(levels: list[int]) -> Iterable[Finding]:
    return rules.beyond_warning(2, window=3)(track(levels))


@pytest.mark.parametrize(
    ("levels", "members", "completed"),
    [
        ([2, 2, 1], [0, 1], 2),  # completed by a point that is not beyond 2 sigma itself
        ([1, 2, 3], [1, 2], 2),  # beyond 3 counts
        ([2, 1, 2], [0, 2], 2),
        ([2, 1, 2, 1, 2], [0, 2, 4], 2),  # windows that share a member are one signal
        ([2, 2, 1, 1, 2, 2], [0, 1], 2),  # and those that do not are two
    ],
)
def test_two_of_three_by_hand(levels: list[int], members: list[int], completed: int) -> None:
    assert plain(beyond(levels))[0] == ("high", members, completed)


def test_findings_are_in_order_of_position() -> None:
    found = plain(beyond([-2, -2, -2, 0, 2, 2, 2]))
    assert [members[0] for _, members, _ in found] == [0, 4]


@pytest.mark.parametrize("levels", [[2, 2, -1], [2, 0, 2], [2, 2], [2, 1, 1, 2], [3, -3, 3]])
def test_two_of_three_needs_the_whole_window_on_one_side(levels: list[int]) -> None:
    assert plain(beyond(levels)) == []


@pytest.mark.parametrize(("ties", "signals"), [("skip", 1), ("break", 0)])
def test_one_point_on_the_line_decides_between_rule_sets(ties: Ties, signals: int) -> None:
    values = [9, 11, 9, 11, 12, 13, 12, 10, 14, 12, 13, 12, 11]  # centre 10
    around = track([value - 10 for value in values])
    assert len(plain(rules.shift(8, ties)(around))) == signals
    assert len(plain(rules.shift(7, ties)(around))) == signals


def test_long_run_signals_skip_the_centre() -> None:
    sides = bytes([H] * 5 + [ON] + [H] * 5)  # 10 useful points, at most 6 in a run
    members = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10]
    assert plain(rules.long_run(sides, analyse_runs(sides))) == [("high", members, 7)]
    assert plain(rules.few_crossings(sides, analyse_runs(sides))) == [(None, [], None)]
