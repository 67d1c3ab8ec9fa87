"""Checks a plan of collection and describes what it can show. Pure: plain values in and out."""

from collections.abc import Callable, Iterator, Mapping

from app import spc
from app.analytics.feasibility.schemas import (
    ChartAdviceRead,
    FeasibilityInputs,
    FeasibilityOption,
    FeasibilityRead,
    numbers_of,
    rounded,
)
from app.kit.errors import FieldError, Invalid, pointer
from app.measures.charts import charts_for
from app.measures.models import SHARE_TYPES, DataType

LONGEST = 3_660  # days: ten years
Place = Callable[[str], dict[str, str]]


class InfeasiblePlan(Invalid):
    """422: the parts of the plan contradict each other; `errors` says what to change."""

    code = "infeasible_plan"
    title = "The plan cannot be judged as it stands."


def in_body(field: str) -> dict[str, str]:
    """The place of a fault in a body."""
    return {"pointer": pointer(field)}


def in_query(field: str) -> dict[str, str]:
    """The place of a fault in the query, or in what is stored: the parameter puts it right."""
    return {"parameter": field}


def check_plan(plan: spc.CollectionPlan, *, is_change_stated: bool, place: Place) -> None:
    """Raise `InfeasiblePlan` with every contradiction."""
    faults = [*_of_dates(plan, is_change_stated), *_of_names(plan), *_of_numbers(plan)]
    if faults:
        errors = [
            FieldError(code=code, detail=detail, **place(field))  # type: ignore[arg-type]
            for field, code, detail in faults
        ]
        raise InfeasiblePlan(errors[0].detail, errors=errors)


def _of_dates(plan: spc.CollectionPlan, is_change_stated: bool) -> Iterator[tuple[str, str, str]]:
    if plan.ends_on < plan.starts_on:
        detail = f"Collection starts on {plan.starts_on}; give a last day that is not before it."
        yield "ends_on", "dates_out_of_order", detail
        return
    if (plan.ends_on - plan.starts_on).days > LONGEST:
        detail = "Plan at most ten years at once; give an earlier last day."
        yield "ends_on", "plan_too_long", detail
    change = plan.first_change_on
    if is_change_stated and change and not plan.starts_on < change <= plan.ends_on:
        detail = (
            f"The first change starts after {plan.starts_on}, the first day of collection, and not "
            f"after {plan.ends_on}, the last one."
        )
        yield "first_change_on", "first_change_outside", detail


def _of_names(plan: spc.CollectionPlan) -> Iterator[tuple[str, str, str]]:
    fitting = charts_for(DataType(plan.data_type))
    if plan.chart is not None and plan.chart not in fitting:
        detail = f"For {plan.data_type} data choose one of {', '.join(fitting)}."
        yield "chart", "chart_does_not_fit", detail
    if plan.rule_set is not None and plan.rule_set not in spc.RULE_SETS:
        detail = f"There is no such rule set; choose one of {', '.join(spc.RULE_SETS)}."
        yield "rule_set", "unknown_rule_set", detail


def _of_numbers(plan: spc.CollectionPlan) -> Iterator[tuple[str, str, str]]:
    if plan.frequency == "per_case" and plan.cases_per_week is None:
        detail = "State how many cases come in a week, or a frequency of the calendar."
        yield "cases_per_week", "cases_per_week_missing", detail
    if plan.level is None or plan.data_type in (DataType.CONTINUOUS, DataType.TIME_BETWEEN):
        return
    most = plan.multiplier if plan.data_type in SHARE_TYPES else None
    if plan.level < 0 or (most is not None and plan.level > most):
        upper = "" if most is None else f" and at most {most:g}"
        yield "level", "level_out_of_range", f"The level is at least 0{upper}."


def describe(
    plan: spc.CollectionPlan,
    *,
    unit: str | None,
    sources: Mapping[str, str],
    chart_advice: spc.ChartAdvice,
) -> FeasibilityRead:
    """The answer to a plan that was checked."""
    found = spc.feasibility(plan)
    return FeasibilityRead(
        inputs=_inputs(found, unit, sources),
        chosen=FeasibilityOption(**numbers_of(found.chosen)),
        charts=[support._asdict() for support in found.charts],
        alternatives=[FeasibilityOption(**numbers_of(option)) for option in found.alternatives],
        recommended_frequency=found.recommended,
        chart_advice=read_advice(chart_advice),
        advice=spc.explain(found, unit=unit),
    )


def read_advice(advice: spc.ChartAdvice) -> ChartAdviceRead:
    """Chart advice as it is answered."""
    return ChartAdviceRead(
        chart=advice.chart,
        reason=advice.reason,
        alternatives=[each._asdict() for each in advice.alternatives],
        against=[each._asdict() for each in advice.against],
    )


def _inputs(
    found: spc.Feasibility, unit: str | None, sources: Mapping[str, str]
) -> FeasibilityInputs:
    plan = found.plan
    assumed = {"first_change_on": "assumed", "chart": "assumed", "rule_set": "assumed"}
    return FeasibilityInputs(
        starts_on=plan.starts_on,
        ends_on=plan.ends_on,
        first_change_on=found.first_change_on,
        frequency=plan.frequency,
        data_type=plan.data_type,
        chart=found.chart,
        rule_set=found.rule_set,
        cases_per_week=rounded(plan.cases_per_week),
        level=rounded(plan.level),
        spread=rounded(plan.spread),
        multiplier=plan.multiplier,
        unit=unit,
        sources=assumed | dict(sources),
    )
