"""Routes of sheets: the charts of a project, or the headlines of a programme, as one picture."""

import uuid
from typing import Annotated

from fastapi import Query, Request, Response

from app.access.dependencies import CurrentActor
from app.analytics.pictures import queries
from app.analytics.pictures.dependencies import DRAWN, answer, media_type_of, tagged_as
from app.analytics.pictures.queries import FoundSheet
from app.analytics.pictures.representations import picture
from app.analytics.pictures.schemas import SHEETS, ProgrammeSheetQuery, ProjectSheetQuery
from app.analytics.pictures.sheet import Sheet, sheet
from app.kit.dependencies import CurrentPager
from app.kit.preconditions import etag, matches
from app.kit.routing import Router

router = Router(tags=["spc"])
_DRAWN = DRAWN | {304: {"description": "Nothing on it has changed."}}


@router.get(
    "/projects/{project_id}/charts",
    summary="Draw every chart of a project",
    response_class=Response,
    responses=_DRAWN,
)
def draw_project_charts(
    request: Request,
    project_id: uuid.UUID,
    query: Annotated[ProjectSheetQuery, Query()],
    actor: CurrentActor,
) -> Response:
    """The live measures in their order as small charts in one picture: SVG, PNG or Vega-Lite.

    The first 24; the picture says so where there are more.
    """
    media_type = media_type_of(request, query.format, SHEETS)
    with request.app.state.database.reading() as session:
        found = queries.find_project_sheet(session, actor=actor, project_id=project_id)
        tag = _tag(found, query, media_type)
        if matches(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers={"ETag": tag})
        content = found.draw(session)
    return _drawn(content, query, media_type, tag)


@router.get(
    "/programmes/{programme_id}/charts",
    summary="Draw the headline charts of a programme",
    response_class=Response,
    responses=_DRAWN,
)
def draw_programme_charts(
    request: Request,
    response: Response,
    programme_id: uuid.UUID,
    query: Annotated[ProgrammeSheetQuery, Query()],
    actor: CurrentActor,
    pager: CurrentPager,
) -> Response:
    """A page of the projects that you can see, each with its headline chart, in one picture.

    At most 24 a page; the picture says where more follow, and Link has their address.
    """
    media_type = media_type_of(request, query.format, SHEETS)
    with request.app.state.database.reading() as session:
        found = queries.find_programme_sheet(
            session, actor=actor, programme_id=programme_id, query=query, pager=pager
        )
        tag = _tag(found, query, media_type)
        if matches(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers={"ETag": tag})
        content = found.draw(session)
    shown = _drawn(content, query, media_type, tag)
    shown.headers.update({"Link": link} if (link := response.headers.get("Link")) else {})
    return shown


def _tag(found: FoundSheet, query: ProjectSheetQuery | ProgrammeSheetQuery, media_type: str) -> str:
    look = f"{found.tag}-{query.columns or 0}-{query.scale or 1:g}"
    return etag(tagged_as(look, media_type))


def _drawn(
    content: Sheet,
    query: ProjectSheetQuery | ProgrammeSheetQuery,
    media_type: str,
    tag: str,
) -> Response:
    """Drawn when the connection has been handed back."""
    specification = sheet(content, query.columns)
    scale = query.scale or 1.0
    return answer(picture(specification, media_type, title=content.title, scale=scale), tag)
