"""What the route of imports asks for: a file that can be read."""

from typing import Annotated

from fastapi import Depends, Request

from app.kit.negotiation import CSV, JSON_LINES
from app.measures.data_points.dependencies import Body, read_body
from app.measures.imports.rows import File, read_file

MEDIA_TYPES = (CSV, JSON_LINES)


async def body(request: Request) -> Body:
    """The bytes of the file, which an Idempotency-Key needs whole; the route limits them."""
    return await read_body(request, MEDIA_TYPES)


def file(given: Annotated[Body, Depends(body)]) -> File:
    """The file, looked through and compressed, in a thread and before a transaction is open."""
    return read_file(given.media_type, given.content)


CurrentFile = Annotated[File, Depends(file)]
