"""What the routes of imports ask for: a file that can be read."""

from typing import Annotated, NamedTuple

from fastapi import Depends, Query, Request

from app.kit.negotiation import CSV, JSON_LINES
from app.measures.data_points.dependencies import Body, read_body
from app.measures.imports.rows import File, named_points, read_file
from app.measures.imports.schemas import ProjectImportOptions

MEDIA_TYPES = (CSV, JSON_LINES)


async def body(request: Request) -> Body:
    """The bytes of the file, which an Idempotency-Key needs whole; the route limits them."""
    return await read_body(request, MEDIA_TYPES)


def file(given: Annotated[Body, Depends(body)]) -> File:
    """The file, looked through and compressed, in a thread and before a transaction is open."""
    return read_file(given.media_type, given.content)


class NamedFile(NamedTuple):
    """A file whose rows name their measures, and how to treat it."""

    file: File
    options: ProjectImportOptions


def named_file(
    given: Annotated[Body, Depends(body)], options: Annotated[ProjectImportOptions, Query()]
) -> NamedFile:
    """The same of rows that name their measures; whether they may do so by `external_id`."""
    form = named_points(has_system=options.system is not None)
    return NamedFile(read_file(given.media_type, given.content, form), options)


CurrentFile = Annotated[File, Depends(file)]
CurrentNamedFile = Annotated[NamedFile, Depends(named_file)]
