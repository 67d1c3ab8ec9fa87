"""The labels at the right end of the lines, kept apart from each other."""

from typing import NamedTuple

from app.analytics.pictures.axes import Frame, Vertical
from app.analytics.pictures.figures import Figures
from app.analytics.pictures.rows import Rows
from app.analytics.pictures.style import LIMIT, SOFT, TARGET
from app.analytics.pictures.words import Document, centre_name

_NAMES = {"upper_limit": "Upper limit", "lower_limit": "Lower limit", "target": "Target"}
_COLOURS = {"centre": SOFT, "upper_limit": LIMIT, "lower_limit": LIMIT, "target": TARGET}


class End(NamedTuple):
    """The label of a line with the line's last value."""

    value: float
    text: str
    colour: str


def ends_of(document: Document, rows: Rows, figures: Figures) -> list[End]:
    """A label for each line that reaches the end of the chart, the highest value first."""
    if not rows.points:
        return []
    last, names = rows.points[-1], {"centre": centre_name(document), **_NAMES}
    found = [
        End(value, f"{names[line]} {figures.write(value, finer=line == 'target')}", colour)
        for line, colour in _COLOURS.items()
        if (value := last[line]) is not None
    ]
    return sorted(found, key=lambda end: -end.value)


def spread(ends: list[End], y: Vertical, frame: Frame, pitch: float) -> list[float]:
    """The height of each label: beside its line, or moved as little as the others need."""
    wanted = [y.place(end.value, frame) for end in ends]
    placed: list[float] = []
    for height in wanted:
        placed.append(max(height, placed[-1] + pitch) if placed else height)
    overrun = (placed[-1] - frame.bottom) if placed else 0.0
    if overrun > 0:
        placed[-1] -= overrun
        for row in range(len(placed) - 2, -1, -1):
            placed[row] = min(placed[row], placed[row + 1] - pitch)
    return placed
