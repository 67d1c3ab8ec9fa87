"""What the routes of imports ask for: a file that can be read."""

from typing import Annotated

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


async def project_options(
    options: Annotated[ProjectImportOptions, Query()],
) -> ProjectImportOptions:
    """How to treat the file; read once for the route and for the file."""
    return options


def project_file(
    given: Annotated[Body, Depends(body)],
    options: Annotated[ProjectImportOptions, Depends(project_options)],
) -> File:
    """The same of a file whose rows name their measures."""
    form = named_points(has_system=options.system is not None)
    return read_file(given.media_type, given.content, form)


CurrentFile = Annotated[File, Depends(file)]
CurrentProjectFile = Annotated[File, Depends(project_file)]
CurrentProjectOptions = Annotated[ProjectImportOptions, Depends(project_options)]
