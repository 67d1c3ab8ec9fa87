"""Whether a series is of the kind that a chart is for."""

from app.spc.charts import ChartType
from app.spc.errors import SpcError
from app.spc.series import Observations, refuse_rows


def check_fit(observed: Observations, kind: ChartType) -> None:
    """Refuse data that the chart is not for."""
    is_ratio = observed.denominators is not None
    if kind.data == "values" and is_ratio:
        detail = f"A {kind.name} chart takes one value a point; for ratios choose a u or a p chart."
        raise SpcError("data_do_not_fit_chart", detail, "/points")
    if kind.data == "ratios" and not is_ratio:
        detail = (
            f"A {kind.name} chart takes a numerator and a denominator for each point; "
            "for single values choose an i, c or run chart."
        )
        raise SpcError("data_do_not_fit_chart", detail, "/points")
    if kind.counts:
        _check_counts(observed, kind)


def _check_counts(observed: Observations, kind: ChartType) -> None:
    counts, field = observed.values, "value"
    if observed.numerators is not None:
        counts, field = observed.numerators, "numerator"
    refuse_rows(counts < 0, "negative_count", field, "zero or more")
    if kind.ceiling is not None and observed.denominators is not None:
        wrong = counts > observed.denominators
        refuse_rows(wrong, "numerator_exceeds_denominator", field, "at most the denominator")
