"""What the pictures of charts with a memory share: rows of data, layers, words."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.analytics.comparisons.plots.page import LABEL, Entry, Page, symbol_channel
from app.analytics.pictures.axes import Horizontal
from app.analytics.pictures.instants import day_words, iso, milliseconds
from app.analytics.pictures.plot import Channels
from app.analytics.pictures.scene import Layer
from app.analytics.pictures.style import KINDS, LIMIT, LIMIT_DASH, THREAD
from app.analytics.pictures.typeset import clean
from app.analytics.pictures.words import Document, is_judged, trust_words

_DATA = {"values": "sigma from moving ranges", "proportion": "proportions", "rate": "rates"}


def dashed(k: float) -> dict[str, Any]:
    """The look of a limit."""
    return {"stroke": LIMIT, "strokeWidth": 1.2 * k, "strokeDash": [d * k for d in LIMIT_DASH]}


def _kind_of(signal: Mapping[str, Any]) -> str:
    meaning: str = signal["meaning"]
    return f"neither_{signal['direction']}" if meaning == "neither" else meaning


def when(document: Document, axis: Horizontal, row: int) -> str:
    """A row in words: its date, or its label."""
    return axis.words(row) if axis.values else clean(document["points"][row]["x"])


def rows_of(
    document: Document, axis: Horizontal, series: Sequence[tuple[str, str, int]]
) -> list[dict[str, Any]]:
    """One object a point and statistic: (field, side or "" for both, sign)."""
    signals = {signal["id"]: signal for signal in document["signals"]}
    rows = []
    for field, side, sign in series:
        for point, x in zip(document["points"], axis.values, strict=True):
            found = [signals[name] for name in point["signals"]]
            own = [item for item in found if side in ("", item["direction"])]
            number = point[field]
            rows.append(
                {
                    "x": iso(x) if axis.is_time else x,
                    "label": point["x"],
                    "y": None if number is None else sign * number,
                    "value": point["value"],
                    "part": f"{field} {point['phase']}",
                    "kind": _kind_of(own[0]) if own else "common_cause",
                    "note": point["note"],
                }
            )
    return rows


def line(
    document: Document, axis: Horizontal, numbers: Sequence[float | None], name: str
) -> list[dict[str, Any]]:
    """A line in steps from border to border of the points, broken between phases."""
    edges = axis.edges()
    corners = []
    for row, (point, number) in enumerate(zip(document["points"], numbers, strict=True)):
        for edge in (edges[row], edges[row + 1]):
            x = iso(edge) if axis.is_time else edge
            corners.append({"x": x, "y": number, "part": f"{name} {point['phase']}"})
    return corners


def points_layer(page: Page, rows: Sequence[Mapping[str, Any]], by: Channels) -> Layer:
    """The statistic as points, shape and colour by the signal."""
    k, spacing = page.canvas.k, page.frame.width / max(len(rows), 1)
    area = max(9.0 * k, min(46.0 * k * k, (0.75 * spacing) ** 2))
    channel: dict[str, Any] = {}
    for name in ("shape", "fill", "stroke"):
        looks = {kind: getattr(look, name) for kind, look in KINDS.items()}
        of = "nominal" if name == "shape" else "ordinal"
        channel |= symbol_channel(name, "kind", looks, kind=of)
    areas = {kind: round(look.size * area, 1) for kind, look in KINDS.items()}
    channel |= symbol_channel("size", "kind", areas, kind="ordinal")
    shown = [
        {"field": "label", "type": "nominal", "title": "point"},
        {"field": "value", "type": "quantitative"},
        {"field": "y", "type": "quantitative", "title": "statistic"},
        {"field": "kind", "type": "nominal"},
        {"field": "note", "type": "nominal"},
    ]
    # Where points stand close, or lie on the centre, common ones would only cover the line.
    test = "isValid(datum.y) && (datum.kind !== 'common_cause' || (datum.y !== 0 && %s))"
    return {
        "name": "points",
        "transform": [{"filter": test % ("false" if area < 16 else "true")}],
        "mark": {"type": "point", "opacity": 1, "strokeWidth": 0 if area < 16 else k},
        "encoding": by.at("x", "y") | channel | {"tooltip": shown},
    }


def entries(rows: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """The key of the signals that are there."""
    seen = {row["kind"] for row in rows if row["y"] is not None}
    return [
        Entry(look.words, look.shape, look.fill, look.stroke)
        for kind, look in KINDS.items()
        if kind in seen and kind != "common_cause"
    ]


def footer(document: Document, name: str, settings: Sequence[str]) -> list[str]:
    """How the chart was made."""
    number = len(document["points"])
    stated = document["settings"]["sigma"] is not None
    parts = [name, *settings, "" if stated else _DATA[document["settings"]["data"]]]
    parts.append("1 point" if number == 1 else f"{number:,} points")
    if document["as_of"]:
        parts.append(f"data of {day_words(milliseconds(document['as_of']))}")
    return parts


def draw_axis(page: Page, document: Document, axis: Horizontal) -> Channels:
    """The axis of the points with its labels, and a thin line where a phase begins."""
    ticks = axis.ticks(page.frame.width, page.size(LABEL))
    page.draw_ticks(ticks, lambda value: axis.place(value, page.frame))
    edges = axis.edges()
    for row in range(1, len(document["points"])):
        if document["points"][row]["phase"] != document["points"][row - 1]["phase"]:
            x = axis.place(edges[row], page.frame)
            page.scene.stroke(
                (x, page.frame.top), (x, page.frame.bottom), THREAD, 0.8 * page.canvas.k
            )
    places = [tick.value for tick in ticks]
    return page.channels(axis.low, axis.high, places, is_time=axis.is_time)


def thread(by: Channels, k: float) -> Layer:
    """Joins the statistic; it passes by gaps, over which the statistic is carried."""
    return {
        "name": "statistic",
        "transform": [{"filter": "isValid(datum.y)"}],
        "mark": {"type": "line", "stroke": THREAD, "strokeWidth": 1.6 * k, "aria": False},
        "encoding": by.at("x", "y") | {"detail": [{"field": "part", "type": "nominal"}]},
    }


def trust(document: Document) -> str:
    """How far to trust the limits, and what was stated instead of estimated."""
    settings = document["settings"]
    if settings["centre"] is None:
        return trust_words(document)
    if settings["sigma"] is None and settings["data"] == "values":
        return f"Centre as stated. {trust_words(document)}"
    return "Centre and sigma as stated." if settings["data"] == "values" else "Centre as stated."


def verdict(document: Document, axis: Horizontal, words: str) -> str:
    """The latest signal in a sentence."""
    if not document["points"]:
        return "There are no points yet."
    if not document["signals"]:
        return "No signal." if is_judged(document) else ""
    signal = latest_signal(document)
    since = when(document, axis, signal["completed_at"])
    is_now = signal["end"] >= len(document["points"]) - 1
    until = "" if is_now else f" to {when(document, axis, signal['end'])}"
    return f"Signal ({_named(signal)}): {words} {'since' if is_now else 'from'} {since}{until}."


def opposite(document: Document, axis: Horizontal) -> str:
    """That an older signal lasts as long as the latest one, on the other side; empty if none."""
    signal = latest_signal(document)
    since = [
        f"An older one ({_named(item)}, since {when(document, axis, item['completed_at'])}) lasts."
        for item in document["signals"]
        if item["end"] == signal["end"] and item["direction"] != signal["direction"]
    ]
    return " ".join(since)


def latest_signal(document: Document) -> Any:
    """The signal that ends last; of two that do, the one that began later."""
    return max(document["signals"], key=lambda item: (item["end"], item["start"]))


def _named(signal: Any) -> str:
    named = {"improvement": "improvement", "concern": "concern"}
    sideways = "upwards" if signal["direction"] == "high" else "downwards"
    return named.get(signal["meaning"], sideways)
