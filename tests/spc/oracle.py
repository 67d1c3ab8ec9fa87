"""A slow, obvious oracle of the rules: loops over lists, written from the words of each rule.

Points are pairs of a row and a value in sigmas from the centre, None for a missing one; points
that are excluded are left out by the caller. It shares no code with the engine.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import comb, log2
from typing import NamedTuple

Value = float | None
Points = Sequence[tuple[int, Value]]


class Pattern(NamedTuple):
    """What a rule finds: side, rows, and the row that completed it."""

    side: str | None
    rows: list[int]
    completed: int | None


def side_of(value: Value, line: float = 0) -> str | None:
    """The side of the centre on which a value lies beyond a line."""
    if value is None or abs(value) <= line:
        return None
    return "high" if value > 0 else "low"


def outside(points: Points) -> list[Pattern]:
    """Each point outside 3 sigma."""
    return [Pattern(side_of(value), [row], row) for row, value in points if side_of(value, 3)]


def shift(points: Points, length: int, *, skip: bool, fill: bool = False) -> list[Pattern]:
    """Points in a row on one side; those on the centre, and gaps, break it or are skipped."""
    useful = [(row, side_of(value)) for row, value in points if side_of(value) or not skip]
    found = [run for run in grouped(useful) if len(run.rows) >= length and run.side]
    return finished(found, points, length, fill=fill)


def grouped(sided: Sequence[tuple[int, str | None]]) -> list[Pattern]:
    """Neighbours of one side, put together."""
    groups: list[Pattern] = []
    for row, side in sided:
        if groups and groups[-1].side == side:
            groups[-1].rows.append(row)
        else:
            groups.append(Pattern(side, [row], None))
    return groups


def trend(points: Points, length: int, *, skip: bool, fill: bool = False) -> list[Pattern]:
    """Points in a row that rise, or fall; equal neighbours, and gaps, break it or are skipped."""
    groups: list[Pattern] = []
    earlier: tuple[int, Value] | None = None
    for row, value in points:
        if value is None:
            if not skip:
                earlier = None
            continue
        if earlier is not None and earlier[1] is not None:
            climb(groups, earlier[0], row, value - earlier[1], skip=skip)
        else:
            groups.append(Pattern(None, [], None))
        earlier = row, value
    return finished([run for run in groups if len(run.rows) >= length], points, length, fill=fill)


def climb(groups: list[Pattern], earlier: int, row: int, change: float, *, skip: bool) -> None:
    """Put a step where it belongs: with the steps before it, or at the start of others."""
    side = side_of(change)
    if side is None:
        if not skip:
            groups.append(Pattern(None, [], None))
    elif groups and groups[-1].side == side:
        groups[-1].rows.append(row)
    else:
        groups.append(Pattern(side, [earlier, row], None))


def finished(found: list[Pattern], points: Points, length: int, *, fill: bool) -> list[Pattern]:
    """Patterns with the point that completed them, and with the points between if wanted."""
    present = [row for row, value in points if value is not None]
    return [
        Pattern(
            side,
            [row for row in present if rows[0] <= row <= rows[-1]] if fill else rows,
            rows[length - 1],
        )
        for side, rows, _ in found
    ]


def m_of_n(
    points: Points,
    count: int,
    window: int,
    line: float,
    *,
    below: float = float("inf"),
    same_side: bool = False,
    short: bool = False,
) -> list[Pattern]:
    """Windows with so many points beyond a line of one side; those that share a point are one."""
    found = []
    for side in "high", "low":
        clusters: list[Pattern] = []
        for end in range(len(points)):
            if end + 1 < window and not short:
                continue
            seen = points[max(0, end + 1 - window) : end + 1]
            beyond = [row for row, value in seen if is_beyond(value, side, line, below)]
            if len(beyond) < count or (same_side and any(side_of(v) != side for _, v in seen)):
                continue
            if clusters and set(beyond) & set(clusters[-1].rows):
                clusters[-1].rows.extend(row for row in beyond if row not in clusters[-1].rows)
            else:
                clusters.append(Pattern(side, beyond, points[end][0]))
        found += clusters
    return sorted(found, key=lambda pattern: pattern.rows[0])


def is_beyond(value: Value, side: str, line: float, below: float) -> bool:
    """Whether a value is beyond a line of this side, and not beyond another."""
    return side_of(value, line) == side and value is not None and abs(value) <= below


def inner(points: Points, length: int) -> list[Pattern]:
    """Points in a row within 1 sigma."""
    sided = [(row, "in" if v is not None and abs(v) < 1 else None) for row, v in points]
    found = [run for run in grouped(sided) if run.side and len(run.rows) >= length]
    return [Pattern(None, rows, rows[length - 1]) for _, rows, _ in found]


def outer(points: Points, length: int) -> list[Pattern]:
    """Windows of points beyond 1 sigma that hold both sides; those that overlap are one."""
    found: list[Pattern] = []
    for end in range(length, len(points) + 1):
        window = points[end - length : end]
        if {side_of(value, 1) for _, value in window} != {"high", "low"}:
            continue
        rows = [row for row, _ in window]
        if found and rows[0] <= found[-1].rows[-1]:
            found[-1].rows.extend(row for row in rows if row > found[-1].rows[-1])
        else:
            found.append(Pattern(None, rows, rows[-1]))
    return found


def alternating(points: Points, length: int) -> list[Pattern]:
    """Stretches that go up and down in turn and cannot be made longer, by trying all of them."""
    found = []
    for start in range(len(points)):
        for stop in range(start + length, len(points) + 1):
            longer = [points[max(0, start - 1) : stop], points[start : stop + 1]]
            if zigzags(points[start:stop]) and not any(
                zigzags(more) and len(more) > stop - start for more in longer
            ):
                rows = [row for row, _ in points[start:stop]]
                found.append(Pattern(None, rows, rows[length - 1]))
    return found


def zigzags(points: Points) -> bool:
    """Whether every step goes the other way than the one before."""
    values = [value for _, value in points if value is not None]
    if len(values) < len(points):
        return False
    steps = [side_of(values[i + 1] - values[i]) for i in range(len(values) - 1)]
    return None not in steps and all(steps[i] != steps[i + 1] for i in range(len(steps) - 1))


def runs_of(points: Points) -> list[Pattern]:
    """The runs of the useful points."""
    return grouped([(row, side_of(value)) for row, value in points if side_of(value)])


def useful(points: Points) -> int:
    """How many points lie off the centre."""
    return sum(side_of(value) is not None for _, value in points)


def long_run(points: Points) -> list[Pattern]:
    """Runs longer than Anhoej's limit."""
    if not useful(points):
        return []
    return shift(points, round(log2(useful(points))) + 4, skip=True)


def few_crossings(points: Points) -> list[Pattern]:
    """Fewer crossings than the 5 % quantile of fair coins."""
    trials = useful(points) - 1
    if trials < 0:
        return []
    chances = [Fraction(comb(trials, crossings), 2**trials) for crossings in range(trials + 1)]
    limit = next(q for q in range(trials + 1) if sum(chances[: q + 1]) >= Fraction(5, 100))
    return [Pattern(None, [], None)] if len(runs_of(points)) - 1 < limit else []


def too_few_runs(points: Points) -> list[Pattern]:
    """Fewer runs than all but 2.5 % of the orders of as many points, half on either side."""
    limits = runs_limits(useful(points))
    return [Pattern(None, [], None)] if limits and len(runs_of(points)) < limits[0] else []


def too_many_runs(points: Points) -> list[Pattern]:
    """More runs than all but 2.5 % of the orders of as many points, half on either side."""
    limits = runs_limits(useful(points))
    return [Pattern(None, [], None)] if limits and len(runs_of(points)) > limits[1] else []


def runs_limits(points: int) -> tuple[int, int] | None:
    """The fewest and the most runs of at least ten points, in exact integers."""
    if points < 10:
        return None
    few, many = points // 2, points - points // 2
    orders = [0, 0]
    for runs in range(2, points + 1):
        half = runs // 2
        if runs % 2:
            ways = comb(few - 1, half) * comb(many - 1, half - 1)
            ways += comb(few - 1, half - 1) * comb(many - 1, half)
        else:
            ways = 2 * comb(few - 1, half - 1) * comb(many - 1, half - 1)
        orders.append(ways)
    assert sum(orders) == comb(points, few)
    fewest = next(r for r in range(points) if 40 * sum(orders[: r + 1]) > sum(orders))
    most = next(r for r in range(points, 0, -1) if 40 * sum(orders[r:]) > sum(orders))
    return fewest, most


Oracle = Callable[[Points], list[Pattern]]

# Each rule set again, from the words of its publication.
RULE_SETS: dict[str, dict[str, Oracle]] = {
    "anhoej": {
        "outside_limits": outside,
        "long_run": long_run,
        "few_crossings": few_crossings,
    },
    "mdc": {
        "outside_limits": outside,
        "trend": lambda points: trend(points, 7, skip=False),
        "two_of_three": lambda points: m_of_n(points, 2, 3, 2, same_side=True),
        "shift": lambda points: shift(points, 7, skip=False),
    },
    "plotthedots": {
        "outside_limits": outside,
        "trend": lambda points: trend(points, 7, skip=False),
        "two_of_three": lambda points: m_of_n(points, 2, 3, 2, below=3, same_side=True),
        "shift": lambda points: shift(points, 7, skip=False),
    },
    "lifeqi": {
        "outside_limits": outside,
        "shift": lambda points: shift(points, 8, skip=True),
        "trend": lambda points: trend(points, 6, skip=True),
        "two_of_three": lambda points: m_of_n(points, 2, 3, 2),
        "fifteen_inner": lambda points: inner(points, 15),
    },
    "ihi_run": {
        "shift": lambda points: shift(points, 6, skip=True),
        "trend": lambda points: trend(points, 5, skip=True),
        "too_few_runs": too_few_runs,
        "too_many_runs": too_many_runs,
    },
    "ihi_spc": {
        "outside_limits": outside,
        "shift": lambda points: shift(points, 8, skip=True),
        "trend": lambda points: trend(points, 6, skip=True),
        "two_of_three": lambda points: m_of_n(points, 2, 3, 2),
        "fifteen_inner": lambda points: inner(points, 15),
    },
    "western_electric": {
        "outside_limits": outside,
        "two_of_three": lambda points: m_of_n(points, 2, 3, 2),
        "four_of_five": lambda points: m_of_n(points, 4, 5, 1),
        "shift": lambda points: shift(points, 8, skip=False),
    },
    "nelson": {
        "outside_limits": outside,
        "shift": lambda points: shift(points, 9, skip=False),
        "trend": lambda points: trend(points, 6, skip=False),
        "fourteen_alternating": lambda points: alternating(points, 14),
        "two_of_three": lambda points: m_of_n(points, 2, 3, 2),
        "four_of_five": lambda points: m_of_n(points, 4, 5, 1),
        "fifteen_inner": lambda points: inner(points, 15),
        "eight_outer": lambda points: outer(points, 8),
    },
    "wahealth": {
        "outside_limits": outside,
        "shift": lambda points: shift(points, 7, skip=True, fill=True),
        "trend": lambda points: trend(points, 5, skip=True, fill=True),
        "two_of_three": lambda points: m_of_n(points, 2, 3, 2, short=True),
    },
    "limits_only": {"outside_limits": outside},
}
