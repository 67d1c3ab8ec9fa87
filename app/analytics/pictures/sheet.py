"""Many charts as one Vega-Lite document. All share one coordinate system of pixels, so that a
sheet has no more layers, and costs little more to compile, than one chart."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from app.analytics.pictures import typeset
from app.analytics.pictures.axes import Frame, numbers_of
from app.analytics.pictures.chart import specification
from app.analytics.pictures.figures import figures_of
from app.analytics.pictures.panel import HEIGHT, WIDTH, Drawing, K, Panel, draw_panel
from app.analytics.pictures.style import SOFT, Canvas
from app.analytics.pictures.words import brief_words, is_judged

_GAP, _MARGIN, _HEAD = 20, 20, 70
_TITLE, _SUBTITLE = 20.0, 13.0
_COUNTED = {
    "improvement": "improving",
    "concern": "of concern",
    "neither": "changing",
    "common": "with common cause at present",
}


class Sheet(NamedTuple):
    """A picture of many charts. `remark` says what is not on it."""

    title: str
    panels: Sequence[Panel]
    remark: str = ""


def sheet(content: Sheet, columns: int | None = None) -> dict[str, Any]:
    """The Vega-Lite document of a sheet."""
    number = len(content.panels)
    across = min(columns or (2 if number in (2, 4) else 3), max(number, 1))
    down = -(-number // across)
    width = max(2 * _MARGIN + across * (WIDTH + _GAP) - _GAP, 640)
    height = _HEAD + down * (HEIGHT + _GAP) + _MARGIN - _GAP
    drawing, whole = Drawing(), Frame(0, 0, width, height)
    _draw_heading(drawing, content, width - 2 * _MARGIN)
    for place, panel in enumerate(content.panels):
        row, column = divmod(place, across)
        left, top = _MARGIN + column * (WIDTH + _GAP), _HEAD + row * (HEIGHT + _GAP)
        draw_panel(drawing, panel, Frame(left, top, WIDTH, HEIGHT))
    layers = drawing.data() if drawing.points else []
    return specification(
        Canvas(width, height, K),
        whole,
        [*drawing.scene.behind(whole), *layers, *drawing.scene.before(whole)],
        description=_alternative(content),
        data=drawing.points,
        about={"title": typeset.clean(content.title), "charts": len(content.panels)},
    )


def _draw_heading(drawing: Drawing, content: Sheet, room: float) -> None:
    title = typeset.fit(typeset.clean(content.title), _TITLE, room, bold=True)
    drawing.scene.write(_MARGIN, _MARGIN + 8, title, _TITLE, weight="bold")
    text = typeset.fit(_summary(content), _SUBTITLE, room)
    drawing.scene.write(_MARGIN, _MARGIN + 32, text, _SUBTITLE, colour=SOFT)


def _summary(content: Sheet) -> str:
    """How many charts show what, and what is not on the sheet."""
    documents = [p.document for p in content.panels if p.document is not None]
    judged = [document for document in documents if is_judged(document)]
    found = Counter(document["variation"].partition("_")[0] for document in judged)
    counts = [f"{found[name]} {words}" for name, words in _COUNTED.items() if found[name]]
    if refused := sum(bool(panel.fault) for panel in content.panels):
        counts.append(f"{refused} that cannot be charted")
    if silent := len(content.panels) - len(judged) - refused:
        counts.append(f"{silent} without data")
    charts = "1 chart" if len(content.panels) == 1 else f"{len(content.panels)} charts"
    said = f"{charts}: {', '.join(counts)}." if counts else "No charts to show."
    return f"{said} {content.remark}".strip()


def _alternative(content: Sheet) -> str:
    """The sheet in words."""
    told = [f"{_named(panel)}: {_verdict(panel)}." for panel in content.panels]
    return " ".join([f"{typeset.clean(content.title)}. {_summary(content)}", *told])


def _named(panel: Panel) -> str:
    return ", ".join(typeset.clean(text) for text in (panel.title, panel.subtitle) if text)


def _verdict(panel: Panel) -> str:
    document = panel.document
    if document is None:
        silence = panel.silence().removesuffix(".")
        return f"{silence[0].lower()}{silence[1:]}"
    return brief_words(document, figures_of(numbers_of(document["points"]), document["unit"]))
