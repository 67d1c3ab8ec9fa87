"""Routes of the catalogue of shared projects: public, and wider for whoever is logged in."""

import uuid
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic_core import to_json

from app.kit.dependencies import CurrentPager, ReadSession
from app.kit.pagination import Page
from app.kit.preconditions import etag, matches
from app.kit.routing import Router
from app.sharing.shared import queries
from app.sharing.shared.dependencies import Viewer
from app.sharing.shared.documents import write_document
from app.sharing.shared.schemas import SharedProject, SharedProjectListed, SharedProjectQuery

router = Router()
_CONDITIONAL: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing has changed since the document with that ETag."}
}


@router.get("/shared/projects", summary="List shared projects")
def list_shared_projects(
    query: Annotated[SharedProjectQuery, Query()],
    viewer: Viewer,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[SharedProjectListed]:
    """The public ones without a token; with one also those that are shared in the network.

    Completed and stopped projects are there too: what did not work is worth knowing.
    """
    return queries.list_shared_projects(session, viewer=viewer, query=query, pager=pager)


@router.get(
    "/shared/projects/{project_id}",
    summary="Get a shared project",
    response_model=SharedProject,
    responses=_CONDITIONAL,
)
def get_shared_project(
    request: Request, project_id: uuid.UUID, viewer: Viewer, session: ReadSession
) -> Response:
    """Charter, measures, data, cycles and provenance in one document, at a lasting address.

    It holds nothing about persons, and no counts from 1 to 7 unless somebody has accepted them when
    it was released (`provenance.small_numbers`). Up to 50 measures, 10,000 data points and 8 MB;
    `is_complete` says whether there is more. Send the ETag as `If-None-Match` when you ask again.
    """
    row = queries.find_shared(session, viewer=viewer, project_id=project_id)
    tag = etag(queries.revision_of(row))
    headers = {"ETag": tag, "Vary": "Authorization"}
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers=headers)
    document = write_document(session, row, source=request.app.state.settings.public_url)
    return Response(to_json(document), media_type="application/json", headers=headers)
