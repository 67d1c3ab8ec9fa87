"""Routes of rule sets and charts, of a comparison of rule sets, and of many charts at once."""

import uuid
from typing import Any

from fastapi import Request, Response
from pydantic_core import to_json

from app.access.dependencies import SECURED, CurrentActor, identify_beside
from app.analytics import queries
from app.analytics.drawing import Unchartable, assemble_request, in_body, in_query
from app.analytics.judgements import tables
from app.analytics.judgements.comparison import compare
from app.analytics.judgements.outcomes import TooManyPoints, draw_batch
from app.analytics.judgements.schemas import (
    ChartTypeList,
    RuleSetList,
    SpcBatchRequest,
    SpcBatchResult,
    SpcComparison,
)
from app.analytics.schemas import SpcChartRequest, SpcQuery
from app.kit.openapi import problems
from app.kit.preconditions import etag, matches
from app.kit.query_models import query_of, query_parameters
from app.kit.routing import Router

router = Router()
_read_spc_query = query_of(SpcQuery)
LARGEST_REQUEST = 5_000_000  # ten thousand points
LARGEST_BATCH = 20_000_000  # a hundred thousand points with their names


def _json(document: Any, tag: str | None = None) -> Response:
    headers = {"ETag": tag} if tag else None
    return Response(to_json(document), media_type="application/json", headers=headers)


_UNCHANGED: dict[int | str, dict[str, Any]] = {
    304: {"description": "Nothing has changed; nothing was computed."}
}


@router.get("/spc/rule-sets", summary="List the rule sets", responses=_UNCHANGED)
def list_rule_sets(_actor: CurrentActor, response: Response) -> RuleSetList:
    """Every rule set: its rules with their parameters, the charts it fits, and whose default it is.

    They change with the version of the engine only.
    """
    response.headers["ETag"] = etag(tables.version())
    return tables.list_rule_sets()


@router.get("/spc/chart-types", summary="List the charts", responses=_UNCHANGED)
def list_chart_types(_actor: CurrentActor, response: Response) -> ChartTypeList:
    """Every chart: the data that it takes, its limits, and the measures that it is recommended for.

    They change with the version of the engine only.
    """
    response.headers["ETag"] = etag(tables.version())
    return tables.list_chart_types()


@router.get(
    "/measures/{measure_id}/spc/compare",
    summary="Compare the rule sets on a measure",
    response_model=SpcComparison,
    responses=problems(Unchartable) | _UNCHANGED,
    openapi_extra=query_parameters(SpcQuery) | SECURED,
)
def compare_measure_spc(request: Request, measure_id: uuid.UUID) -> Response:
    """The stored series under every rule set that fits its chart: what each would have said.

    Points stand once, lines once for each kind of constants. Parameters override stored settings
    for this request; `rule_set` marks the chosen one.
    """
    with request.app.state.database.connect() as connection:
        read = queries.measure_beside_caller(measure_id)
        actor, row = identify_beside(request, connection, read)
        query = _read_spc_query(request)
        series = queries.get_series(connection, actor=actor, row=row, query=query)
        tag = etag(f"{series.tag}-{tables.version()}")
        if matches(request.headers.get("if-none-match"), tag):
            return Response(status_code=304, headers={"ETag": tag})
        assembled = series.assembled()
    compared = compare(
        assembled.series,
        assembled.settings,
        as_of=series.as_of,
        annotations=assembled.annotations,
        place=in_query,
    )
    return _json(compared, tag)


@router.post(
    "/spc/charts/compare",
    summary="Compare the rule sets on points that you send",
    response_model=SpcComparison,
    responses=problems(Unchartable),
    max_body_size=LARGEST_REQUEST,
)
def compare_spc_chart(data: SpcChartRequest, _actor: CurrentActor) -> Response:
    """Points and settings in, what every fitting rule set says of them out; nothing is stored."""
    return _json(compare(*assemble_request(data), place=in_body))


@router.post(
    "/spc/charts/batch",
    summary="Chart many series that you send",
    response_model=SpcBatchResult,
    responses=problems(TooManyPoints),
    max_body_size=LARGEST_BATCH,
)
def draw_spc_charts(data: SpcBatchRequest, _actor: CurrentActor) -> Response:
    """Up to 1,000 series with 100,000 points together; nothing is stored.

    Each item has an outcome of its own, in its place: its chart, or the problem that the route for
    one chart would have answered with. An item that is wrong refuses none of the others.
    """
    return _json(draw_batch(data))
