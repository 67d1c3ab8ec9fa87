"""What a plan of collection can show, by hand and by properties."""

import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.spc import FREQUENCIES, CollectionPlan, Feasibility, explain, feasibility
from app.spc.calendar import count_months, count_periods, day_after
from app.spc.feasibility import Option
from app.spc.lookup import false_signal_rate, minimum_detectable_shift

NINE_MONTHS = (date(2026, 1, 1), date(2026, 9, 30))
SHARE: dict[str, Any] = {
    "data_type": "proportion",
    "cases_per_week": 50,
    "level": 70,
    "multiplier": 100,
}


def judge(frequency: str = "weekly", **over: Any) -> Feasibility:
    values: dict[str, Any] = {"data_type": "continuous", "first_change_on": date(2026, 4, 1)}
    return feasibility(CollectionPlan(*NINE_MONTHS, frequency, **(values | over)))  # type: ignore[arg-type]


def option(found: Feasibility, frequency: str) -> Option:
    return next(o for o in (found.chosen, *found.alternatives) if o.frequency == frequency)


@pytest.mark.parametrize(
    ("frequency", "points"),
    [("daily", 273), ("weekly", 39), ("fortnightly", 19), ("monthly", 9), ("quarterly", 3)],
)
def test_whole_periods_of_nine_months(frequency: str, points: int) -> None:
    assert count_periods(date(2026, 1, 1), date(2026, 10, 1), frequency) == points


def test_months_go_by_the_calendar() -> None:
    assert count_months(date(2026, 1, 15), date(2026, 2, 14)) == 0
    assert count_months(date(2026, 1, 15), date(2026, 2, 15)) == 1
    assert count_periods(date(2026, 1, 15), date(2025, 1, 1), "monthly") == 0
    assert count_periods(date(2026, 1, 1), date(2026, 1, 15), "per_case", 2.5) == 5
    assert day_after(date.max) == date.max
    assert day_after(date(2026, 12, 31)) == date(2027, 1, 1)


def test_points_before_the_change_are_those_complete_by_then() -> None:
    chosen = judge("weekly").chosen
    assert (chosen.points, chosen.points_before, chosen.points_after) == (39, 12, 27)
    assert judge("monthly").chosen.points_before == 3
    assert judge("monthly", first_change_on=date(2026, 3, 31)).chosen.points_before == 2
    assert judge(first_change_on=date(2025, 1, 1)).chosen.points_before == 0
    assert judge(first_change_on=date(2027, 1, 1)).chosen.points_after == 0


def test_without_a_planned_change_a_third_of_the_way_is_assumed() -> None:
    found = judge(first_change_on=None)
    assert found.first_change_on == date(2026, 4, 2)
    assert explain(found)[-1].startswith("No first change is planned yet")
    assert not any("No first change" in line for line in explain(judge()))


def test_odds_are_those_of_the_tables() -> None:
    chosen = judge(rule_set="anhoej").chosen
    assert chosen.false_signal_rate == false_signal_rate("i", "anhoej", 12, 27)
    assert chosen.minimum_detectable_shift == minimum_detectable_shift("i", "anhoej", 12, 27)
    assert chosen.limits == "provisional"
    assert judge(chart="run").chosen.limits == "none"
    assert judge(chart="run").rule_set == "anhoej"


def test_a_shift_of_a_proportion_in_percentage_points() -> None:
    found = judge("monthly", **SHARE)
    chosen = found.chosen
    cases = 50 * 365.25 / 12 / 7
    assert chosen.cases_per_point == pytest.approx(cases)
    assert chosen.events_per_point == pytest.approx(0.3 * cases)
    assert chosen.minimum_detectable_shift is not None
    sigma = 100 * math.sqrt(0.7 * 0.3 / cases)
    assert chosen.shift_in_unit is not None
    assert chosen.shift_in_unit == pytest.approx(chosen.minimum_detectable_shift * sigma)
    assert chosen.shift_of_level == pytest.approx(chosen.shift_in_unit / 70)
    weekly = option(found, "weekly")
    assert weekly.cases_per_point == 50
    # Fewer cases a point, but more points: the shift that is seen is smaller all the same.
    assert (weekly.shift_in_unit or 99) < chosen.shift_in_unit


def test_a_shift_of_a_rate_and_of_a_count() -> None:
    rate = judge("weekly", data_type="rate", cases_per_week=400, level=50, multiplier=1000).chosen
    assert rate.events_per_point == pytest.approx(20)
    assert rate.minimum_detectable_shift is not None
    sigma = 1000 * math.sqrt(0.05 / 400)
    assert rate.shift_in_unit == pytest.approx(rate.minimum_detectable_shift * sigma)
    counted = judge("weekly", data_type="count", level=14)
    assert counted.chosen.shift_in_unit == pytest.approx(
        (counted.chosen.minimum_detectable_shift or 0) * math.sqrt(14)
    )
    assert option(counted, "fortnightly").events_per_point == pytest.approx(28)
    assert {o.frequency for o in counted.alternatives} == {*FREQUENCIES} - {"per_case", "weekly"}


def test_a_level_seen_at_another_frequency_is_scaled() -> None:
    found = judge("fortnightly", data_type="count", level=14, stated_at="weekly")
    assert found.chosen.events_per_point == pytest.approx(28)
    per_case = judge("weekly", data_type="count", level=1, stated_at="per_case")
    assert per_case.chosen.events_per_point is None


def test_a_spread_holds_for_the_frequency_it_was_seen_at() -> None:
    found = judge("weekly", spread=3.0, level=20)
    shift = found.chosen.minimum_detectable_shift
    assert shift is not None
    assert found.chosen.shift_in_unit == pytest.approx(3 * shift)
    assert option(found, "monthly").shift_in_unit is None
    assert judge("weekly", level=0, spread=3.0).chosen.shift_of_level is None


def test_small_counts_leave_the_odds_open() -> None:
    found = judge("daily", data_type="count", level=2)
    assert found.chosen.is_small
    assert found.chosen.false_signal_rate is None
    assert found.recommended == "weekly"
    assert any("fewer than the 5" in line for line in explain(found))
    supported = {each.chart: each.is_supported for each in found.charts}
    assert supported == {"c": False, "i": True, "run": True}


@pytest.mark.parametrize(
    ("frequency", "over", "recommended"),
    [
        ("monthly", {}, "weekly"),
        ("weekly", {}, "weekly"),
        ("daily", {}, "daily"),
        ("weekly", {"first_change_on": date(2026, 1, 20)}, "daily"),
        ("weekly", {"first_change_on": date(2026, 1, 8)}, None),
        ("weekly", {"first_change_on": date(2026, 9, 28)}, None),
    ],
)
def test_the_least_work_that_is_enough_is_recommended(
    frequency: str, over: dict[str, Any], recommended: str | None
) -> None:
    assert judge(frequency, **over).recommended == recommended


def test_events_come_when_they_come() -> None:
    found = judge("per_case", data_type="time_between", cases_per_week=2)
    assert (found.chart, found.chosen.points, found.alternatives) == ("t", 78, ())
    assert found.recommended == "per_case"
    assert any("not simulated for t charts" in line for line in explain(found))
    with pytest.raises(ValueError, match="cases_per_week"):
        judge("per_case")


def test_advice_in_sentences() -> None:
    found = judge("monthly", first_change_on=None, **SHARE)
    lines = explain(found, unit="%")
    assert lines[0] == (
        "Monthly collection gives 9 points in nine months, of which 3 before the first change; "
        "weekly gives 39, of which 13: go weekly."
    )
    assert lines[1].startswith("Limits from 3 points are trial limits: 12 points")
    assert lines[2].startswith("Of 100 stable processes, about ")
    assert "percentage points" in lines[3]
    assert explain(judge())[0].endswith("of which 12 before the first change: that is enough.")


def test_advice_where_nothing_is_enough() -> None:
    found = judge("quarterly", first_change_on=date(2026, 1, 8))
    lines = explain(found)
    assert "no frequency gives 12 points both before it and after it" in lines[0]
    assert lines[1].startswith("There are no limits from 0 points")
    assert "nothing is tabulated" in lines[2]


def test_advice_about_many_points() -> None:
    daily = judge("daily", first_change_on=date(2026, 2, 10))
    assert daily.chosen.points_after > 104
    assert any("nothing is tabulated" in line for line in explain(daily))
    short = CollectionPlan(
        date(2026, 1, 1), date(2026, 3, 31), "daily", "continuous", date(2026, 2, 1)
    )
    assert any("Days of the week differ" in line for line in explain(feasibility(short)))
    assert any("wait for further points" in line for line in explain(judge()))


@pytest.mark.parametrize(
    ("last", "duration"),
    [
        (date(2026, 1, 1), "1 day"),
        (date(2026, 1, 10), "10 days"),
        (date(2026, 1, 31), "one month"),
        (date(2026, 3, 1), "8 weeks"),
        (date(2026, 12, 31), "twelve months"),
        (date(2027, 12, 31), "104 weeks"),
    ],
)
def test_durations(last: date, duration: str) -> None:
    found = feasibility(CollectionPlan(date(2026, 1, 1), last, "monthly", "continuous"))
    assert f"in {duration}, of which" in explain(found)[0]


def test_charts_with_reasons() -> None:
    charts = {each.chart: each for each in judge("monthly", **SHARE).charts}
    assert not charts["p"].is_supported
    assert charts["p"].reason.startswith("3 points before the first change give trial limits")
    assert charts["run"].reason == "9 points in all; runs take 10 or more."
    weekly = {each.chart: each for each in judge("weekly", **SHARE).charts}
    assert weekly["p"].is_supported
    assert "provisional limits" in weekly["p"].reason
    rare = judge("weekly", **(SHARE | {"cases_per_week": 5}))
    assert not next(each for each in rare.charts if each.chart == "p").is_supported


@given(
    start=st.dates(date(2000, 1, 1), date(2030, 1, 1)),
    days=st.integers(0, 3_660),
    change=st.integers(-100, 4_000),
    frequency=st.sampled_from(FREQUENCIES),
    data_type=st.sampled_from(
        ["proportion", "rate", "count", "continuous", "time_between", "count_between", "yes_no"]
    ),
    cases=st.floats(0.01, 1e6),
    level=st.none() | st.floats(0, 1),
)
def test_every_plan_has_an_answer(
    start: date, days: int, change: int, frequency: Any, data_type: str, cases: float, level: Any
) -> None:
    plan = CollectionPlan(
        start,
        start + timedelta(days),
        frequency,
        data_type,
        start + timedelta(change),
        cases_per_week=cases,
        level=level,
    )
    found = feasibility(plan)
    for each in (found.chosen, *found.alternatives):
        assert each.points_before + each.points_after == each.points
        assert min(each.points_before, each.points_after) >= 0
        assert each.false_signal_rate is None or 0 <= each.false_signal_rate <= 1
        assert each.shift_in_unit is None or each.shift_in_unit > 0
    assert len({each.frequency for each in found.alternatives} | {frequency}) == 1 + len(
        found.alternatives
    )
    lines = explain(found)
    assert lines
    assert all(line.endswith(".") and "None" not in line and "nan" not in line for line in lines)
