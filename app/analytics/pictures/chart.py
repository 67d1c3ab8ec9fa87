"""One document as one Vega-Lite chart: the parts, laid out so that none lies on another."""

from typing import Any

from app import spc
from app.analytics.pictures import icons, plot
from app.analytics.pictures.axes import Frame
from app.analytics.pictures.layout import Layout, lay_out
from app.analytics.pictures.legend import draw_footer, draw_key, draw_list
from app.analytics.pictures.rows import corners
from app.analytics.pictures.scene import Layer, Scene
from app.analytics.pictures.style import FONT, PAPER, Canvas
from app.analytics.pictures.surroundings import (
    draw_axes,
    draw_baselines,
    draw_ends,
    draw_flags,
    draw_heading,
    draw_phases,
)
from app.analytics.pictures.typeset import clean
from app.analytics.pictures.words import Document, alternative

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


def chart(document: Document, canvas: Canvas, *, is_thumbnail: bool = False) -> dict[str, Any]:
    """The Vega-Lite chart of a document, as large as the canvas."""
    laid_out = lay_out(document, canvas, is_thumbnail=is_thumbnail)
    rows = laid_out.rows
    scene = Scene()
    if is_thumbnail:
        _draw_icons(scene, laid_out)
        draw_baselines(scene, laid_out)
    else:
        _draw_surroundings(scene, laid_out)
    return specification(
        canvas,
        laid_out.frame,
        [*scene.behind(laid_out.frame), *_data(laid_out), *scene.before(laid_out.frame)],
        description=alternative(document, rows.points, rows.axis, laid_out.figures),
        data=plot.values(rows, plot.rule_names(document)),
        about={
            "title": clean(document["title"] or "") or None,
            "points": rows.total,
            "drawn": len(rows.points),
            "settings_hash": document["settings_hash"],
        },
    )


def _draw_surroundings(scene: Scene, laid_out: Layout) -> None:
    draw_baselines(scene, laid_out)
    draw_heading(scene, laid_out)
    draw_axes(scene, laid_out)
    draw_phases(scene, laid_out)
    draw_flags(scene, laid_out)
    draw_ends(scene, laid_out)
    draw_key(scene, laid_out)
    draw_list(scene, laid_out)
    draw_footer(scene, laid_out)


def _draw_icons(scene: Scene, laid_out: Layout) -> None:
    document, frame = laid_out.document, laid_out.frame
    radius = 13.0
    x = (frame.right + laid_out.canvas.width) / 2
    both = icons.has_assurance(document)
    middle = laid_out.canvas.height / 2
    icons.variation(scene, document, x, middle - (18 if both else 0), radius)
    if both:
        icons.assurance(scene, document, x, middle + 18, radius)


def _data(laid_out: Layout) -> list[Layer]:
    k, rows = laid_out.canvas.k, laid_out.rows
    ticks = [tick.value for tick in laid_out.x_ticks]
    by = plot.channels(rows, laid_out.y, ticks, laid_out.y_ticks, k)
    lines = [corner._asdict() for corner in corners(rows)]
    return plot.layers(lines, by, plot.Look(plot.point_area(rows, laid_out.frame, k), k))


def specification(
    canvas: Canvas,
    frame: Frame,
    layers: list[Layer],
    *,
    description: str,
    data: list[dict[str, Any]],
    about: dict[str, Any],
) -> dict[str, Any]:
    """The frame of every picture: its size to the pixel, with nothing resized by its content."""
    return {
        "$schema": SCHEMA,
        "description": description,
        "usermeta": {"openqi": {"engine_version": spc.ENGINE_VERSION, **about}},
        "width": round(frame.width, 1),
        "height": round(frame.height, 1),
        "padding": {
            "left": round(frame.left, 1),
            "top": round(frame.top, 1),
            "right": round(canvas.width - frame.right, 1),
            "bottom": round(canvas.height - frame.bottom, 1),
        },
        "autosize": {"type": "none"},
        "background": PAPER,
        "data": {"values": data},
        "layer": layers,
        "config": {"font": FONT, "view": {"stroke": None}},
    }
