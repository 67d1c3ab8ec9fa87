"""Charts of many series that a caller sent: every item has an outcome of its own."""

from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app import spc
from app.analytics.drawing import Unchartable, assemble_request, document_of, judge_each
from app.analytics.judgements.schemas import MAX_BATCH_POINTS, SpcBatchRequest
from app.analytics.schemas import SpcChartRequest
from app.kit.errors import FieldError, Invalid, field_error, pointer
from app.kit.problems import MAX_FAULTS, status_of

_ITEM = TypeAdapter(SpcChartRequest)

Assembled = tuple[spc.Series, spc.Settings]
Outcome = dict[str, Any]


class TooManyPoints(Invalid):
    """422: each item may be fine, but together they would keep the server from others for long."""

    code = "too_many_points"
    title = f"At most {MAX_BATCH_POINTS} points are charted at once; send fewer series."


def draw_batch(request: SpcBatchRequest) -> dict[str, Any]:
    """The outcomes in the order of the items. Raises `TooManyPoints`."""
    _check_size(request)
    assembled = [_assembled(item, index) for index, item in enumerate(request.items)]
    judged = iter(judge_each(item for item in assembled if not isinstance(item, Invalid)))
    outcomes = [
        _outcome(index, item if isinstance(item, Invalid) else next(judged))
        for index, item in enumerate(assembled)
    ]
    drawn = sum(outcome["outcome"] == "drawn" for outcome in outcomes)
    return {"drawn": drawn, "refused": len(outcomes) - drawn, "items": outcomes}


def _check_size(request: SpcBatchRequest) -> None:
    """Before any item is looked at: what is not a list of points has none."""
    stated = (item.get("points") if isinstance(item, dict) else None for item in request.items)
    if sum(len(points) for points in stated if isinstance(points, list)) > MAX_BATCH_POINTS:
        fault = FieldError(
            code=TooManyPoints.code, detail=TooManyPoints.title, pointer=pointer("items")
        )
        raise TooManyPoints(errors=[fault])


def _assembled(item: Any, index: int) -> Assembled | Invalid:
    try:
        return assemble_request(_ITEM.validate_python(item))
    except ValidationError as fault:
        place = ("body", "items", index)
        faults = fault.errors(include_url=False, include_input=False)
        return Invalid(errors=[field_error(each, prefix=place) for each in faults[:MAX_FAULTS]])
    except Invalid as refusal:
        return _within(refusal, index)


def _within(refusal: Invalid, index: int) -> Invalid:
    """The refusal of an item, its pointers leading into the batch."""
    errors = [
        replace(error, pointer=pointer("items", index) + (error.pointer or "#").removeprefix("#"))
        for error in refusal.errors
    ]
    return type(refusal)(refusal.detail, errors=errors)


def _outcome(index: int, found: spc.Chart | spc.SpcError | Invalid) -> Outcome:
    if isinstance(found, spc.Chart):
        chart = document_of(found)
        return {"index": index, "outcome": "drawn", "chart": chart, "problem": None}
    if isinstance(found, spc.SpcError):
        found = Unchartable.because(
            found, lambda place: {"pointer": pointer("items", index) + place}
        )
    return {"index": index, "outcome": "refused", "chart": None, "problem": _problem(found)}


def _problem(refusal: Invalid) -> dict[str, Any]:
    return {
        "type": f"/problems/{refusal.code}",
        "title": refusal.title,
        "status": status_of(type(refusal)),
        "code": refusal.code,
        "detail": refusal.detail,
        "errors": [error.as_dict() for error in refusal.errors],
    }
