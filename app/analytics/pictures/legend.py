"""Draws what stands below the plot: the key of symbols and lines, the list of numbered notes, and
the footer that says how the chart was made."""

from app.analytics.pictures import plot, typeset
from app.analytics.pictures.axes import Frame
from app.analytics.pictures.instants import day_words, milliseconds
from app.analytics.pictures.layout import COLUMNS, LABEL, MARGIN, ROW, SMALL, Layout
from app.analytics.pictures.rows import baselines
from app.analytics.pictures.scene import Scene
from app.analytics.pictures.style import INK, KINDS, LIMIT, SHADE, SOFT
from app.analytics.pictures.words import chart_name, rules_words


def _footer_height(at: Layout) -> float:
    return at.canvas.height - at.size(MARGIN + 2)


def _list_top(at: Layout) -> float:
    rows = -(-len(at.listed) // COLUMNS)
    return _footer_height(at) - at.size(12 + rows * ROW - ROW / 2)


def draw_key(scene: Scene, at: Layout) -> None:
    """A symbol and a word for each kind of point that is there, and for a shaded baseline."""
    x, size = at.size(MARGIN), at.size(LABEL)
    y = _list_top(at) - at.size(ROW + 3)
    shown = {
        k for k, p in zip(at.rows.kinds, at.rows.points, strict=True) if p["value"] is not None
    }
    is_dense = plot.is_dense(plot.point_area(at.rows, at.frame, at.canvas.k))
    for name, kind in KINDS.items():
        if name in shown and not (is_dense and name == "common_cause"):
            area = 42 * at.size(1) ** 2 * kind.size
            scene.stamp(x + at.size(5), y, kind.shape, area, fill=kind.fill, stroke=kind.stroke)
            x = _word(scene, at, x, y, kind.words)
    if baselines(at.rows):
        scene.box(Frame(x, y - at.size(5), at.size(10), at.size(10)), SHADE)
        scene.stamp(x + at.size(5), y, "square", 100 * at.size(1) ** 2, fill="none", stroke=LIMIT)
        x = _word(scene, at, x, y, _baseline_words(at))
    if any(flag.note.kind == "pdsa_start" for flag in at.flags):
        shape = "square" if at.listed else "triangle-right"
        fill = "none" if at.listed else INK
        scene.stamp(x + at.size(5), y, shape, 0.4 * size * size, fill=fill, stroke=INK)
        _word(scene, at, x, y, "PDSA cycle starts")


def _baseline_words(at: Layout) -> str:
    points = at.document["points"]
    if len(at.document["phases"]) > 1:
        return "baseline of a phase"
    return f"baseline ({sum(point['in_baseline'] for point in points):,} points)"


def _word(scene: Scene, at: Layout, x: float, y: float, text: str) -> float:
    """Writes a word of the key; where the next one begins."""
    size = at.size(LABEL)
    scene.write(x + at.size(15), y, text, size, colour=SOFT)
    return x + at.size(15 + 16) + typeset.width(text, size)


def draw_list(scene: Scene, at: Layout) -> None:
    """The numbered notes in columns, read downwards."""
    rows = -(-len(at.listed) // COLUMNS)
    room = (at.canvas.width - at.size(2 * MARGIN)) / COLUMNS
    top, size = _list_top(at), at.size(LABEL)
    for place, line in enumerate(at.listed):
        column, row = divmod(place, rows)
        x, y = at.size(MARGIN) + column * room, top + row * at.size(ROW)
        number, _, text = line.partition("\t")
        scene.write(x + at.size(13), y, number, size, align="right", weight="bold")
        shown = typeset.fit(text, size, room - at.size(30))
        scene.write(x + at.size(18), y, shown, size, colour=SOFT)


def draw_footer(scene: Scene, at: Layout) -> None:
    """Chart, rules, number of points, date of the data, and what is not drawn."""
    document, total = at.document, at.rows.total
    parts = [chart_name(document), rules_words(document), f"{total:,} points"]
    if total == 1:
        parts[-1] = "1 point"
    if at.rows.are_thinned:
        parts.append(f"{len(at.rows.points):,} of them drawn: the extremes of each pixel")
    if document.get("as_of"):
        parts.append(f"data of {day_words(milliseconds(document['as_of']))}")
    size = at.size(SMALL)
    text = typeset.fit(" \u00b7 ".join(parts), size, at.canvas.width - at.size(2 * MARGIN))
    scene.write(at.size(MARGIN), _footer_height(at), text, size, colour=LIMIT)
