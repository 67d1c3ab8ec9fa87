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
from app.kit.dependencies import ReadSession
from app.kit.openapi import problems
from app.kit.preconditions import etag, matches
from app.kit.routing import Router

router = Router(tags=["spc"])
LARGEST_REQUEST = 5_000_000  # ten thousand points
_CONDITIONAL: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing that is printed has changed; nothing was computed."}
}


def _json(document: Any, tag: str | None = None) -> Response:
    """The engine's plain document as it is: it needs no model to be serialised."""
    headers = {"ETag": tag} if tag else None
    return Response(to_json(document), media_type="application/json", headers=headers)


def _not_modified(request: Request, tag: str) -> Response | None:
    if matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return None


@router.post(
    "/spc/ewma",
    summary="Draw an EWMA chart of points that you send",
    response_model=EwmaChart,
    responses=problems(Unchartable),
    max_body_size=LARGEST_REQUEST,
)
def draw_ewma_chart(data: EwmaRequest, _actor: CurrentActor) -> Response:
    """A moving average whose weights fade finds small lasting shifts. Nothing is stored."""
    return _json(drawing.draw_ewma(data))


@router.post(
    "/spc/cusum",
    summary="Draw a CUSUM chart of points that you send",
    response_model=CusumChart,
    responses=problems(Unchartable),
    max_body_size=LARGEST_REQUEST,
)
def draw_cusum_chart(data: CusumRequest, _actor: CurrentActor) -> Response:
    """Two sums of what lies beyond an allowance find small shifts, and when they began.

    Nothing is stored.
    """
    return _json(drawing.draw_cusum(data))


@router.post(
    "/spc/pareto",
    summary="Draw a Pareto chart of categories that you send",
    response_model=ParetoChart,
    responses=problems(Unchartable),
)
def draw_pareto_chart(data: ParetoRequest, _actor: CurrentActor) -> Response:
    """Categories by falling value, with the vital few that make up most. Nothing is stored."""
    return _json(drawing.draw_pareto(data))


@router.post(
    "/spc/funnel",
    summary="Draw a funnel plot of units that you send",
    response_model=FunnelPlot,
    responses=problems(Unchartable),
)
def draw_funnel_plot(data: FunnelRequest, _actor: CurrentActor) -> Response:
    """Units side by side, each with limits for its own size; no ranking. Nothing is stored."""
    return _json(drawing.draw_funnel(data))


@router.get(
    "/measures/{measure_id}/spc/ewma",
    summary="Draw the EWMA chart of a measure",
    response_model=EwmaChart,
    responses=problems(Unchartable) | _CONDITIONAL,
)
def get_measure_ewma(
    request: Request,
    measure_id: uuid.UUID,
    query: Annotated[EwmaQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
) -> Response:
    """The stored series as an EWMA chart. Parameters override stored settings for this request."""
    stored = queries.get_series(session, actor=actor, measure_id=measure_id, query=query)
    tag = etag(stored.tag)
    return _not_modified(request, tag) or _json(queries.draw_measure_ewma(stored, query), tag)


@router.get(
    "/measures/{measure_id}/spc/cusum",
    summary="Draw the CUSUM chart of a measure",
    response_model=CusumChart,
    responses=problems(Unchartable) | _CONDITIONAL,
)
def get_measure_cusum(
    request: Request,
    measure_id: uuid.UUID,
    query: Annotated[CusumQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
) -> Response:
    """The stored series as a CUSUM chart. Parameters override stored settings for this request."""
    stored = queries.get_series(session, actor=actor, measure_id=measure_id, query=query)
    tag = etag(stored.tag)
    return _not_modified(request, tag) or _json(queries.draw_measure_cusum(stored, query), tag)


@router.get(
    "/programmes/{programme_id}/funnel",
    summary="Compare the teams or projects of a programme",
    response_model=ProgrammeFunnel,
    responses=problems(Unchartable, Incomparable, MeasureCodeMissing) | _CONDITIONAL,
)
def get_programme_funnel(
    request: Request,
    programme_id: uuid.UUID,
    query: Annotated[FunnelQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
) -> Response:
    """Measures that share `measure_code`, summed over the periods, as a funnel plot.

    Only what you can see is compared and pooled: who sees one team sees one unit. Give `target` to
    compare with something else than the pool. There is no ranking.
    """
    comparison = funnels.get_comparison(
        session, actor=actor, programme_id=programme_id, query=query
    )
    tag = etag(comparison.tag)
    return _not_modified(request, tag) or _json(
        funnels.draw_programme_funnel(session, comparison), tag
    )
