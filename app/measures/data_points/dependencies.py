"""What the routes of data points ask for: a body read by its media type, and an output format."""

from collections.abc import Sequence
from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from app.kit.errors import UnsupportedMediaType
from app.kit.negotiation import CSV, JSON, JSON_LINES, choose
from app.measures.data_points.batches import BatchOptions
from app.measures.data_points.reading import Batch, read_batch
from app.measures.data_points.schemas import DataPointQuery

MEDIA_TYPES = (JSON, CSV, JSON_LINES)
_FORMATS = {"json": JSON, "csv": CSV, "jsonl": JSON_LINES}


class Body(NamedTuple):
    """A body that is not parsed yet."""

    media_type: str
    content: bytes


async def body(request: Request) -> Body:
    """The body of a batch."""
    return await read_body(request, MEDIA_TYPES)


async def read_body(request: Request, media_types: Sequence[str]) -> Body:
    """The bytes and their media type. Raises `UnsupportedMediaType` (415) with Accept-Post."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    media_type = kind.strip().lower()
    charset = parameters.lower().partition("charset=")[2].split(";")[0].strip(' "')
    if media_type not in media_types or charset not in {"", "utf-8", "utf8", "us-ascii"}:
        raise UnsupportedMediaType(
            f"Send {' or '.join(media_types)} in UTF-8.",
            headers={"Accept-Post": ", ".join(media_types)},
        )
    return Body(media_type, await request.body())


def batch(
    given: Annotated[Body, Depends(body)], options: Annotated[BatchOptions, Query()]
) -> Batch:
    """The items of the body, in a thread: five thousand rows would hold up the event loop."""
    return read_batch(given.media_type, given.content, options)


def output_format(request: Request, query: Annotated[DataPointQuery, Query()]) -> str:
    """The media type to answer with; `format` wins over Accept. Raises `NotAcceptable` (406)."""
    if query.format is not None:
        return _FORMATS[query.format]
    return choose(request.headers.get("accept"), MEDIA_TYPES)


CurrentBatch = Annotated[Batch, Depends(batch)]
