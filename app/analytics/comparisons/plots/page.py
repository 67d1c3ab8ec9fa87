"""The page that every plot of this package stands on: heading, axes' labels, key, footer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.analytics.pictures import typeset
from app.analytics.pictures.axes import Frame, Tick, Vertical
from app.analytics.pictures.chart import specification
from app.analytics.pictures.ends import End, spread
from app.analytics.pictures.plot import Channels
from app.analytics.pictures.scene import Layer, Scene
from app.analytics.pictures.style import GRID, INK, LIMIT, SOFT, Canvas

MARGIN, TITLE, SUBTITLE, LABEL, SMALL = 14, 17.0, 12.5, 11.0, 10.0
_TITLE_LINES, _SUBTITLE_LINES = 2, 3


class Entry(NamedTuple):
    """A symbol of the key and its words."""

    words: str
    shape: str
    fill: str
    stroke: str


@dataclass(frozen=True, slots=True)
class Told:
    """The texts of a page. `alternative` is the whole plot in words."""

    title: str
    lines: Sequence[str]
    footer: Sequence[str]
    alternative: str
    x_title: str = ""
    y_title: str = ""


@dataclass(slots=True)
class Page:
    """A canvas with the frame of the plot; a thumbnail has no texts."""

    canvas: Canvas
    told: Told
    y: Vertical
    y_labels: Sequence[tuple[float, str]]
    ends: Sequence[End] = ()
    x_lines: int = 1  # of text below the plot
    x_room: float = 0.0  # instead of lines, for labels that stand upright
    lanes: int = 0  # of labels above the plot
    is_thumbnail: bool = False
    scene: Scene = field(default_factory=Scene)
    frame: Frame = field(init=False)

    def __post_init__(self) -> None:
        self.frame = self._thumbnail() if self.is_thumbnail else self._framed()

    def size(self, points: float) -> float:
        """A length of this picture."""
        return points * self.canvas.k

    def _thumbnail(self) -> Frame:
        return Frame(8, 8, self.canvas.width - 16, self.canvas.height - 16)

    def _heading(self) -> tuple[list[str], list[str]]:
        room = self.canvas.width - self.size(2 * MARGIN)
        name = typeset.clean(self.told.title) or "Untitled"
        title = typeset.wrap(name, self.size(TITLE), room, lines=_TITLE_LINES, bold=True)
        text = " ".join(typeset.clean(line) for line in self.told.lines if line)
        return title, typeset.wrap(text, self.size(SUBTITLE), room, lines=_SUBTITLE_LINES)

    def _framed(self) -> Frame:
        title, lines = self._heading()
        size = self.size(LABEL)
        widest = max((typeset.width(text, size) for _, text in self.y_labels), default=0.0)
        left = self.size(MARGIN + 8) + widest + (self.size(16) if self.told.y_title else 0)
        ends = max((typeset.width(end.text, size) for end in self.ends), default=0.0)
        right = min(ends + self.size(10), self.canvas.width * 0.28) + self.size(MARGIN)
        top = self.size(MARGIN + 8 + 21 * len(title) + 17 * len(lines) + 15 * self.lanes)
        below = self.x_room or self.size(13 * self.x_lines)
        bottom = self.size(10 + 22 + 16 + MARGIN - 6 + (15 if self.told.x_title else 0)) + below
        width = max(self.canvas.width - left - right, 40.0)
        return Frame(left, top, width, max(self.canvas.height - top - bottom, 20.0))

    def write(self, x: float, y: float, text: str, size: float, **look: Any) -> None:
        """A text, which thumbnails do without."""
        if not self.is_thumbnail:
            self.scene.write(x, y, text, self.size(size), **look)

    def draw_texts(self) -> None:
        """Heading, labels of the axis of values, ends of lines, footer."""
        title, lines = self._heading()
        x, y = self.size(MARGIN), self.size(MARGIN + 9)
        for line in title:
            self.write(x, y, line, TITLE, weight="bold")
            y += self.size(21)
        for line in lines:
            self.write(x, y - self.size(2), line, SUBTITLE, colour=SOFT)
            y += self.size(17)
        for value, text in self.y_labels:
            place = self.y.place(value, self.frame)
            self.write(
                self.frame.left - self.size(7), place, text, LABEL, colour=SOFT, align="right"
            )
        self._draw_ends()
        self._draw_titles()

    def _draw_ends(self) -> None:
        x = self.frame.right + self.size(6)
        room = self.canvas.width - x - self.size(4)
        heights = spread(list(self.ends), self.y, self.frame, self.size(LABEL * 1.25))
        for end, y in zip(self.ends, heights, strict=True):
            text = typeset.fit(end.text, self.size(LABEL), room)
            self.write(x, y, text, LABEL, colour=end.colour)

    def _draw_titles(self) -> None:
        frame, size = self.frame, self.size(LABEL)
        if self.told.y_title:
            text = typeset.fit(typeset.clean(self.told.y_title), size, frame.height + size)
            x, y = self.size(MARGIN + 2), frame.top + frame.height / 2
            self.write(x, y, text, LABEL, colour=SOFT, align="center", angle=270)
        if self.told.x_title:
            text = typeset.fit(typeset.clean(self.told.x_title), size, frame.width)
            below = self.x_room or self.size(13 * self.x_lines)
            y = frame.bottom + self.size(16) + below
            self.write(frame.left + frame.width / 2, y, text, LABEL, colour=SOFT, align="center")
        parts = [typeset.clean(part) for part in self.told.footer if part]
        room = self.canvas.width - self.size(2 * MARGIN)
        footer = typeset.fit(" \u00b7 ".join(parts), self.size(SMALL), room)
        self.write(self.size(MARGIN), self._foot(), footer, SMALL, colour=LIMIT)

    def _foot(self) -> float:
        return self.canvas.height - self.size(MARGIN + 2)

    def draw_ticks(self, ticks: Sequence[Tick], place: Any) -> None:
        """The labels of the axis along the bottom; `place` gives the pixel of a value."""
        size = self.size(LABEL)
        for tick in ticks:
            for row, line in enumerate(tick.lines):
                half = typeset.width(line, size) / 2
                x = min(max(place(tick.value), half + 2), self.canvas.width - half - 2)
                y = self.frame.bottom + self.size(14 + 13 * row)
                self.write(x, y, line, LABEL, colour=SOFT, align="center")

    def draw_key(self, entries: Sequence[Entry]) -> None:
        """A symbol and words for each kind of mark that is there, as far as there is room."""
        if self.is_thumbnail:
            return
        x, y = self.size(MARGIN), self._foot() - self.size(18)
        for entry in entries:
            wide = self.size(31) + typeset.width(entry.words, self.size(LABEL))
            if x + wide > self.canvas.width:
                return
            area = 42 * self.size(1) ** 2
            self.scene.stamp(
                x + self.size(5), y, entry.shape, area, fill=entry.fill, stroke=entry.stroke
            )
            self.write(x + self.size(15), y, entry.words, LABEL, colour=SOFT)
            x += wide

    def nothing(self, text: str) -> None:
        """What stands where there is nothing to draw."""
        x, y = self.frame.left + self.frame.width / 2, self.frame.top + self.frame.height / 4
        self.write(x, y, text, SUBTITLE, colour=SOFT, align="center")

    def finished(
        self, layers: Sequence[Layer], data: list[dict[str, Any]], document: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The Vega-Lite document."""
        return specification(
            self.canvas,
            self.frame,
            [*self.scene.behind(self.frame), *layers, *self.scene.before(self.frame)],
            description=typeset.clean(self.told.alternative),
            data=data,
            about={
                "chart": document["chart"],
                "title": document["title"],
                "settings_hash": document["settings_hash"],
            },
        )

    def vertical_channel(self) -> dict[str, Any]:
        """The channel of values; labels are texts of the scene, never expressions."""
        axis: dict[str, Any] = {
            "title": None,
            "labels": False,
            "values": [value for value, _ in self.y_labels],
        }
        axis |= {"domain": False, "gridColor": GRID, "ticks": False}
        return {
            "type": "quantitative",
            "scale": {"domain": [self.y.low, self.y.high], "zero": False, "nice": False},
            "axis": None if self.is_thumbnail else axis,
        }

    def channels(
        self, low: float, high: float, ticks: Sequence[float], *, is_time: bool = False
    ) -> Channels:
        """The two position channels of a plot on linear axes."""
        scale: dict[str, Any] = {"domain": [low, high], "nice": False}
        scale |= {"type": "utc"} if is_time else {"zero": False}
        axis: dict[str, Any] = {
            "title": None,
            "labels": False,
            "values": list(ticks),
            "grid": False,
        }
        axis |= {"domainColor": LIMIT, "tickColor": LIMIT, "tickSize": self.size(5)}
        x = {
            "type": "temporal" if is_time else "quantitative",
            "scale": scale,
            "axis": None if self.is_thumbnail or not ticks else axis,
        }
        return Channels(x, self.vertical_channel())


def rule_layer(name: str, data: Sequence[Mapping[str, Any]], by: Channels, **mark: Any) -> Layer:
    """Lines through data with the fields x, y and part; a part is one unbroken line."""
    look = {"type": "line", "aria": False, "clip": True, "stroke": INK} | mark
    encoding = by.at("x", "y") | {"detail": [{"field": "part", "type": "nominal"}]}
    return {"name": name, "data": {"values": list(data)}, "mark": look, "encoding": encoding}


def symbol_channel(name: str, column: str, looks: Mapping[str, Any], *, kind: str) -> Layer:
    """A channel that takes its value from the kind of a mark."""
    scale = {"type": "ordinal", "domain": list(looks), "range": list(looks.values())}
    return {name: {"field": column, "type": kind, "scale": scale, "legend": None}}
