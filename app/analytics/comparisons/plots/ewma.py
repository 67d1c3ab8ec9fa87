"""EWMA charts as pictures: values small and hollow, the moving average with its limits."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.analytics.comparisons.plots.memory import (
    dashed,
    draw_axis,
    entries,
    footer,
    line,
    points_layer,
    rows_of,
    thread,
    trust,
    verdict,
)
from app.analytics.comparisons.plots.page import LABEL, Entry, Page, Told, rule_layer
from app.analytics.pictures.axes import Horizontal, horizontal, vertical
from app.analytics.pictures.ends import End
from app.analytics.pictures.figures import Figures, figures_of
from app.analytics.pictures.plot import Channels
from app.analytics.pictures.scene import Layer
from app.analytics.pictures.style import KINDS, LIMIT, PAPER, SOFT, THREAD, Canvas
from app.analytics.pictures.words import Document

_MOST_VALUES = 1_000  # beside the average; more would hide it
_KEY = (
    Entry("value", "circle", PAPER, THREAD),
    Entry("moving average", "circle", KINDS["common_cause"].fill, LIMIT),
)


def ewma(document: Document, canvas: Canvas, *, is_thumbnail: bool) -> dict[str, Any]:
    """The EWMA chart of a document: values small and hollow, the average with its limits."""
    points = document["points"]
    axis = horizontal([point["x"] for point in points])
    has_values = len(points) <= _MOST_VALUES
    names = (
        "statistic",
        "centre",
        "lower_limit",
        "upper_limit",
        *(("value",) if has_values else ()),
    )
    numbers = [point[name] for name in names for point in points if point[name] is not None]
    settings = document["settings"]
    ceiling = settings["multiplier"] if settings["data"] == "proportion" else None
    y = vertical(numbers, ceiling=ceiling)
    figures = figures_of(numbers, document["unit"])
    page = Page(
        canvas,
        _told(document, axis, figures),
        y,
        [(tick, figures.write(tick, finer=1)) for tick in y.ticks(240 * canvas.k, LABEL * canvas.k)]
        if numbers
        else [],
        ends=_ends(points, figures),
        x_lines=2,
        is_thumbnail=is_thumbnail,
    )
    rows = rows_of(document, axis, [("statistic", "", 1)])
    page.draw_texts()
    by = draw_axis(page, document, axis)
    if numbers:
        page.draw_key([*_KEY[0 if has_values else 1 :], *entries(rows)])
    else:
        page.nothing("No data to draw")
    k = canvas.k
    limits = [
        corner
        for name in ("lower_limit", "upper_limit")
        for corner in line(document, axis, [point[name] for point in points], name)
    ]
    centre = line(document, axis, [point["centre"] for point in points], "centre")
    layers = [
        *([_values(page, by)] if has_values else []),
        rule_layer("limits", limits, by, **dashed(k)),
        rule_layer("centre", centre, by, stroke=SOFT, strokeWidth=1.4 * k),
        thread(by, k),
        points_layer(page, rows, by),
    ]
    return page.finished(layers if points else [], rows, document)


def _values(page: Page, by: Channels) -> Layer:
    k = page.canvas.k
    return {
        "name": "values",
        "transform": [{"filter": "isValid(datum.value)"}],
        "mark": {
            "type": "point",
            "shape": "circle",
            "fill": PAPER,
            "stroke": THREAD,
            "strokeWidth": 0.9 * k,
            "size": 16 * k * k,
            "opacity": 1,
            "aria": False,
        },
        "encoding": by.at("x", "value"),
    }


def _ends(points: Sequence[Mapping[str, Any]], figures: Figures) -> list[End]:
    if not points:
        return []
    named = (
        ("upper_limit", "Upper limit", LIMIT),
        ("centre", "Mean", SOFT),
        ("lower_limit", "Lower limit", LIMIT),
    )
    found = [
        End(points[-1][name], f"{words} {figures.write(points[-1][name], finer=1)}", colour)
        for name, words, colour in named
        if points[-1][name] is not None
    ]
    return sorted(found, key=lambda end: -end.value)


def _told(document: Document, axis: Horizontal, figures: Figures) -> Told:
    settings, points = document["settings"], document["points"]
    last = next((p for p in reversed(points) if p["statistic"] is not None), None)
    lines = [verdict(document, axis, "the moving average is beyond its limit")]
    if last is not None:
        latest = figures.write(last["statistic"], finer=1)
        lines.append(f"Latest moving average {latest}.")
    lines.append(trust(document))
    title = document["title"] or "Untitled measure"
    foot = footer(
        document,
        "EWMA chart",
        [f"weight {settings['weight']:g}", f"limits {settings['limit_width']:g} sigma"],
    )
    return Told(
        title,
        lines,
        foot,
        f"{title}. EWMA chart of {len(points):,} points. {' '.join(lines)}",
        y_title="" if document["unit"] in (None, "%") else document["unit"],
    )
