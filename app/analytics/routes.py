"""Routes of SPC-annotated series: of stored data, and of data that the caller sends."""

import uuid
from typing import Any

from fastapi import Request, Response
from pydantic_core import to_json

from app.access.dependencies import SECURED, CurrentActor, identify_beside
from app.analytics import queries
from app.analytics.detections import routes as detections
from app.analytics.drawing import Unchartable, draw_request
from app.analytics.judgements import routes as judgements
from app.analytics.pictures.dependencies import REPRESENTED, answer, media_type_of, tagged_as
from app.analytics.pictures.representations import represent
from app.analytics.pictures.schemas import MeasureChartQuery, PictureQuery
from app.analytics.rebasing import routes as rebasing
from app.analytics.schemas import ProjectCharts, SpcChart, SpcChartRequest
from app.analytics.summaries import routes as summaries
from app.kit.dependencies import ReadSession
from app.kit.negotiation import JSON
from app.kit.openapi import problems
from app.kit.preconditions import etag, matches
from app.kit.query_models import query_of, query_parameters
from app.kit.routing import DirectRoute, Router

router = Router(tags=["spc"])
direct = Router(tags=["spc"], route_class=DirectRoute)
_read_chart_query = query_of(MeasureChartQuery)
_read_picture_query = query_of(PictureQuery)
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
    responses=problems(Unchartable) | REPRESENTED | _CONDITIONAL,
    openapi_extra=query_parameters(MeasureChartQuery) | SECURED,
)
def get_measure_spc(request: Request, measure_id: uuid.UUID) -> Response:
    """The stored series annotated by SPC. Parameters override stored settings for this request.

    The ETag changes with whatever the chart prints; a 304 computes nothing. As a table, Vega-Lite
    chart or picture by Accept or `format`.
    """
    with request.app.state.database.connect() as connection:
        read = queries.measure_beside_caller(measure_id)
        actor, row = identify_beside(request, connection, read)
        query = _read_chart_query(request)
        media_type = media_type_of(request, query.format)
        series = queries.get_series(connection, actor=actor, row=row, query=query)
        tag = etag(tagged_as(series.tag, media_type))
        if (unchanged := _not_modified(request, tag)) is not None:
            return unchanged
        document = series.document()
    # A picture is drawn when the connection has been handed back.
    if media_type == JSON:
        return _json(document, tag)
    return answer(represent(document, media_type, query), tag)


@router.get(
    "/projects/{project_id}/spc",
    summary="Chart every measure of a project",
    response_model=ProjectCharts,
    responses=_CONDITIONAL,
)
def get_project_spc(
    request: Request, project_id: uuid.UUID, actor: CurrentActor, session: ReadSession
) -> Response:
    """All live measures in their order, each with its chart, or with why it cannot be drawn."""
    tag, rows = queries.list_project_series(session, actor=actor, project_id=project_id)
    unchanged = _not_modified(request, etag(tag))
    if unchanged is not None:
        return unchanged
    items = queries.draw_project(session, rows)
    return _json({"project_id": str(project_id), "items": items}, etag(tag))


@router.post(
    "/spc/charts",
    summary="Chart points that you send",
    response_model=SpcChart,
    responses=problems(Unchartable) | REPRESENTED,
    openapi_extra=query_parameters(PictureQuery),
    max_body_size=LARGEST_REQUEST,
)
def draw_spc_chart(request: Request, data: SpcChartRequest, _actor: CurrentActor) -> Response:
    """Points and settings in, the annotated series out; nothing is stored. Up to 10,000 points.

    As a table, Vega-Lite chart or picture by Accept or `format`.
    """
    query = _read_picture_query(request)
    media_type = media_type_of(request, query.format)
    document = draw_request(data)
    if media_type == JSON:
        return _json(document)
    return answer(represent(document, media_type, query))


router.include_router(judgements.router)
router.include_router(rebasing.router)
router.include_router(summaries.router)
router.include_router(detections.router)
