"""Reads of what a measure has stored about its plan and of its data: a fixed number of queries."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col

from app import spc
from app.access.actor import Actor, ScopeInsufficient
from app.access.permissions import Permission
from app.access.scope import visible_to
from app.analytics.feasibility.plans import (
    InfeasiblePlan,
    check_plan,
    describe,
    in_body,
    in_query,
    read_advice,
)
from app.analytics.feasibility.schemas import (
    ChartAdviceRead,
    FeasibilityQuery,
    FeasibilityRead,
    FeasibilityRequest,
)
from app.kit.errors import FieldError, NotFound
from app.measures.charts import charts_for
from app.measures.models import RATIO_TYPES, DataPoint, DataType, Measure
from app.measures.schemas import Frequency
from app.measures.series import ChartSettings, PointRow, assemble
from app.pdsa.marks import started_on
from app.pdsa.models import CycleState, PDSACycle, Purpose
from app.programmes.models import Programme
from app.projects.models import Project

RECENT = 500  # points that advice looks at: what was long ago says little of the plan
_COLUMNS: tuple[Any, ...] = (
    Measure.id,
    Measure.project_id,
    Measure.data_type,
    Measure.direction,
    Measure.chart,
    Measure.rule_set,
    Measure.multiplier,
    Measure.unit,
    Measure.collection,
    Project.start_on,
    Programme.first_session_on,
    Programme.starts_on,
    Programme.ends_on,
    col(Programme.rule_set).label("programme_rule_set"),
)
_MEASURE = (
    sa.select(*_COLUMNS)
    .select_from(Measure)
    .join(Project, col(Project.id) == col(Measure.project_id))
    .join(Programme, col(Programme.id) == col(Measure.programme_id))
)
_POINT: tuple[Any, ...] = (
    DataPoint.period_start,
    DataPoint.value,
    DataPoint.numerator,
    DataPoint.denominator,
    DataPoint.excluded,
    DataPoint.note,
)
Found = tuple[Any, str]  # a value and where it came from


class Habits(NamedTuple):
    """What recent data tell of the next ones, in the displayed unit."""

    cases_per_week: float | None = None
    level: float | None = None
    spread: float | None = None


def judge_plan(data: FeasibilityRequest) -> FeasibilityRead:
    """What a plan that the caller sent can show."""
    values = data.model_dump(exclude={"unit"})
    plan = spc.CollectionPlan(**values)
    check_plan(plan, is_change_stated=True, place=in_body)
    advice = spc.advise_chart(data.data_type, among=charts_for(data.data_type))
    sources = {name: "request" for name, value in values.items() if value is not None}
    return describe(plan, unit=data.unit, sources=sources, chart_advice=advice)


def get_measure_feasibility(
    session: Session, *, actor: Actor, measure_id: uuid.UUID, query: FeasibilityQuery
) -> FeasibilityRead:
    """What a measure's plan can show. Raises `NotFound` and `InfeasiblePlan`."""
    row = _get_row(session, actor, measure_id)
    points = _recent_points(session, measure_id)
    series = _series(row, points)
    asked = query.model_dump(exclude_none=True)
    chart = asked.get("chart") or row.chart or spc.recommend_chart(row.data_type.value)
    change = _first_change(session, actor, row.project_id)
    stated = _stated(row, chart, change, _habits(row, series))
    found = stated | {name: (value, "request") for name, value in asked.items()}
    if "frequency" not in found:
        detail = "The measure's data plan names no frequency: store one, or send it here."
        fault = FieldError(code="frequency_missing", detail=detail, parameter="frequency")
        raise InfeasiblePlan(detail, errors=[fault])
    plan = spc.CollectionPlan(
        data_type=row.data_type,
        multiplier=row.multiplier,
        stated_at=frequency.value if (frequency := _stored_frequency(row)) else None,
        **{name: value for name, (value, _) in found.items()},
    )
    check_plan(plan, is_change_stated="first_change_on" in asked, place=in_query)
    sources = {name: source for name, (_, source) in found.items()}
    return describe(plan, unit=row.unit, sources=sources, chart_advice=_advise(row, series))


def get_measure_chart_advice(
    session: Session, *, actor: Actor, measure_id: uuid.UUID
) -> ChartAdviceRead:
    """Which chart suits a measure and its recent data. Raises `NotFound`."""
    row = _get_row(session, actor, measure_id)
    return read_advice(_advise(row, _series(row, _recent_points(session, measure_id))))


def _get_row(session: Session, actor: Actor, measure_id: uuid.UUID) -> Any:
    statement = visible_to(_MEASURE, actor, Measure, Permission.MEASURE_READ)
    row = session.connection().execute(statement.where(col(Measure.id) == measure_id)).first()
    if row is None:
        raise NotFound
    return row


def _recent_points(session: Session, measure_id: uuid.UUID) -> list[PointRow]:
    statement = (
        sa.select(*_POINT)
        .where(
            col(DataPoint.measure_id) == measure_id,
            col(DataPoint.stratum) == "",
            col(DataPoint.archived_at).is_(None),
        )
        .order_by(col(DataPoint.period_start).desc())
        .limit(RECENT)
    )
    rows = session.connection().execute(statement).all()
    return [PointRow(*row) for row in reversed(rows)]


def _first_change(session: Session, actor: Actor, project_id: uuid.UUID) -> date | None:
    """The earliest start of a cycle that changes something, as planned or as it was.

    None too for a token that was made without the scope to read cycles: they only refine the plan.
    """
    columns = (col(PDSACycle.plan), col(PDSACycle.do), col(PDSACycle.started_at))
    statement = sa.select(*columns).where(
        col(PDSACycle.project_id) == project_id,
        col(PDSACycle.archived_at).is_(None),
        col(PDSACycle.state) != CycleState.CANCELLED,
        col(PDSACycle.purpose).in_([Purpose.TEST_CHANGE, Purpose.IMPLEMENT_CHANGE]),
    )
    try:
        statement = visible_to(statement, actor, PDSACycle, Permission.PDSA_CYCLE_READ)
    except ScopeInsufficient:
        return None
    rows = session.connection().execute(statement)
    return min(_starts(rows), default=None)


def _starts(rows: Iterable[Any]) -> Iterable[date]:
    """As the charts mark them; of a cycle that has not begun, as planned."""
    for row in rows:
        stated_on = row.do.get("actual_start") or row.plan.get("when_start")
        if stated_on or row.started_at is not None:
            yield started_on(stated_on, row.started_at)


def _stored_frequency(row: Any) -> Frequency | None:
    return Frequency(row.collection["frequency"]) if row.collection else None


def _stated(row: Any, chart: str, change: date | None, habits: Habits) -> dict[str, Found]:
    """The parts of the plan that are known, each from the nearest place that states it."""
    collection: Mapping[str, Any] = row.collection or {}
    choices: dict[str, Sequence[Found]] = {
        "starts_on": (
            (_day(collection.get("starts_on")), "measure"),
            (row.start_on, "project"),
            (row.first_session_on, "programme"),
            (row.starts_on, "programme"),
        ),
        "ends_on": ((_day(collection.get("ends_on")), "measure"), (row.ends_on, "programme")),
        "first_change_on": ((change, "pdsa_cycle"),),
        "frequency": ((_stored_frequency(row), "measure"),),
        "chart": ((row.chart, "measure"),),
        "rule_set": _rule_sets(row, chart),
        **{name: ((value, "data"),) for name, value in habits._asdict().items()},
    }
    known = {
        name: next((each for each in given if each[0] is not None), None)
        for name, given in choices.items()
    }
    return {name: each for name, each in known.items() if each is not None}


def _rule_sets(row: Any, chart: str) -> Sequence[Found]:
    """As when the measure is drawn: the programme's is for charts with limits and run rules, and

    moving ranges take none but their own.
    """
    default = spc.default_rule_set(chart)
    if default == "limits_only":
        return ()
    of_programme = row.programme_rule_set if default != "anhoej" else None
    return (row.rule_set, "measure"), (of_programme, "programme")


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _series(row: Any, points: Sequence[PointRow]) -> spc.Series:
    settings = ChartSettings(data_type=row.data_type, direction=row.direction)
    series, _ = assemble(settings, points)
    return series


def _advise(row: Any, series: spc.Series) -> spc.ChartAdvice:
    return spc.advise_chart(row.data_type, series, among=charts_for(row.data_type))


def _habits(row: Any, series: spc.Series) -> Habits:
    """Level, spread and cases of the recent points, excluded ones left out."""
    drawn = spc.chart(series, spc.Settings("i", multiplier=row.multiplier))
    phase = drawn.phases[-1]
    if phase.centre is None:
        return Habits()
    level, cases = phase.centre, None
    if row.data_type in RATIO_TYPES:
        kept = [each for each in _ratios(series) if each[1]]
        total = sum(denominator for _, denominator in kept)
        level = row.multiplier * sum(numerator for numerator, _ in kept) / total
        cases = _per_week(series.x, total / len(kept))
    elif row.data_type != DataType.COUNT:
        cases = _per_week(series.x, 1.0)
    return Habits(cases or None, level, phase.sigma or None)


def _ratios(series: spc.Series) -> Iterable[tuple[float, float]]:
    excluded = series.excluded if series.excluded is not None else [False] * len(series.x)
    rows = zip(series.numerators or (), series.denominators or (), excluded, strict=True)
    for numerator, denominator, is_out in rows:
        if numerator is not None and denominator is not None and not is_out:
            yield numerator, denominator


def _per_week(labels: Sequence[str], a_point: float) -> float | None:
    """So many a point, by the usual step between the days of the points."""
    days = [date.fromisoformat(label).toordinal() for label in labels]
    steps = [after - before for before, after in pairwise(days)]
    return a_point * 7 / median(steps) if steps else None
