"""A document in the representation that was asked for, as bytes with a name for the file."""

import re
import unicodedata
from html import escape
from typing import Any, NamedTuple

from pydantic_core import to_json

from app.analytics.pictures.chart import chart
from app.analytics.pictures.rendering import render
from app.analytics.pictures.schemas import PNG, SVG, VEGA_LITE, PictureQuery
from app.analytics.pictures.table import table
from app.analytics.pictures.typeset import clean
from app.analytics.pictures.words import Document
from app.kit.negotiation import CSV

_ENDINGS = {CSV: "csv", VEGA_LITE: "vl.json", SVG: "svg", PNG: "png"}
_PLAIN = re.compile(r"[^a-z0-9]+")
_ROOT = re.compile(rb"<svg ([^>]*)>")


class Representation(NamedTuple):
    """The body of an answer."""

    content: bytes
    media_type: str
    filename: str


def represent(document: Document, media_type: str, query: PictureQuery) -> Representation:
    """The document as a table, a Vega-Lite chart or a picture."""
    title = document["title"] or ""
    if media_type == CSV:
        content = table(document).encode()
        return Representation(content, f"{CSV}; charset=utf-8; header=present", _name(title, CSV))
    drawn = chart(document, query.canvas(), is_thumbnail=query.is_thumbnail())
    return picture(drawn, media_type, title=title, scale=query.png_scale())


def picture(
    specification: dict[str, Any], media_type: str, *, title: str, scale: float
) -> Representation:
    """A Vega-Lite document as it is, or drawn."""
    content, name = to_json(specification), _name(title, media_type)
    if media_type == SVG:
        content = _told(render(content, "svg"), clean(title), specification["description"])
    elif media_type == PNG:
        content = render(content, "png", scale)
    return Representation(content, media_type, name)


def _name(title: str, media_type: str) -> str:
    """A file name of plain letters, whatever the title is."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return f"{_PLAIN.sub('-', plain).strip('-')[:60].strip('-') or 'chart'}.{_ENDINGS[media_type]}"


def _told(svg: bytes, title: str, description: str) -> bytes:
    """The picture with a text alternative, as one image to a screen reader."""
    title, description = escape(title or "Chart"), escape(description)
    words = f'role="img" aria-label="{description}"'
    inner = f"<title>{title}</title><desc>{description}</desc>"

    def opened(found: re.Match[bytes]) -> bytes:
        return b"<svg %s %s>%s" % (found[1], words.encode(), inner.encode())

    return _ROOT.sub(opened, svg, count=1)
