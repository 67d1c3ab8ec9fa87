"""From what was sent to the documents of the engine, with its refusals as problems."""

import hashlib
from collections.abc import Callable, Iterator
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
from app.analytics.drawing import Unchartable, in_body, series_of
from app.spc.cusum import CusumSettings, cusum
from app.spc.ewma import EwmaSettings, ewma
from app.spc.funnel import funnel
from app.spc.pareto import Category, ParetoSettings, pareto
from app.spc.units import FunnelSettings, Unit


@contextmanager
def refusals(place: Callable[[str], dict[str, str]]) -> Iterator[None]:
    """Turn a refusal of the engine into `Unchartable` with its own advice."""
    try:
        yield
    except spc.SpcError as fault:
        raise Unchartable.because(fault, place) from fault


def tag_of(*stated: object) -> str:
    """An entity tag of all that decides a document."""
    text = "|".join(map(str, (spc.ENGINE_VERSION, *stated)))
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def printed(instant: datetime) -> str:
    """An instant as documents print it."""
    return instant.isoformat().replace("+00:00", "Z")


def draw_ewma(request: EwmaRequest) -> dict[str, Any]:
    """The EWMA document of points that were sent."""
    series = series_of(request.points)
    with refusals(in_body):
        return ewma(series, EwmaSettings(**_chosen(request)))


def draw_cusum(request: CusumRequest) -> dict[str, Any]:
    """The CUSUM document of points that were sent."""
    series = series_of(request.points)
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
