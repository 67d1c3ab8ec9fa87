"""What a data plan can show, over HTTP: of a measure, and of a plan that is sent."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.analytics.feasibility.schemas import FeasibilityRead
from app.measures.models import DataType, Direction, Measure
from app.pdsa.models import CycleState, Purpose
from app.spc.lookup import false_signal_rate
from tests.builders import make_cycle, make_data_point, make_measure, make_project
from tests.calling import Caller
from tests.world import World

FIRST = date(2018, 1, 1)
PLAN: dict[str, Any] = {
    "starts_on": "2026-01-01",
    "ends_on": "2026-09-30",
    "first_change_on": "2026-04-02",
    "frequency": "monthly",
    "data_type": "proportion",
    "cases_per_week": 50,
    "level": 70,
    "multiplier": 100,
    "unit": "%",
}


def planned(frequency: str = "weekly", **over: Any) -> dict[str, Any]:
    return {"frequency": frequency, "starts_on": None, "ends_on": None} | over


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project, collection=planned())


def path(measure: Measure) -> str:
    return f"/measures/{measure.id}/feasibility"


def test_a_plan_that_is_sent(caller: Caller) -> None:
    response = caller.post("/spc/feasibility", PLAN)
    assert response.status_code == 200, response.text
    found = FeasibilityRead.model_validate_json(response.content)
    assert (found.inputs.chart, found.inputs.rule_set) == ("p", "mdc")
    assert found.inputs.sources["chart"] == "assumed"
    assert found.inputs.sources["level"] == "request"
    assert (found.chosen.points, found.chosen.points_before) == (9, 3)
    assert found.chosen.false_signal_rate == false_signal_rate("p", "mdc", 3, 6)
    assert found.chosen.shift_in_unit is not None
    assert found.recommended_frequency == "weekly"
    assert found.advice[0].endswith("go weekly.")
    assert found.chart_advice.chart == "p"
    assert {option.frequency for option in found.alternatives} == {
        *("quarterly", "fortnightly", "weekly", "daily", "per_case")
    }


def test_a_plan_needs_little(caller: Caller) -> None:
    plan = {name: PLAN[name] for name in ("starts_on", "ends_on", "frequency", "data_type")}
    found = caller.post("/spc/feasibility", plan).json()
    assert found["inputs"]["first_change_on"] == "2026-04-02"
    assert found["inputs"]["sources"]["first_change_on"] == "assumed"
    assert found["chosen"]["cases_per_point"] is None
    assert found["chosen"]["shift_in_unit"] is None


@pytest.mark.parametrize(
    ("over", "field", "code"),
    [
        ({"ends_on": "2025-12-31"}, "ends_on", "dates_out_of_order"),
        ({"ends_on": "2036-12-31"}, "ends_on", "plan_too_long"),
        ({"first_change_on": "2026-01-01"}, "first_change_on", "first_change_outside"),
        ({"first_change_on": "2026-10-01"}, "first_change_on", "first_change_outside"),
        ({"chart": "u"}, "chart", "chart_does_not_fit"),
        ({"chart": "pie"}, "chart", "chart_does_not_fit"),
        ({"rule_set": "guess"}, "rule_set", "unknown_rule_set"),
        ({"level": 101}, "level", "level_out_of_range"),
        ({"level": -1}, "level", "level_out_of_range"),
        (
            {"frequency": "per_case", "cases_per_week": None},
            "cases_per_week",
            "cases_per_week_missing",
        ),
        ({"frequency": "hourly"}, "frequency", "enum"),
        ({"starts_on": "1899-12-31"}, "starts_on", "greater_than_equal"),
        ({"starts_on": "2200-01-01"}, "starts_on", "less_than_equal"),
        ({"cases_per_week": 0}, "cases_per_week", "greater_than"),
        ({"spread": 1e13}, "spread", "less_than_equal"),
        ({"multiplier": 0}, "multiplier", "greater_than"),
        ({"colour": "blue"}, "colour", "extra_forbidden"),
    ],
)
def test_what_contradicts_itself_says_what_to_change(
    caller: Caller, over: dict[str, Any], field: str, code: str
) -> None:
    response = caller.post("/spc/feasibility", PLAN | over)
    assert response.status_code == 422, response.text
    fault = response.json()["errors"][0]
    assert (fault["pointer"], fault["code"]) == (f"#/{field}", code)


def test_every_contradiction_is_listed(caller: Caller) -> None:
    body = PLAN | {"ends_on": "2025-12-31", "chart": "u", "level": -3}
    faults = caller.post("/spc/feasibility", body).json()
    assert faults["code"] == "infeasible_plan"
    assert [fault["pointer"] for fault in faults["errors"]] == ["#/ends_on", "#/chart", "#/level"]


def test_a_measure_s_plan_from_its_programme(caller: Caller, measure: Measure) -> None:
    found = caller.ok(path(measure))
    inputs = found["inputs"]
    assert (inputs["starts_on"], inputs["ends_on"]) == ("2017-12-01", "2018-09-30")
    assert inputs["sources"] == {
        "starts_on": "programme",
        "ends_on": "programme",
        "first_change_on": "assumed",
        "frequency": "measure",
        "chart": "assumed",
        "rule_set": "assumed",
    }
    assert found["chosen"]["points"] == 43
    assert found["advice"][0].startswith("Weekly collection gives 43 points in ten months")


def test_the_nearest_dates_win(caller: Caller, session: Session, world: World) -> None:
    project = make_project(session, team=world.team, start_on=date(2018, 2, 1))
    measure = make_measure(session, project=project, collection=planned(ends_on="2018-06-30"))
    inputs = caller.ok(path(measure))["inputs"]
    assert (inputs["starts_on"], inputs["ends_on"]) == ("2018-02-01", "2018-06-30")
    assert (inputs["sources"]["starts_on"], inputs["sources"]["ends_on"]) == ("project", "measure")
    own = make_measure(session, project=project, collection=planned(starts_on="2018-03-01"))
    assert caller.ok(path(own))["inputs"]["starts_on"] == "2018-03-01"


def test_the_first_session_comes_before_the_programme_s_first_day(
    caller: Caller, session: Session, world: World, measure: Measure
) -> None:
    world.programme.first_session_on = date(2017, 12, 7)
    session.add(world.programme)
    session.commit()
    assert caller.ok(path(measure))["inputs"]["starts_on"] == "2017-12-07"


def test_the_first_change_is_that_of_the_first_cycle_that_tests_one(
    caller: Caller, session: Session, world: World, measure: Measure
) -> None:
    def cycle(start: str | None, **over: Any) -> None:
        plan = {"when_start": start} if start else {}
        make_cycle(session, project=world.project, plan=plan, **over)

    cycle("2018-01-15", purpose=Purpose.COLLECT_INFORMATION)
    cycle("2018-01-22", state=CycleState.CANCELLED)
    cycle("2018-01-23", archived_at=datetime(2018, 1, 1, tzinfo=UTC))
    cycle(None)
    assert caller.ok(path(measure))["inputs"]["sources"]["first_change_on"] == "assumed"
    cycle("2018-03-12")
    entered = datetime(2026, 3, 5, 9, tzinfo=UTC)
    cycle("2018-02-01", started_at=entered, do={"actual_start": "2018-03-05"})
    inputs = caller.ok(path(measure))["inputs"]
    assert inputs["first_change_on"] == "2018-03-05"
    assert inputs["sources"]["first_change_on"] == "pdsa_cycle"


def test_the_first_change_stands_where_the_charts_mark_it(
    caller: Caller, session: Session, world: World, measure: Measure
) -> None:
    entered = datetime(2026, 3, 5, 9, tzinfo=UTC)  # long after
    plan = {"when_start": "2018-03-12"}
    make_cycle(session, project=world.project, plan=plan, started_at=entered)
    assert caller.ok(path(measure))["inputs"]["first_change_on"] == "2018-03-12"


def test_a_first_change_before_collection_leaves_no_baseline(
    caller: Caller, session: Session, world: World, measure: Measure
) -> None:
    make_cycle(session, project=world.project, plan={"when_start": "2017-06-01"})
    assert caller.ok(path(measure))["chosen"]["points_before"] == 0


def test_cycles_are_read_only_by_who_may(
    caller: Caller, session: Session, world: World, measure: Measure
) -> None:
    make_cycle(session, project=world.project, plan={"when_start": "2018-03-12"})
    blind = caller.with_token("measure:read")
    assert blind.ok(path(measure))["inputs"]["sources"]["first_change_on"] == "assumed"


def test_level_and_cases_come_from_the_data(
    caller: Caller, session: Session, measure: Measure
) -> None:
    for week in range(12):
        make_data_point(
            session,
            measure=measure,
            period_start=FIRST + timedelta(weeks=week),
            numerator=28 + week % 5,
            denominator=50,
        )
    late = FIRST + timedelta(weeks=12)
    make_data_point(session, measure=measure, period_start=late, excluded=True, denominator=900)
    found = caller.ok(path(measure))
    inputs = found["inputs"]
    assert inputs["cases_per_week"] == 50
    assert inputs["level"] == pytest.approx(59.5, abs=0.5)
    assert inputs["spread"] > 0
    assert inputs["sources"]["level"] == "data"
    assert found["chosen"]["events_per_point"] == pytest.approx(20.2, abs=0.5)
    assert found["chosen"]["shift_in_unit"] is not None
    monthly = caller.ok(path(measure), frequency="monthly", level=80)
    assert monthly["chosen"]["cases_per_point"] == pytest.approx(217.4)
    assert monthly["inputs"]["sources"]["level"] == "request"


def test_counts_are_scaled_from_the_stored_frequency(
    caller: Caller, session: Session, world: World
) -> None:
    measure = make_measure(
        session,
        project=world.project,
        data_type=DataType.COUNT,
        direction=Direction.DECREASE,
        multiplier=1.0,
        collection=planned(),
    )
    for week in range(12):
        day = FIRST + timedelta(weeks=week)
        make_data_point(session, measure=measure, period_start=day, value=10 + week % 3)
    found = caller.ok(path(measure), frequency="fortnightly")
    assert found["chosen"]["events_per_point"] == 22
    assert caller.ok(path(measure))["chosen"]["events_per_point"] == 11


def test_events_tell_how_often_they_come(caller: Caller, session: Session, world: World) -> None:
    measure = make_measure(
        session,
        project=world.project,
        data_type=DataType.TIME_BETWEEN,
        multiplier=1.0,
        collection=planned("per_case"),
    )
    missing = caller.get(path(measure))
    assert missing.status_code == 422
    assert missing.json()["errors"][0]["parameter"] == "cases_per_week"
    for event in range(10):
        day = FIRST + timedelta(days=14 * event)
        make_data_point(session, measure=measure, period_start=day, value=14)
    found = caller.ok(path(measure))
    assert found["inputs"]["cases_per_week"] == 0.5
    assert found["inputs"]["chart"] == "t"
    assert found["alternatives"] == []


def test_moving_ranges_take_no_rule_set_of_measure_or_programme(
    caller: Caller, session: Session, world: World
) -> None:
    world.programme.rule_set = "nelson"
    session.add(world.programme)
    measure = make_measure(
        session,
        project=world.project,
        data_type=DataType.CONTINUOUS,
        rule_set="mdc",
        collection=planned(),
    )
    session.commit()
    assert caller.ok(path(measure))["inputs"]["rule_set"] == "mdc"
    assert caller.ok(path(measure), chart="mr")["inputs"]["rule_set"] == "limits_only"


def test_the_programme_s_rule_set_is_for_charts_with_limits(
    caller: Caller, session: Session, world: World, measure: Measure
) -> None:
    world.programme.rule_set = "limits_only"
    session.add(world.programme)
    session.commit()
    assert caller.ok(path(measure))["inputs"]["rule_set"] == "limits_only"
    assert caller.ok(path(measure), chart="run")["inputs"]["rule_set"] == "anhoej"
    assert caller.ok(path(measure), rule_set="mdc")["inputs"]["rule_set"] == "mdc"


def test_a_measure_without_a_frequency_asks_for_one(
    caller: Caller, session: Session, world: World
) -> None:
    measure = make_measure(session, project=world.project, collection=None)
    response = caller.get(path(measure))
    assert response.status_code == 422
    fault = response.json()["errors"][0]
    assert (fault["parameter"], fault["code"]) == ("frequency", "frequency_missing")
    assert caller.get(path(measure), frequency="weekly").status_code == 200


@pytest.mark.parametrize(
    ("over", "parameter"),
    [
        ({"ends_on": "2017-01-01"}, "ends_on"),
        ({"starts_on": "1990-01-01"}, "ends_on"),
        ({"first_change_on": "2019-01-01"}, "first_change_on"),
        ({"frequency": "hourly"}, "frequency"),
        ({"chart": "c"}, "chart"),
        ({"rule_set": "guess"}, "rule_set"),
        ({"level": "nan"}, "level"),
        ({"level": 120}, "level"),
        ({"cases_per_week": -1}, "cases_per_week"),
        ({"starts_on": "0001-01-01"}, "starts_on"),
        ({"ends_on": "9999-12-31"}, "ends_on"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_bad_parameters_say_what_to_change(
    caller: Caller, measure: Measure, over: dict[str, Any], parameter: str
) -> None:
    response = caller.get(path(measure), **over)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["parameter"] == parameter


def test_stored_days_at_the_end_of_the_calendar(
    caller: Caller, session: Session, world: World
) -> None:
    collection = planned("monthly", starts_on="9999-01-01", ends_on="9999-12-31")
    measure = make_measure(session, project=world.project, collection=collection)
    assert caller.ok(path(measure))["chosen"]["points"] == 11


def test_it_costs_the_same_few_queries(
    caller: Caller, session: Session, world: World, measure: Measure, count_queries: Any
) -> None:
    with count_queries() as empty:
        caller.ok(path(measure))
    for week in range(6):
        day = FIRST + timedelta(weeks=week)
        make_data_point(session, measure=measure, period_start=day)
        make_cycle(session, project=world.project, plan={"when_start": "2018-03-12"})
    with count_queries() as full:
        caller.ok(path(measure))
    assert len(full) == len(empty) <= 5


def test_who_may(call: Callable[..., Caller], world: World, measure: Measure) -> None:
    for route in (path(measure), f"/measures/{measure.id}/chart-advice"):
        assert call(world.facilitator).get(route).status_code == 200
        assert call(world.stranger).get(route).status_code == 404
        assert call(None).get(route).status_code == 401
    assert call(None).post("/spc/feasibility", PLAN).status_code == 401
    assert call(world.stranger).post("/spc/feasibility", PLAN).status_code == 200
