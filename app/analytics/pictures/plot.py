"""The data of a chart as layers of Vega-Lite on real scales: lines, values and points."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.analytics.pictures.axes import Frame, Vertical
from app.analytics.pictures.instants import iso
from app.analytics.pictures.rows import LINES, Rows
from app.analytics.pictures.scene import Layer
from app.analytics.pictures.style import (
    GRID,
    INK,
    KINDS,
    LIMIT,
    LIMIT_DASH,
    SOFT,
    TARGET,
    TARGET_DASH,
    THREAD,
)
from app.analytics.pictures.typeset import clean

_COLOURS = {"upper_limit": LIMIT, "lower_limit": LIMIT, "centre": SOFT, "target": TARGET}
_DASHES = {
    "upper_limit": LIMIT_DASH,
    "lower_limit": LIMIT_DASH,
    "centre": [1, 0],
    "target": TARGET_DASH,
}
_THICKNESS = {"upper_limit": 1.2, "lower_limit": 1.2, "centre": 1.4, "target": 1.4}
_SHOWN = ("value", "centre", "lower_limit", "upper_limit", "target")


@dataclass(frozen=True, slots=True)
class Channels:
    """The two position channels, made for one field each."""

    x: Mapping[str, Any]
    y: Mapping[str, Any]

    def at(self, x: str, y: str) -> dict[str, Any]:
        """Positions by these two fields."""
        return {"x": {"field": x, **self.x}, "y": {"field": y, **self.y}}


def channels(
    rows: Rows, y: Vertical, x_ticks: Sequence[float], y_ticks: Sequence[float], k: float
) -> Channels:
    """Channels on the scales of the two axes; labels are texts of the scene, never expressions."""
    axis = {"title": None, "labels": False, "tickColor": LIMIT, "tickSize": 5 * k}
    x_scale: dict[str, Any] = {"domain": [rows.axis.low, rows.axis.high], "nice": False}
    kind = "temporal" if rows.axis.is_time else "quantitative"
    x_scale |= {"type": "utc"} if rows.axis.is_time else {"zero": False}
    x_axis = axis | {"values": list(x_ticks), "grid": False, "domainColor": LIMIT}
    y_axis = axis | {"values": list(y_ticks), "domain": False, "gridColor": GRID, "ticks": False}
    return Channels(
        {"type": kind, "scale": x_scale, "axis": x_axis if x_ticks else None},
        {
            "type": "quantitative",
            "scale": {"domain": [y.low, y.high], "zero": False, "nice": False},
            "axis": y_axis if y_ticks else None,
        },
    )


def point_area(rows: Rows, frame: Frame, k: float) -> float:
    """The area of a common point: as large as the distance between points allows."""
    spacing = frame.width / max(len(rows.points), 1)
    return max(9.0 * k, min(46.0 * k * k, (0.75 * spacing) ** 2))


def is_dense(area: float) -> bool:
    """Whether points stand so close that common ones would only cover the line."""
    return area < 16


class Look(NamedTuple):
    """Sizes of the marks, and the fields of the data that say where they are."""

    area: float
    k: float
    of_points: tuple[str, str] = ("x", "value")
    of_lines: tuple[str, str] = ("x", "y")
    apart: tuple[str, ...] = ()  # fields that keep the charts of a sheet apart


def layers(lines: Sequence[Mapping[str, Any]], by: Channels, look: Look) -> list[Layer]:
    """Lines under the values, values under the points. The points are the data of the chart."""
    drawn = [_lines(lines, by, look)] if lines else []
    thread, points = _thread(by, look), _points(by, look)
    # Where points stand close, the values would hide the lines.
    return [thread, *drawn, points] if is_dense(look.area) else [*drawn, thread, points]


def _detail(name: str, look: Look) -> list[dict[str, Any]]:
    return [{"field": field, "type": "nominal"} for field in (name, *look.apart)]


def _by_line(table: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "field": "line",
        "type": "ordinal",
        "scale": {
            "type": "ordinal",
            "domain": list(LINES),
            "range": [table[line] for line in LINES],
        },
        "legend": None,
    }


def _lines(lines: Sequence[Mapping[str, Any]], by: Channels, look: Look) -> Layer:
    k = look.k
    thickness = {line: round(value * k, 2) for line, value in _THICKNESS.items()}
    dashes = {line: [round(length * k, 1) for length in _DASHES[line]] for line in LINES}
    return {
        "name": "lines",
        "data": {"values": list(lines)},
        "mark": {"type": "line", "aria": False},
        "encoding": by.at(*look.of_lines)
        | {
            "detail": _detail("part", look),
            "color": _by_line(_COLOURS),
            "strokeDash": _by_line(dashes),
            "strokeWidth": _by_line(thickness),
        },
    }


def _thread(by: Channels, look: Look) -> Layer:
    """Joins the values of a phase; it breaks at a gap and passes by an excluded point."""
    thickness = round(look.k * (0.8 if is_dense(look.area) else 1.4), 2)
    return {
        "name": "values",
        "transform": [{"filter": "!datum.excluded"}],
        "mark": {"type": "line", "stroke": THREAD, "strokeWidth": thickness, "aria": False},
        "encoding": by.at(*look.of_points) | {"detail": _detail("phase", look)},
    }


def _by_kind(position: str, factor: float = 1.0) -> dict[str, Any]:
    values = [getattr(kind, position) for kind in KINDS.values()]
    if position == "size":
        values = [round(value * factor, 1) for value in values]
    scale = {"type": "ordinal", "domain": list(KINDS), "range": values}
    of = "nominal" if position == "shape" else "ordinal"  # else Vega-Lite warns
    return {"field": "kind", "type": of, "scale": scale, "legend": None}


def _points(by: Channels, look: Look) -> Layer:
    area, outline = look.area, 0.0 if is_dense(look.area) else look.k
    shown: list[dict[str, Any]] = [{"field": "label", "type": "nominal", "title": "point"}]
    shown += [{"field": name, "type": "quantitative"} for name in _SHOWN]
    shown += [{"field": name, "type": "nominal"} for name in ("kind", "signals", "note")]
    channel = {name: _by_kind(name, area) for name in ("shape", "size", "fill", "stroke")}
    filters = ["isValid(datum.value)"]
    if is_dense(area):
        filters.append("datum.kind !== 'common_cause'")
    return {
        "name": "points",
        "transform": [{"filter": " && ".join(filters)}],
        "mark": {"type": "point", "opacity": 1, "strokeWidth": round(outline, 2), "color": INK},
        "encoding": by.at(*look.of_points) | channel | {"tooltip": shown},
    }


def values(rows: Rows, rules: Mapping[str, str]) -> list[dict[str, Any]]:
    """The data: one object a point, with the names of the rules that it is a signal of.

    Texts are cleaned too: Vega reads them out in the labels of its marks.
    """
    drawn = zip(rows.points, rows.kinds, rows.axis.values, strict=True)
    return [
        {
            "x": iso(x) if rows.axis.is_time else x,
            "label": clean(point["x"]),
            **{name: point[name] for name in _SHOWN},
            "phase": point["phase"],
            "excluded": point["excluded"],
            "kind": kind,
            "signals": ", ".join(dict.fromkeys(rules[name] for name in point["signals"])),
            "note": clean(point["note"] or "") or None,
        }
        for point, kind, x in drawn
    ]


def rule_names(document: Mapping[str, Any]) -> dict[str, str]:
    """The rule of each signal by its id."""
    return {signal["id"]: signal["rule"].replace("_", " ") for signal in document["signals"]}
