"""What the routes of charts ask for: the representation, and the answer that carries it."""

from collections.abc import Sequence
from typing import Any

from fastapi import Request, Response

from app.analytics.pictures.chart import SCHEMA
from app.analytics.pictures.representations import Representation
from app.analytics.pictures.schemas import FORMATS, MEDIA_TYPES, PNG, SVG, VEGA_LITE
from app.analytics.pictures.table import EXAMPLE
from app.kit.errors import NotAcceptable
from app.kit.negotiation import CSV, choose
from app.kit.openapi import problems

_ANYTHING = (None, "*/*", "application/json, text/plain, */*")
_TEXT = {"schema": {"type": "string"}}
_BINARY = {"schema": {"type": "string", "format": "binary"}, "example": "(the bytes of a PNG)"}
_DRAWN = {**_TEXT, "example": '<svg xmlns="http://www.w3.org/2000/svg" width="800" height="440"/>'}
_CHART = {"schema": {"type": "object"}, "example": {"$schema": SCHEMA, "width": 800}}
_PICTURES: dict[str, dict[str, Any]] = {VEGA_LITE: _CHART, SVG: _DRAWN, PNG: _BINARY}
REPRESENTED: dict[int | str, dict[str, Any]] = {
    200: {"content": {CSV: {**_TEXT, "example": EXAMPLE}, **_PICTURES}},
    **problems(NotAcceptable),
}
DRAWN: dict[int | str, dict[str, Any]] = {
    200: {"content": {name: _PICTURES[name] for name in (SVG, PNG, VEGA_LITE)}},
    **problems(NotAcceptable),
}


def media_type_of(request: Request, form: str | None, offers: Sequence[str] = MEDIA_TYPES) -> str:
    """The media type to answer with; `format` wins over Accept. Raises `NotAcceptable` (406)."""
    if form is not None:
        return FORMATS[form]
    accept = request.headers.get("accept")
    # A browser's address bar asks for pages, and some name PNG beside them: no wish for a picture.
    if accept in _ANYTHING or "text/html" in (accept or ""):
        return offers[0]
    return choose(accept, offers)


def answer(shown: Representation, tag: str | None = None) -> Response:
    """The response of a representation; tables are saved, pictures shown."""
    is_table = shown.media_type.startswith(CSV)
    headers = {
        "Content-Disposition": f"{'attachment' if is_table else 'inline'}; "
        f'filename="{shown.filename}"'
    }
    if tag is not None:
        headers["ETag"] = tag
    return Response(shown.content, media_type=shown.media_type, headers=headers)


def tagged_as(tag: str, media_type: str) -> str:
    """The entity tag of one representation of what has this tag."""
    form = next(name for name, kind in FORMATS.items() if kind == media_type)
    return tag if form == "json" else f"{tag}-{form}"
