"""A document in the representation that was asked for: table, Vega-Lite, SVG or PNG."""

from collections.abc import Callable
from typing import Any

from app.analytics.comparisons.plots.cusum import cusum
from app.analytics.comparisons.plots.ewma import ewma
from app.analytics.comparisons.plots.funnel import funnel
from app.analytics.comparisons.plots.pareto import pareto
from app.analytics.comparisons.plots.table import table
from app.analytics.pictures.representations import Representation, picture
from app.analytics.pictures.schemas import PictureQuery
from app.analytics.pictures.words import Document
from app.kit.negotiation import CSV

_DRAWN: dict[str, Callable[..., dict[str, Any]]] = {
    "ewma": ewma,
    "cusum": cusum,
    "pareto": pareto,
    "funnel": funnel,
}


def represent(document: Document, media_type: str, query: PictureQuery) -> Representation:
    """The document as a table or a picture."""
    name = document["chart"]
    if media_type == CSV:
        content = table(document).encode()
        return Representation(content, f"{CSV}; charset=utf-8; header=present", f"{name}.csv")
    drawn = _DRAWN[name](document, query.canvas(), is_thumbnail=query.is_thumbnail())
    title = document["title"] or name
    return picture(drawn, media_type, title=title, scale=query.png_scale())
