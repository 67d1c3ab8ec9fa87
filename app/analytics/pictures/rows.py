"""The points of a document as they are drawn: each with its kind, thinned where there are too many
for the pixels, and the lines through them as corners."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any, NamedTuple

from app import spc
from app.analytics.pictures.axes import Horizontal, horizontal
from app.analytics.pictures.words import Document

LINES = ("upper_limit", "lower_limit", "centre", "target")


class Corner(NamedTuple):
    """A corner of a line: its place along the axis, its value, and the unbroken part it is in."""

    x: float
    y: float
    line: str
    part: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows that are drawn. Of `total` points, the extremes where not all have room."""

    points: list[dict[str, Any]]
    kinds: list[str]
    axis: Horizontal
    total: int

    @property
    def are_thinned(self) -> bool:
        """Whether points were left out."""
        return len(self.points) < self.total


def _meanings(document: Document) -> Mapping[str, str]:
    """The kind of point that each signal makes of its members."""
    return {
        signal["id"]: f"neither_{signal['direction'] or 'high'}"
        if signal["meaning"] == "neither"
        else signal["meaning"]
        for signal in document["signals"]
    }


def kinds(document: Document) -> list[str]:
    """The kind of each point; the last agrees with the variation icon."""
    meanings = _meanings(document)
    rules = spc.RULE_SETS.get(document["settings"]["rule_set"])
    improvement_wins = rules is None or rules.improvement_wins

    def kind(point: Mapping[str, Any]) -> str:
        if point["excluded"]:
            return "excluded"
        found = [meanings[name] for name in point["signals"] if name in meanings]
        if improvement_wins and "improvement" in found:
            return "improvement"
        return found[0] if found else "common_cause"

    return [kind(point) for point in document["points"]]


def rows_of(document: Document, pixels: float) -> Rows:
    """The rows to draw on so many pixels."""
    points, each = document["points"], kinds(document)
    axis = horizontal([point["x"] for point in points])
    if len(points) <= 2 * pixels:
        return Rows(points, each, axis, len(points))
    kept = sorted(_kept(points, each, axis, int(pixels)))
    thinned = Horizontal(
        axis.low,
        axis.high,
        [axis.values[row] for row in kept],
        [axis.labels[row] for row in kept],
        axis.is_time,
    )
    return Rows([points[row] for row in kept], [each[row] for row in kept], thinned, len(points))


def _kept(
    points: Sequence[Mapping[str, Any]], each: Sequence[str], axis: Horizontal, pixels: int
) -> set[int]:
    """In each column of a pixel: ends, extremes, one point of each kind, and all that has a text.

    The picture is the same as with all points, but for points that would cover each other.
    """

    def column(row: int) -> tuple[int, int, bool]:
        values = points[row]
        place = int(axis.share(axis.values[row]) * pixels)
        return place, values["phase"], values["value"] is None

    kept: set[int] = {row for row, point in enumerate(points) if point["annotations"]}
    for (_, _, is_gap), group in groupby(range(len(points)), key=column):
        rows = list(group)
        kept |= {rows[0], rows[-1]}
        if not is_gap:
            kept |= {min(rows, key=lambda row: points[row]["value"])}
            kept |= {max(rows, key=lambda row: points[row]["value"])}
            kept |= {each.index(kind, rows[0]) for kind in {each[row] for row in rows}}
    return kept


def corners(rows: Rows) -> list[Corner]:
    """The lines from border to border of the points, in steps where limits vary.

    They break between phases, but for the target, and where they are undefined.
    """
    edges = rows.axis.edges()
    return [
        corner
        for name in LINES
        for part, (first, stop) in enumerate(_parts(rows.points, name))
        for corner in _steps(rows.points, edges, name, part, first, stop)
    ]


def _parts(points: Sequence[Mapping[str, Any]], name: str) -> Iterator[tuple[int, int]]:
    """Stretches of rows, as first and stop, on which the line is defined."""

    def key(row: int) -> tuple[bool, int]:
        point = points[row]
        return point[name] is None, 0 if name == "target" else point["phase"]

    for (is_missing, _), group in groupby(range(len(points)), key=key):
        stretch = list(group)
        if not is_missing:
            yield stretch[0], stretch[-1] + 1


def _steps(
    points: Sequence[Mapping[str, Any]],
    edges: Sequence[float],
    name: str,
    part: int,
    first: int,
    stop: int,
) -> Iterator[Corner]:
    yield Corner(edges[first], points[first][name], name, part)
    for before, after in pairwise(range(first, stop)):
        if points[before][name] != points[after][name]:
            yield Corner(edges[after], points[before][name], name, part)
            yield Corner(edges[after], points[after][name], name, part)
    yield Corner(edges[stop], points[stop - 1][name], name, part)


def baselines(rows: Rows) -> list[tuple[float, float]]:
    """Where a phase has a baseline that is not all of it: from and to."""
    found, edges = [], rows.axis.edges()
    for _, group in groupby(range(len(rows.points)), key=lambda row: rows.points[row]["phase"]):
        stretch = list(group)
        base = [row for row in stretch if rows.points[row]["in_baseline"]]
        later = [row for row in stretch if base and row > base[-1]]
        if any(_counts(rows.points[row]) for row in later):
            found.append((edges[stretch[0]], edges[base[-1] + 1]))
    return found


def _counts(point: Mapping[str, Any]) -> bool:
    return point["value"] is not None and not point["excluded"]
