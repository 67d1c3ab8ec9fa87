"""Which chart suits a measure, over HTTP."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.analytics.feasibility.queries import RECENT
from app.analytics.feasibility.schemas import ChartAdviceRead
from app.measures.charts import charts_for
from app.measures.models import DataType, Measure
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.world import World

FIRST = date(2018, 1, 1)


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


def fill(session: Session, measure: Measure, numerators: list[int], **over: Any) -> None:
    for week, numerator in enumerate(numerators):
        day = FIRST + timedelta(weeks=week)
        make_data_point(session, measure=measure, period_start=day, numerator=numerator, **over)


def test_without_data_the_type_decides(caller: Caller, session: Session, world: World) -> None:
    for data_type in DataType:
        measure = make_measure(session, project=world.project, data_type=data_type)
        response = caller.get(f"/measures/{measure.id}/chart-advice")
        advice = ChartAdviceRead.model_validate_json(response.content)
        assert advice.chart == charts_for(data_type)[0]
        assert advice.against == []


def test_data_may_speak_against_the_usual_chart(
    caller: Caller, session: Session, world: World
) -> None:
    measure = make_measure(session, project=world.project)
    fill(session, measure, [4000 + 400 * (-1) ** week for week in range(24)], denominator=9_000)
    advice = caller.ok(f"/measures/{measure.id}/chart-advice")
    assert advice["chart"] == "p_prime"
    assert advice["against"][0]["code"] == "over_dispersed"
    assert advice["reason"] == advice["against"][0]["detail"]
    assert "p" in [each["chart"] for each in advice["alternatives"]]


def test_the_recommended_chart_can_be_stored(
    caller: Caller, call: Callable[..., Caller], session: Session, world: World
) -> None:
    measure = make_measure(session, project=world.project)
    fill(session, measure, [0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1], denominator=30)
    advice = caller.ok(f"/measures/{measure.id}/chart-advice")
    assert advice["against"][0]["code"] == "many_zeros"
    stored = call(world.team_lead).patch(f"/measures/{measure.id}", {"chart": advice["chart"]})
    assert stored.status_code == 200, stored.text


def test_only_recent_points_of_the_whole_count(
    caller: Caller, session: Session, world: World
) -> None:
    measure = make_measure(session, project=world.project)
    fill(session, measure, [4000 + 400 * (-1) ** week for week in range(24)], denominator=9_000)
    later = FIRST + timedelta(weeks=24)
    for day in range(RECENT):
        values: dict[str, Any] = {"numerator": 30 + day * 7 % 11, "denominator": 60 + day % 2}
        when = later + timedelta(days=day)
        make_data_point(session, measure=measure, period_start=when, **values)
        if day < 20:
            make_data_point(
                session,
                measure=measure,
                period_start=when,
                stratum="evening",
                numerator=1,
                denominator=9_000,
            )
    assert caller.ok(f"/measures/{measure.id}/chart-advice")["against"] == []
