"""CUSUM charts as pictures: what adds up above the centre and below it, with h on both sides."""

from typing import Any

from app.analytics.comparisons.plots.memory import (
    dashed,
    draw_axis,
    entries,
    footer,
    latest_signal,
    opposite,
    points_layer,
    rows_of,
    thread,
    trust,
    verdict,
    when,
)
from app.analytics.comparisons.plots.page import LABEL, Page, Told, rule_layer
from app.analytics.pictures.axes import Horizontal, Vertical, horizontal
from app.analytics.pictures.ends import End
from app.analytics.pictures.figures import figures_of
from app.analytics.pictures.instants import iso
from app.analytics.pictures.style import LIMIT, SOFT, THREAD, Canvas
from app.analytics.pictures.typeset import fit, width
from app.analytics.pictures.words import Document

_MOST_CHANGES = 8  # that are marked, the latest


def cusum(document: Document, canvas: Canvas, *, is_thumbnail: bool) -> dict[str, Any]:
    """The CUSUM chart of a document: what adds up above the centre, and below it, with h."""
    points, limit = document["points"], document["settings"]["decision_interval"]
    axis = horizontal([point["x"] for point in points])
    has_sums = any(point["high"] is not None for point in points)
    above, below = (
        max([limit, *(point[name] or 0.0 for point in points)]) * 1.08 for name in ("high", "low")
    )
    y = Vertical(-below, above)
    figures = figures_of([-below, above], None)
    page = Page(
        canvas,
        _told(document, axis),
        y,
        [(tick, figures.write(abs(tick))) for tick in y.ticks(240 * canvas.k, LABEL * canvas.k)],
        ends=[End(limit, f"h {limit:g}", LIMIT), End(-limit, f"h {limit:g}", LIMIT)],
        x_lines=2,
        lanes=1,
        is_thumbnail=is_thumbnail,
    )
    rows = rows_of(document, axis, [("high", "high", 1), ("low", "low", -1)])
    page.draw_texts()
    by = draw_axis(page, document, axis)
    _draw_changes(page, document, axis)
    page.draw_key(entries(rows))
    if not has_sums:
        page.nothing("No data to draw" if not points else "No sums without a spread")
    k = canvas.k
    edges = [iso(edge) if axis.is_time else edge for edge in (axis.low, axis.high)]
    limits = [{"x": x, "y": h, "part": str(h)} for h in (-limit, limit) for x in edges]
    layers = [
        rule_layer("limits", limits, by, **dashed(k)),
        rule_layer(
            "centre",
            [{"x": x, "y": 0, "part": "0"} for x in edges],
            by,
            stroke=SOFT,
            strokeWidth=1.4 * k,
        ),
        thread(by, k),
        points_layer(page, rows, by),
    ]
    return page.finished(layers if points else [], rows, document)


def _draw_changes(page: Page, document: Document, axis: Horizontal) -> None:
    """A dotted staff where each signal says that the process changed, labelled if there is room."""
    taken, k = -1e9, page.canvas.k
    size = page.size(LABEL)
    for signal in document["signals"][-_MOST_CHANGES:]:
        x = axis.place(axis.values[signal["start"]], page.frame)
        look = (THREAD, 0.8 * k, (1.5 * k, 2.5 * k))
        page.scene.stroke((x, page.frame.top), (x, page.frame.bottom), *look)
        text = f"change about {when(document, axis, signal['start'])}"
        text = fit(text, size, page.canvas.width - page.size(20))
        half = width(text, size) / 2
        middle = min(max(x, half + page.size(4)), page.canvas.width - half - page.size(4))
        if middle - half > taken + page.size(8):
            page.write(middle, page.frame.top - page.size(8), text, LABEL, align="center")
            taken = middle + half


def _told(document: Document, axis: Horizontal) -> Told:
    settings, points = document["settings"], document["points"]
    lines = [verdict(document, axis, "the sum is beyond h")]
    if document["signals"]:
        signal = latest_signal(document)
        figures = figures_of(
            [p["value"] for p in points if p["value"] is not None], document["unit"]
        )
        phase = document["phases"][signal["phase"]]
        if signal["level"] is not None and phase["centre"] is not None:
            lines.append(
                f"It changed about {when(document, axis, signal['start'])}, from "
                f"{figures.write(phase['centre'])} to about {figures.write(signal['level'])}."
            )
        if older := opposite(document, axis):
            lines.append(older)
    lines.append(trust(document))
    title = document["title"] or "Untitled measure"
    foot = footer(document, "CUSUM chart", [f"k {settings['allowance']:g}",
                     f"h {settings['decision_interval']:g} sigma"])  # fmt: skip
    return Told(
        title,
        lines,
        foot,
        f"{title}. CUSUM chart of {len(points):,} points. {' '.join(lines)}",
        y_title="sigmas below and above",
    )
