"""From points and settings to the SPC document, with the engine's refusals as problems."""

from collections.abc import Callable
from typing import Any

from app import spc
from app.analytics.schemas import SpcChartRequest
from app.kit.errors import FieldError, Invalid


class Unchartable(Invalid):
    """422: data and chart do not fit, or a setting means nothing; `detail` says what to do."""

    code = "unchartable"
    title = "No chart can be drawn from this."


def _parameter(pointer: str) -> dict[str, str]:
    """A fault of stored data or of an override: there is no body to point into."""
    return {"parameter": pointer.strip("/").split("/")[0]}


def _body(pointer: str) -> dict[str, str]:
    return {"pointer": f"#{pointer}"}


def draw(
    series: spc.Series,
    settings: spc.Settings,
    *,
    as_of: str | None = None,
    place: Callable[[str], dict[str, str]] = _parameter,
) -> dict[str, Any]:
    """The document. Raises `Unchartable` with the engine's own advice."""
    try:
        return {"as_of": None} | spc.document(spc.chart(series, settings), as_of=as_of)
    except spc.SpcError as fault:
        where = place(fault.pointer)
        error = FieldError(code=fault.code, detail=fault.detail, **where)  # type: ignore[arg-type]
        raise Unchartable(fault.detail, errors=[error]) from fault


def draw_request(request: SpcChartRequest) -> dict[str, Any]:
    """The document of points and settings that a caller sent."""
    points = request.points
    is_ratio = any(point.denominator is not None for point in points)
    is_grouped = any(point.values is not None for point in points)
    _refuse_mixture(request, is_ratio, is_grouped)
    series = spc.Series(
        x=[point.x for point in points],
        values=None if is_ratio or is_grouped else [point.value for point in points],
        numerators=[point.numerator for point in points] if is_ratio else None,
        denominators=[point.denominator for point in points] if is_ratio else None,
        excluded=[point.excluded for point in points],
        notes=[point.note for point in points],
        subgroups=[point.values for point in points] if is_grouped else None,
    )
    settings = spc.Settings(
        chart=request.chart,
        rule_set=request.rule_set,
        direction=request.direction,
        phase_starts=request.phase_starts,
        baseline_points=request.baseline_points,
        target=request.target,
        screen_moving_ranges=request.screen_moving_ranges,
        multiplier=request.multiplier,
        title=request.title,
        unit=request.unit,
    )
    return draw(series, settings, place=_body)


def _refuse_mixture(request: SpcChartRequest, is_ratio: bool, is_grouped: bool) -> None:
    """Points state values, ratios or subgroups: one of another sort would silently become a gap."""
    others = (["value"] if is_ratio or is_grouped else []) + (["values"] if is_ratio else [])
    for row, point in enumerate(request.points):
        for other in others:
            if getattr(point, other) is not None:
                raise Invalid.at(
                    *("points", row, other),
                    code="values_and_ratios",
                    detail="Give value, values, or numerator and denominator at all points alike.",
                )
        if point.numerator is not None and point.denominator is None:
            raise Invalid.at(
                *("points", row, "denominator"),
                code="denominator_missing",
                detail="Give the denominator too, or null for both.",
            )
