"""From what was sent to the documents of the engine, with its refusals as problems."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from app import spc
from app.analytics.comparisons.schemas import (
    CusumRequest,
    EwmaRequest,
    FunnelRequest,
    ParetoRequest,
)
from app.analytics.drawing import Unchartable
from app.analytics.schemas import PointRequest
from app.kit.errors import FieldError, Invalid
from app.spc.cusum import CusumSettings, cusum
from app.spc.ewma import EwmaSettings, ewma
from app.spc.funnel import funnel
from app.spc.pareto import Category, ParetoSettings, pareto
from app.spc.units import FunnelSettings, Unit

Place = Callable[[str], dict[str, str]]


def in_body(pointer: str) -> dict[str, str]:
    """A fault of the body that was sent."""
    return {"pointer": f"#{pointer}"}


def in_parameters(pointer: str) -> dict[str, str]:
    """A fault of stored data or of a parameter: there is no body to point into."""
    return {"parameter": pointer.strip("/").split("/")[0]}


@contextmanager
def refusals(place: Place) -> Iterator[None]:
    """Turn a refusal of the engine into `Unchartable` with its own advice."""
    try:
        yield
    except spc.SpcError as fault:
        where = place(fault.pointer)
        error = FieldError(code=fault.code, detail=fault.detail, **where)  # type: ignore[arg-type]
        raise Unchartable(fault.detail, errors=[error]) from fault


def tag_of(*stated: object) -> str:
    """An entity tag of all that decides a document."""
    text = "|".join(map(str, (spc.ENGINE_VERSION, *stated)))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def printed(instant: datetime) -> str:
    """An instant as documents print it."""
    return instant.isoformat().replace("+00:00", "Z")


def _series(points: Sequence[PointRequest]) -> spc.Series:
    is_ratio = any(point.denominator is not None for point in points)
    for row, point in enumerate(points):
        if is_ratio and point.value is not None:
            raise Invalid.at(
                *("points", row, "value"),
                code="values_and_ratios",
                detail="Give numerators and denominators, or values, at all points alike.",
            )
        if point.numerator is not None and point.denominator is None:
            raise Invalid.at(
                *("points", row, "denominator"),
                code="denominator_missing",
                detail="Give the denominator too, or null for both.",
            )
    return spc.Series(
        x=[point.x for point in points],
        values=None if is_ratio else [point.value for point in points],
        numerators=[point.numerator for point in points] if is_ratio else None,
        denominators=[point.denominator for point in points] if is_ratio else None,
        excluded=[point.excluded for point in points],
        notes=[point.note for point in points],
    )


def draw_ewma(request: EwmaRequest) -> dict[str, Any]:
    """The EWMA document of points that were sent."""
    series = _series(request.points)
    with refusals(in_body):
        return ewma(series, EwmaSettings(**_chosen(request)))


def draw_cusum(request: CusumRequest) -> dict[str, Any]:
    """The CUSUM document of points that were sent."""
    series = _series(request.points)
    with refusals(in_body):
        return cusum(series, CusumSettings(**_chosen(request)))


def _chosen(request: EwmaRequest | CusumRequest) -> dict[str, Any]:
    return {name: getattr(request, name) for name in type(request).model_fields if name != "points"}


def draw_pareto(request: ParetoRequest) -> dict[str, Any]:
    """The Pareto document of categories that were sent."""
    categories = [Category(**category.model_dump()) for category in request.categories]
    with refusals(in_body):
        return pareto(categories, ParetoSettings(**request.model_dump(exclude={"categories"})))


def draw_funnel(request: FunnelRequest) -> dict[str, Any]:
    """The funnel document of units that were sent."""
    units = [Unit(**unit.model_dump()) for unit in request.units]
    with refusals(in_body):
        return funnel(units, FunnelSettings(**request.model_dump(exclude={"units"})))
