"""Routes of SPC-annotated series: of stored data, and of data that the caller sends."""

import uuid
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic_core import to_json

from app.access.dependencies import SECURED, CurrentActor, identify_beside
from app.analytics import queries
from app.analytics.drawing import Unchartable, draw_request
from app.analytics.schemas import (
    HeadlineQuery,
    HeadlineRead,
    ProjectCharts,
    SpcChart,
    SpcChartRequest,
    SpcQuery,
)
from app.kit.dependencies import CurrentPager, ReadSession
from app.kit.openapi import problems
from app.kit.pagination import Page
from app.kit.preconditions import etag, matches
from app.kit.query_models import query_of, query_parameters
from app.kit.routing import DirectRoute, Router

router = Router(tags=["spc"])
direct = Router(tags=["spc"], route_class=DirectRoute)
_read_spc_query = query_of(SpcQuery)
LARGEST_REQUEST = 5_000_000  # ten thousand points


def _json(document: Any, tag: str | None = None) -> Response:
    """The engine's plain document as it is: it needs no model to be serialised."""
    headers = {"ETag": tag} if tag else None
    return Response(to_json(document), media_type="application/json", headers=headers)


def _not_modified(request: Request, tag: str) -> Response | None:
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return None


_CONDITIONAL: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing that the chart prints has changed; nothing was computed."}
}


@direct.get(
    "/measures/{measure_id}/spc",
    summary="Chart a measure",
    response_model=SpcChart,
    responses=problems(Unchartable) | _CONDITIONAL,
    openapi_extra=query_parameters(SpcQuery) | SECURED,
)
def get_measure_spc(request: Request, measure_id: uuid.UUID) -> Response:
    """The stored series annotated by SPC. Parameters override stored settings for this request.

    The ETag changes with whatever the chart prints; a 304 computes nothing.
    """
    with request.app.state.database.connect() as connection:
        read = queries.measure_beside_caller(measure_id)
        actor, row = identify_beside(request, connection, read)
        query = _read_spc_query(request)
        series = queries.get_series(connection, actor=actor, row=row, query=query)
        tag = etag(series.tag)
        return _not_modified(request, tag) or _json(series.document(), tag)


@router.get(
    "/projects/{project_id}/spc",
    summary="Chart every measure of a project",
    response_model=ProjectCharts,
    responses=problems(Unchartable) | _CONDITIONAL,
)
def get_project_spc(
    request: Request, project_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> Response:
    """All live measures in their order, each with its chart; the same number of queries for any."""
    tag, rows = queries.list_project_series(session, actor=actor, project_id=project_id)
    unchanged = _not_modified(request, etag(tag))
    if unchanged is not None:
        return unchanged
    items = queries.draw_project(session, rows)
    return _json({"project_id": str(project_id), "items": items}, etag(tag))


@router.get("/programmes/{programme_id}/spc", summary="Headline series of a programme")
def list_programme_spc(
    programme_id: uuid.UUID,
    query: Annotated[HeadlineQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[HeadlineRead]:
    """Each project that you can see with variation, assurance and latest value of its headline.

    The headline is the measure marked so, else the first outcome measure.
    """
    return queries.list_headlines(
        session, actor=actor, programme_id=programme_id, query=query, pager=pager
    )


@router.post(
    "/spc/charts",
    summary="Chart points that you send",
    response_model=SpcChart,
    responses=problems(Unchartable),
    max_body_size=LARGEST_REQUEST,
)
def draw_spc_chart(data: SpcChartRequest, _actor: CurrentActor) -> Response:
    """Points and settings in, the annotated series out; nothing is stored. Up to 10,000 points."""
    return _json(draw_request(data))
