"""From points and settings to the SPC document, with the engine's refusals as problems."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

from app import spc
from app.analytics.schemas import PointRequest, SpcChartRequest
from app.kit.errors import FieldError, Invalid
from app.measures.marks import AnnotationRow, by_row, by_signal


class Unchartable(Invalid):
    """422: data and chart do not fit, or a setting means nothing; `detail` says what to do."""

    code = "unchartable"
    title = "No chart can be drawn from this."

    @classmethod
    def because(cls, fault: spc.SpcError, place: Callable[[str], dict[str, str]]) -> "Unchartable":
        """The engine's refusal with its own advice, and where the caller finds what is wrong."""
        where = place(fault.pointer)
        error = FieldError(code=fault.code, detail=fault.detail, **where)  # type: ignore[arg-type]
        return cls(fault.detail, errors=[error])


def in_query(pointer: str) -> dict[str, str]:
    """A fault of stored data or of an override: there is no body to point into."""
    return {"parameter": pointer.strip("/").split("/")[0]}


def _at_chart(_: str) -> dict[str, str]:
    return {"parameter": "chart"}


def in_body(pointer: str) -> dict[str, str]:
    """A fault of what the caller sent."""
    return {"pointer": f"#{pointer}"}


def draw(
    series: spc.Series,
    settings: spc.Settings,
    *,
    as_of: str | None = None,
    annotations: Sequence[AnnotationRow] = (),
    place: Callable[[str], dict[str, str]] = in_query,
) -> dict[str, Any]:
    """The document. Raises `Unchartable` with the engine's own advice."""
    try:
        chart = spc.chart(series, settings)
    except spc.SpcError as fault:
        if place is in_query and fault.code == "data_do_not_fit_chart":
            place = _at_chart  # the points are stored; what this request can change is the chart
        raise Unchartable.because(fault, place) from fault
    return document_of(chart, as_of=as_of, annotations=annotations)


def document_of(
    chart: spc.Chart, *, as_of: str | None = None, annotations: Sequence[AnnotationRow] = ()
) -> dict[str, Any]:
    """The document of a chart, with what people noted at its points and about its signals."""
    days = [date.fromisoformat(day) for day in chart.series.x] if annotations else []
    return {"as_of": None} | spc.document(
        chart,
        as_of=as_of,
        annotations=by_row(days, annotations),
        explained_by=by_signal(annotations),
    )


def judge_each(
    requests: Iterable[tuple[spc.Series, spc.Settings]],
) -> list[spc.Chart | spc.SpcError]:
    """Many charts at once, in order; what cannot be charted is told in its place."""
    return spc.charts(list(requests))


def draw_request(request: SpcChartRequest) -> dict[str, Any]:
    """The document of points and settings that a caller sent."""
    return draw(*assemble_request(request), place=in_body)


def assemble_request(request: SpcChartRequest) -> tuple[spc.Series, spc.Settings]:
    """What a caller sent, as the engine takes it. Raises `Invalid` where values and ratios mix."""
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
    return series_of(request.points), settings


def series_of(points: Sequence[PointRequest]) -> spc.Series:
    """Points that a caller sent. Raises `Invalid` where values, ratios and subgroups mix."""
    is_ratio = any(point.denominator is not None for point in points)
    is_grouped = any(point.values is not None for point in points)
    _refuse_mixture(points, is_ratio, is_grouped)
    return spc.Series(
        x=[point.x for point in points],
        values=None if is_ratio or is_grouped else [point.value for point in points],
        numerators=[point.numerator for point in points] if is_ratio else None,
        denominators=[point.denominator for point in points] if is_ratio else None,
        excluded=[point.excluded for point in points],
        notes=[point.note for point in points],
        subgroups=[point.values for point in points] if is_grouped else None,
    )


def _refuse_mixture(points: Sequence[PointRequest], is_ratio: bool, is_grouped: bool) -> None:
    """Points state values, ratios or subgroups: one of another sort would silently become a gap."""
    others = (["value"] if is_ratio or is_grouped else []) + (["values"] if is_ratio else [])
    for row, point in enumerate(points):
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
