"""Whether a series, and the rules asked for, are of the kind that a chart is for."""

from app.spc.charts import CHARTS, ChartType
from app.spc.errors import SpcError
from app.spc.rule_sets import RuleSet
from app.spc.series import ZERO, Form, Observations, any_holds, refuse_rows

_WHAT = {
    "values": "one value a point",
    "ratios": "a numerator and a denominator for each point",
    "subgroups": "several values for each point",
}


def check_form(form: Form, kind: ChartType) -> None:
    """Refuse data that the chart is not for."""
    if form != kind.data and not (kind.data == "either" and form != "subgroups"):
        wanted = _WHAT["values" if kind.data == "either" else kind.data]
        suited = [name for name, each in CHARTS.items() if each.data in (form, "either")]
        if form == "subgroups":
            suited = [name for name, each in CHARTS.items() if each.data == form]
        detail = (
            f"A {kind.name} chart takes {wanted}; for {_WHAT[form]} choose one of "
            f"{', '.join(suited)}."
        )
        raise SpcError("data_do_not_fit_chart", detail, "/points")


def check_rules(rules: RuleSet, kind: ChartType) -> None:
    """Refuse rules about neighbours where neighbours share a point."""
    if not kind.run_rules and rules.name != "limits_only":
        detail = (
            f"The points of an {kind.name} chart depend on their neighbours, so that run rules "
            "mean nothing; leave the rule set out, or choose limits_only."
        )
        raise SpcError("rules_do_not_fit_chart", detail, "/rule_set")


def check_numbers(observed: Observations, kind: ChartType) -> None:
    """Refuse numbers that the chart is not for."""
    if kind.above_zero:
        wanted = "above zero; where events may fall together, count the cases between and choose g"
        refuse_rows(observed.values <= 0, "time_not_positive", "value", wanted)
    if kind.counts:
        _check_counts(observed, kind)


def _check_counts(observed: Observations, kind: ChartType) -> None:
    counts, field = observed.values, "value"
    if observed.numerators is not None:
        counts, field = observed.numerators, "numerator"
    negative = counts < ZERO
    if kind.ceiling is None or observed.denominators is None:
        refuse_rows(negative, "negative_count", field, "zero or more")
        return
    exceeding = counts > observed.denominators
    if any_holds(negative | exceeding):
        refuse_rows(negative, "negative_count", field, "zero or more")
        refuse_rows(exceeding, "numerator_exceeds_denominator", field, "at most the denominator")
