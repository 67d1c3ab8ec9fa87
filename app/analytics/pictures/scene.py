"""What stands around the data of a picture: texts, symbols, strokes and boxes by the pixel, as
layers of Vega-Lite. Texts are data: nothing that a person wrote becomes part of an expression."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.analytics.pictures.axes import Frame
from app.analytics.pictures.style import INK, PAPER

Layer = dict[str, Any]


def pixel(name: str) -> dict[str, Any]:
    """A position channel in pixels."""
    return {"field": name, "type": "quantitative", "scale": None, "axis": None}


def literal(name: str, kind: str = "nominal") -> dict[str, Any]:
    """A channel that takes the field as it is."""
    return {"field": name, "type": kind, "scale": None, "legend": None}


_BY = {name: {"expr": f"datum.{name}"} for name in ("align", "baseline", "weight", "angle")}
_TEXT = {
    "type": "text",
    "align": _BY["align"],
    "baseline": _BY["baseline"],
    "fontWeight": _BY["weight"],
    "angle": _BY["angle"],
    "aria": False,
}


@dataclass(slots=True)
class Scene:
    """Collects what is drawn, in pixels of the picture."""

    texts: list[dict[str, Any]] = field(default_factory=list)
    symbols: list[dict[str, Any]] = field(default_factory=list)
    strokes: list[dict[str, Any]] = field(default_factory=list)
    boxes: list[dict[str, Any]] = field(default_factory=list)

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        colour: str = INK,
        align: str = "left",
        weight: str = "normal",
        baseline: str = "middle",
        angle: int = 0,
    ) -> None:
        """A line of text."""
        if text:
            self.texts.append(
                {"x": x, "y": y, "text": text, "size": round(size, 1), "colour": colour}
                | {"align": align, "weight": weight, "baseline": baseline, "angle": angle}
            )

    def stamp(
        self,
        x: float,
        y: float,
        shape: str,
        area: float,
        *,
        fill: str = PAPER,
        stroke: str = INK,
        thickness: float = 1.0,
    ) -> None:
        """A symbol of so many square pixels."""
        self.symbols.append(
            {"x": x, "y": y, "shape": shape, "area": round(area, 1), "fill": fill}
            | {"stroke": stroke, "thickness": thickness}
        )

    def stroke(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        colour: str,
        thickness: float = 1.0,
        dash: Sequence[float] = (1, 0),
    ) -> None:
        """A straight line."""
        self.strokes.append(
            {"x": start[0], "y": start[1], "x2": end[0], "y2": end[1]}
            | {"colour": colour, "thickness": thickness, "dash": list(dash)}
        )

    def box(self, frame: Frame, colour: str) -> None:
        """A filled rectangle."""
        self.boxes.append(
            {"x": frame.left, "y": frame.top, "x2": frame.right, "y2": frame.bottom}
            | {"colour": colour}
        )

    def behind(self, origin: Frame) -> list[Layer]:
        """The layers that lie under the data."""
        spanned = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
        boxes: Layer = {"name": "boxes", "mark": {"type": "rect", "aria": False}}
        boxes["encoding"] = spanned | {"fill": literal("colour")}
        strokes: Layer = {"name": "strokes", "mark": {"type": "rule", "aria": False}}
        strokes["encoding"] = spanned | {
            "stroke": literal("colour"),
            "strokeWidth": literal("thickness", "quantitative"),
            "strokeDash": literal("dash"),
        }
        return _placed(boxes, self.boxes, origin) + _placed(strokes, self.strokes, origin)

    def before(self, origin: Frame) -> list[Layer]:
        """The layers that lie over the data."""
        symbols: Layer = {"name": "symbols", "mark": {"type": "point", "opacity": 1, "aria": False}}
        symbols["encoding"] = {
            "shape": literal("shape"),
            "size": literal("area", "quantitative"),
            "fill": literal("fill"),
            "stroke": literal("stroke"),
            "strokeWidth": literal("thickness", "quantitative"),
        }
        texts: Layer = {"name": "texts", "mark": _TEXT}
        texts["encoding"] = {
            "text": {"field": "text", "type": "nominal"},
            "size": literal("size", "quantitative"),
            "color": literal("colour"),
        }
        return _placed(symbols, self.symbols, origin) + _placed(texts, self.texts, origin)


def _placed(layer: Layer, data: list[dict[str, Any]], origin: Frame) -> list[Layer]:
    """The layer with its data, counted from the origin; none without data."""
    if not data:
        return []
    shift = {"x": origin.left, "x2": origin.left, "y": origin.top, "y2": origin.top}
    values = [
        {k: round(v - shift[k], 1) if k in shift else v for k, v in item.items()} for item in data
    ]
    encoding = {"x": pixel("x"), "y": pixel("y"), **layer["encoding"]}
    return [{**layer, "data": {"values": values}, "encoding": encoding}]
