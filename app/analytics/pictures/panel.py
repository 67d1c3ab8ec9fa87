"""One chart of a sheet: title, verdict in words, icons, and the plot with the least of axes."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.analytics.pictures import icons, plot, typeset
from app.analytics.pictures.axes import Frame, Vertical, numbers_of, vertical
from app.analytics.pictures.figures import figures_of
from app.analytics.pictures.rows import Rows, baselines, corners, rows_of
from app.analytics.pictures.scene import Layer, Scene
from app.analytics.pictures.style import GRID, INK, KINDS, LIMIT, SHADE, SOFT
from app.analytics.pictures.words import Document, brief_words, is_judged

WIDTH, HEIGHT = 384, 206
K = 0.9
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 66, 22
_TITLE, _SIZE, _RADIUS = 13.0, 10.5, 12
_PIXELS = 160  # a panel draws at most twice as many points


class Panel(NamedTuple):
    """One chart of a sheet; without a document there is nothing to chart yet, or a fault in it."""

    title: str
    subtitle: str
    document: Document | None
    fault: str = ""

    def silence(self) -> str:
        """Why there is no chart."""
        return f"Cannot be charted: {self.fault}" if self.fault else "No measure yet"


@dataclass(slots=True)
class Drawing:
    """What is drawn of all panels, in pixels of the sheet."""

    scene: Scene = field(default_factory=Scene)
    points: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)

    def data(self) -> list[Layer]:
        """The layers of the data."""
        channel = {"type": "quantitative", "scale": None, "axis": None}
        look = plot.Look(20.0, K, ("px", "py"), ("px", "py"), ("panel",))
        return plot.layers(self.lines, plot.Channels(channel, channel), look)

    def add(self, rows: Rows, values: list[dict[str, Any]], y: Vertical, at: Frame) -> None:
        """The points and lines of the next panel."""
        panel = self.points[-1]["panel"] + 1 if self.points else 0
        for item, x in zip(values, rows.axis.values, strict=True):
            value = item["value"]
            height = None if value is None else round(y.place(value, at), 1)
            self.points.append(
                item | {"panel": panel, "px": round(rows.axis.place(x, at), 1), "py": height}
            )
        for corner in corners(rows):
            place = rows.axis.place(corner.x, at), y.place(corner.y, at)
            self.lines.append(
                {"panel": panel, "line": corner.line, "part": corner.part}
                | {"px": round(place[0], 1), "py": round(place[1], 1)}
            )


def draw_panel(drawing: Drawing, panel: Panel, outer: Frame) -> None:
    """Draw one panel inside its frame."""
    scene = drawing.scene
    scene.stroke((outer.left, outer.top), (outer.right, outer.top), GRID, 1.5)
    document = panel.document
    room = outer.width - (5 * _RADIUS if document is not None else 0)
    title = typeset.fit(typeset.clean(panel.title), _TITLE, room, bold=True)
    scene.write(outer.left, outer.top + 16, title, _TITLE, weight="bold")
    subtitle = typeset.fit(typeset.clean(panel.subtitle), _SIZE, room)
    scene.write(outer.left, outer.top + 33, subtitle, _SIZE, colour=SOFT)
    if document is None:
        text = typeset.fit(panel.silence(), _SIZE, outer.width)
        scene.write(outer.left, outer.top + 50, text, _SIZE, colour=SOFT)
        return
    at = Frame(
        outer.left + _LEFT,
        outer.top + _TOP,
        outer.width - _LEFT - _RIGHT,
        outer.height - _TOP - _BOTTOM,
    )
    _draw_chart(drawing, document, outer, at)


def _draw_chart(drawing: Drawing, document: Document, outer: Frame, at: Frame) -> None:
    rows = rows_of(document, _PIXELS)
    numbers = numbers_of(rows.points)
    figures, y = figures_of(numbers, document["unit"]), vertical(numbers)
    scene = drawing.scene
    x, height = outer.left, outer.top + 50
    if is_judged(document):
        kind = KINDS[icons.variation_kind(document)]
        scene.stamp(x + 4, height, kind.shape, 46 * kind.size, fill=kind.fill, stroke=kind.stroke)
        _draw_icons(scene, document, outer)
        x += 13
    words = typeset.fit(brief_words(document, figures), _SIZE, outer.width * 0.66)
    scene.write(x, height, words, _SIZE, colour=INK)
    latest = next((p["value"] for p in reversed(rows.points) if p["value"] is not None), None)
    if latest is not None:
        text = f"latest {figures.write(latest)}"
        scene.write(outer.right, height, text, _SIZE, colour=INK, align="right", weight="bold")
    for low, high in baselines(rows):
        left, right = rows.axis.place(low, at), rows.axis.place(high, at)
        scene.box(Frame(left, at.top, right - left, at.height), SHADE)
    if numbers:
        for tick in y.ticks(at.height, 0.9 * _SIZE):
            place = y.place(tick, at)
            scene.stroke((at.left, place), (at.right, place), GRID)
            text = figures.write(tick, finer=1)
            scene.write(at.left - 5, place, text, _SIZE, colour=SOFT, align="right")
    _draw_ends(scene, rows, at)
    drawing.add(rows, plot.values(rows, plot.rule_names(document)), y, at)


def _draw_icons(scene: Scene, document: Document, outer: Frame) -> None:
    x, y = outer.right - _RADIUS, outer.top + 10 + _RADIUS
    if icons.has_assurance(document):
        icons.assurance(scene, document, x, y, _RADIUS)
        x -= 2.3 * _RADIUS
    icons.variation(scene, document, x, y, _RADIUS)


def _draw_ends(scene: Scene, rows: Rows, at: Frame) -> None:
    """The line of the axis, with the first and the last label below it."""
    if not rows.points:
        return
    scene.stroke((at.left, at.bottom), (at.right, at.bottom), LIMIT)
    y, room = at.bottom + 12, at.width / 2 - 8
    ends = [(0, at.left, "left"), (-1, at.right, "right")]
    for row, x, align in ends[: len(rows.points)]:
        text = typeset.fit(rows.axis.words(row), _SIZE, room)
        scene.write(x, y, text, _SIZE, colour=SOFT, align=align)
