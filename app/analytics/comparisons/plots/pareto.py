"""Pareto charts as pictures: bars by falling value, and the line of what they reach together."""

from typing import Any

from app.analytics.comparisons.plots.page import LABEL, Entry, Page, Told
from app.analytics.pictures.axes import Vertical
from app.analytics.pictures.ends import End
from app.analytics.pictures.figures import figures_of
from app.analytics.pictures.figures import ticks as round_numbers
from app.analytics.pictures.scene import Layer
from app.analytics.pictures.style import INK, LIMIT, LIMIT_DASH, PAPER, SOFT, Canvas
from app.analytics.pictures.typeset import clean, fit, wrap
from app.analytics.pictures.typeset import width as text_width
from app.analytics.pictures.words import Document

MOST_BARS = 30
_UPRIGHT = 110.0  # pixels of labels that stand upright
_VITAL, _USEFUL = "#005eb8", "#aeb7bd"


def pareto(document: Document, canvas: Canvas, *, is_thumbnail: bool) -> dict[str, Any]:
    """The Pareto chart of a document; of many categories, the first thirty."""
    rows = document["categories"][:MOST_BARS]
    total = document["total"]
    figures = figures_of([0.0, total], document["unit"])
    y = Vertical(0.0, total * 1.04)
    lines, is_upright = _labels(rows, canvas)
    labels = [(tick, figures.write(tick)) for tick in round_numbers(0.0, total, most=6)]
    threshold = document["settings"]["threshold"]
    ends = [End(part * total, _percent(part), LIMIT) for part in (1.0, 0.5)]
    if threshold not in (0.5, 1.0):
        ends.append(End(threshold * total, _percent(threshold), INK))
    page = Page(
        canvas,
        _told(document),
        y,
        labels,
        ends=sorted(ends, key=lambda end: -end.value),
        x_lines=max(map(len, lines), default=1),
        x_room=_UPRIGHT * canvas.k if is_upright else 0.0,
        is_thumbnail=is_thumbnail,
    )
    page.draw_texts()
    _draw_labels(page, lines, is_upright)
    page.draw_key(_key(rows))
    dash = [length * canvas.k for length in LIMIT_DASH]
    at = y.place(threshold * total, page.frame)
    page.scene.stroke((page.frame.left, at), (page.frame.right, at), LIMIT, 1.2 * canvas.k, dash)
    data = [row | {"place": place, "reached": row["cumulative_share"] * total, "kind": _kind(row)}
            for place, row in enumerate(rows)]  # fmt: skip
    return page.finished(_layers(page, data), data, document)


def _percent(part: float) -> str:
    return f"{100 * part:.0f}\u00a0%"


def _kind(row: dict[str, Any]) -> str:
    return "other" if row["is_other"] else "vital" if row["is_vital"] else "useful"


def _key(rows: list[dict[str, Any]]) -> list[Entry]:
    looks = {
        "vital": Entry("vital few", "square", _VITAL, _VITAL),
        "useful": Entry("useful many", "square", _USEFUL, _USEFUL),
        "other": Entry("gathered as others", "square", PAPER, LIMIT),
    }
    seen = {_kind(row) for row in rows}
    line = Entry("reached together", "circle", PAPER, INK)
    return [*(look for kind, look in looks.items() if kind in seen), line]


def _labels(rows: list[dict[str, Any]], canvas: Canvas) -> tuple[list[list[str]], bool]:
    """The lines of each label, and whether they stand upright for want of room."""
    size = LABEL * canvas.k
    room = canvas.width * 0.78 / max(len(rows), 1) - 6 * canvas.k
    texts = [clean(row["label"]) or "?" for row in rows]
    words = [text_width(word, size) for text in texts for word in text.split()]
    if max(words, default=0.0) <= room:
        lines = [wrap(text, size, room, lines=4) for text in texts]
        if all(
            " ".join(line) == " ".join(text.split())
            for line, text in zip(lines, texts, strict=True)
        ):
            return lines, False
    return [[fit(text, size, _UPRIGHT * canvas.k)] for text in texts], True


def _draw_labels(page: Page, lines: list[list[str]], is_upright: bool) -> None:
    frame, step = page.frame, page.frame.width / max(len(lines), 1)
    for place, label in enumerate(lines):
        x = frame.left + (place + 0.5) * step
        for row, text in enumerate(label):
            y = frame.bottom + page.size(8 if is_upright else 12 + 13 * row)
            turned = {"align": "right", "angle": 270} if is_upright else {"align": "center"}
            page.write(x, y, text, LABEL, colour=SOFT, **turned)


def _layers(page: Page, data: list[dict[str, Any]]) -> list[Layer]:
    k = page.canvas.k
    x = {
        "field": "place",
        "type": "ordinal",
        "sort": None,
        "axis": None,
        "scale": {"paddingInner": 0.2, "paddingOuter": 0.1},
    }
    y = page.vertical_channel()
    fills = {"vital": _VITAL, "useful": _USEFUL, "other": PAPER}
    strokes = {"vital": _VITAL, "useful": LIMIT, "other": LIMIT}
    shown = [
        {"field": "label", "type": "nominal", "title": "category"},
        {"field": "value", "type": "quantitative"},
        {"field": "share", "type": "quantitative", "format": ".1%"},
        {"field": "cumulative_share", "type": "quantitative", "format": ".1%"},
    ]
    coloured = {
        name: {
            "field": "kind",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": list(looks), "range": list(looks.values())},
        }
        for name, looks in (("fill", fills), ("stroke", strokes))
    }
    bars: Layer = {
        "name": "bars",
        "mark": {"type": "bar", "strokeWidth": k},
        "encoding": {"x": x, "y": {"field": "value", **y}, **coloured, "tooltip": shown},
    }
    reached = {"field": "reached", **y}
    line: Layer = {
        "name": "reached",
        "mark": {
            "type": "line",
            "stroke": INK,
            "strokeWidth": 1.4 * k,
            "aria": False,
            "point": {"filled": True, "fill": PAPER, "stroke": INK, "size": 26 * k * k},
        },
        "encoding": {"x": x, "y": reached},
    }
    return [bars, line]


def _told(document: Document) -> Told:
    few, all_rows = document["vital_few"], document["categories"]
    total = figures_of([0.0, document["total"]], document["unit"]).write(document["total"])
    reached = all_rows[few - 1]["cumulative_share"] if few else 0.0
    names = ", ".join(clean(row["label"]) for row in all_rows[: min(few, 3)])
    more = f" and {few - 3} more" if few > 3 else ""
    lines = [f"{_percent(reached)} lies in {few} of {len(all_rows):,} categories: {names}{more}."]
    if not few:
        lines = ["No category but the others."]
    lines += [warning["detail"] for warning in document["quality"]["warnings"]]
    footer = [
        "Pareto chart",
        f"total {total}",
        f"vital few: {_percent(document['settings']['threshold'])}",
    ]
    if len(all_rows) > MOST_BARS:
        footer.append(f"the first {MOST_BARS} of {len(all_rows):,} drawn")
    title = document["title"] or "Untitled"
    unit = "" if document["unit"] in (None, "%") else document["unit"]
    return Told(title, lines, footer, f"{title}. Pareto chart. {' '.join(lines)}", y_title=unit)
