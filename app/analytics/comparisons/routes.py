"""Routes of EWMA, CUSUM and Pareto charts and of funnel plots: of sent and of stored data."""

import uuid
from typing import Annotated, Any

from fastapi import Query, Request, Response
from pydantic_core import to_json

from app.access.dependencies import CurrentActor
from app.analytics.comparisons import drawing, funnels, queries
from app.analytics.comparisons.documents import (
    CusumChart,
    EwmaChart,
    FunnelPlot,
    ParetoChart,
    ProgrammeFunnel,
)
from app.analytics.comparisons.funnels import Incomparable, MeasureCodeMissing
from app.analytics.comparisons.plots.representations import represent
from app.analytics.comparisons.plots.table import EXAMPLE
from app.analytics.comparisons.schemas import (
    CusumQuery,
    CusumRequest,
    EwmaQuery,
    EwmaRequest,
    FunnelQuery,
    FunnelRequest,
    ParetoRequest,
)
from app.analytics.drawing import Unchartable
from app.analytics.pictures.dependencies import REPRESENTED, answer, media_type_of, tagged_as
from app.analytics.pictures.schemas import PictureQuery
from app.kit.negotiation import CSV, JSON
from app.kit.openapi import problems
from app.kit.preconditions import etag, matches
from app.kit.routing import Router

router = Router(tags=["spc"])
LARGEST_REQUEST = 5_000_000  # ten thousand points
Sent = Annotated[PictureQuery, Query()]
_CONDITIONAL: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing that is printed has changed; nothing was computed."}
}
_TABLE = {"schema": {"type": "string"}, "example": EXAMPLE}
_REPRESENTED: dict[int | str, dict[str, Any]] = REPRESENTED | {
    200: {"content": REPRESENTED[200]["content"] | {CSV: _TABLE}}
}


def _shown(
    document: dict[str, Any], media_type: str, query: PictureQuery, tag: str | None = None
) -> Response:
    """The engine's plain document as it is, or as a table or a picture."""
    if media_type != JSON:
        return answer(represent(document, media_type, query), tag)
    headers = {"ETag": tag} if tag else None
    return Response(to_json(document), media_type=JSON, headers=headers)


def _not_modified(request: Request, tag: str) -> Response | None:
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return None


@router.post(
    "/spc/ewma",
    summary="Draw an EWMA chart of points that you send",
    response_model=EwmaChart,
    responses=problems(Unchartable) | _REPRESENTED,
    max_body_size=LARGEST_REQUEST,
)
def draw_ewma_chart(
    request: Request, data: EwmaRequest, query: Sent, _actor: CurrentActor
) -> Response:
    """A moving average whose weights fade finds small lasting shifts. Nothing is stored."""
    media_type = media_type_of(request, query.format)
    return _shown(drawing.draw_ewma(data), media_type, query)


@router.post(
    "/spc/cusum",
    summary="Draw a CUSUM chart of points that you send",
    response_model=CusumChart,
    responses=problems(Unchartable) | _REPRESENTED,
    max_body_size=LARGEST_REQUEST,
)
def draw_cusum_chart(
    request: Request, data: CusumRequest, query: Sent, _actor: CurrentActor
) -> Response:
    """Two sums of what lies beyond an allowance find small shifts, and when they began.

    Nothing is stored.
    """
    media_type = media_type_of(request, query.format)
    return _shown(drawing.draw_cusum(data), media_type, query)


@router.post(
    "/spc/pareto",
    summary="Draw a Pareto chart of categories that you send",
    response_model=ParetoChart,
    responses=problems(Unchartable) | _REPRESENTED,
)
def draw_pareto_chart(
    request: Request, data: ParetoRequest, query: Sent, _actor: CurrentActor
) -> Response:
    """Categories by falling value, with the vital few that make up most. Nothing is stored."""
    media_type = media_type_of(request, query.format)
    return _shown(drawing.draw_pareto(data), media_type, query)


@router.post(
    "/spc/funnel",
    summary="Draw a funnel plot of units that you send",
    response_model=FunnelPlot,
    responses=problems(Unchartable) | _REPRESENTED,
)
def draw_funnel_plot(
    request: Request, data: FunnelRequest, query: Sent, _actor: CurrentActor
) -> Response:
    """Units side by side, each with limits for its own size; no ranking. Nothing is stored."""
    media_type = media_type_of(request, query.format)
    return _shown(drawing.draw_funnel(data), media_type, query)


@router.get(
    "/measures/{measure_id}/spc/ewma",
    summary="Draw the EWMA chart of a measure",
    response_model=EwmaChart,
    responses=problems(Unchartable) | _REPRESENTED | _CONDITIONAL,
)
def get_measure_ewma(
    request: Request,
    measure_id: uuid.UUID,
    query: Annotated[EwmaQuery, Query()],
    actor: CurrentActor,
) -> Response:
    """The stored series as an EWMA chart. Parameters override stored settings for this request.

    As a table, Vega-Lite chart or picture by Accept or `format`.
    """
    media_type = media_type_of(request, query.format)
    with request.app.state.database.reading() as session:
        stored = queries.get_series(session, actor=actor, measure_id=measure_id, query=query)
        tag = etag(tagged_as(stored.tag, media_type))
        if (unchanged := _not_modified(request, tag)) is not None:
            return unchanged
        document = queries.draw_measure_ewma(stored, query)
    return _shown(document, media_type, query, tag)


@router.get(
    "/measures/{measure_id}/spc/cusum",
    summary="Draw the CUSUM chart of a measure",
    response_model=CusumChart,
    responses=problems(Unchartable) | _REPRESENTED | _CONDITIONAL,
)
def get_measure_cusum(
    request: Request,
    measure_id: uuid.UUID,
    query: Annotated[CusumQuery, Query()],
    actor: CurrentActor,
) -> Response:
    """The stored series as a CUSUM chart. Parameters override stored settings for this request.

    As a table, Vega-Lite chart or picture by Accept or `format`.
    """
    media_type = media_type_of(request, query.format)
    with request.app.state.database.reading() as session:
        stored = queries.get_series(session, actor=actor, measure_id=measure_id, query=query)
        tag = etag(tagged_as(stored.tag, media_type))
        if (unchanged := _not_modified(request, tag)) is not None:
            return unchanged
        document = queries.draw_measure_cusum(stored, query)
    return _shown(document, media_type, query, tag)


@router.get(
    "/programmes/{programme_id}/funnel",
    summary="Compare the teams or projects of a programme",
    response_model=ProgrammeFunnel,
    responses=problems(Unchartable, Incomparable, MeasureCodeMissing) | _REPRESENTED | _CONDITIONAL,
)
def get_programme_funnel(
    request: Request,
    programme_id: uuid.UUID,
    query: Annotated[FunnelQuery, Query()],
    actor: CurrentActor,
) -> Response:
    """Measures that share `measure_code`, summed over the periods, as a funnel plot.

    Only what you can see is compared and pooled: who sees one team sees one unit. Give `target` to
    compare with something else than the pool. There is no ranking.
    """
    media_type = media_type_of(request, query.format)
    with request.app.state.database.reading() as session:
        comparison = funnels.get_comparison(
            session, actor=actor, programme_id=programme_id, query=query
        )
        tag = etag(tagged_as(comparison.tag, media_type))
        if (unchanged := _not_modified(request, tag)) is not None:
            return unchanged
        document = funnels.draw_programme_funnel(session, comparison)
    return _shown(document, media_type, query, tag)
