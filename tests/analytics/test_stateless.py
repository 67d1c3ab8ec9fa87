"""Points and settings in, the annotated series out; nothing is stored."""

from collections.abc import Callable
from typing import Any

import pytest

from app.analytics.schemas import SpcChart
from tests.calling import Caller
from tests.world import World

VALUES = [{"x": f"2018-01-{day:02}", "value": day * 7 % 5} for day in range(1, 13)]
RATIOS = [{"x": str(row), "numerator": row * 3 % 7, "denominator": 10} for row in range(12)]


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


def test_a_chart_of_values_and_one_of_ratios(caller: Caller) -> None:
    run = caller.post("/spc/charts", {"chart": "run", "points": VALUES})
    assert run.status_code == 200, run.text
    assert SpcChart.model_validate_json(run.content).settings.rule_set == "anhoej"
    body = {"chart": "p", "points": RATIOS, "multiplier": 100, "target": 50, "unit": "%"}
    chart = SpcChart.model_validate_json(caller.post("/spc/charts", body).content)
    assert chart.points[1].value == pytest.approx(30.0)
    assert caller.post("/spc/charts", body).json()["as_of"] is None


def test_a_chart_of_subgroups(caller: Caller) -> None:
    groups = [[11, 14, 9], None, [13, None, 15], [9, 12, 14]]
    points = [{"x": str(row), "values": group} for row, group in enumerate(groups)]
    response = caller.post("/spc/charts", {"chart": "xbar", "points": points})
    chart = SpcChart.model_validate_json(response.content)
    assert [point.value for point in chart.points] == pytest.approx([34 / 3, None, 14, 35 / 3])
    assert chart.points[1].upper_limit is None


def test_a_prime_chart_tells_its_sigma_z(caller: Caller) -> None:
    response = caller.post("/spc/charts", {"chart": "p_prime", "points": RATIOS})
    assert SpcChart.model_validate_json(response.content).phases[0].sigma_z is not None


def test_phases_notes_and_exclusions_come_back(caller: Caller) -> None:
    points: list[dict[str, Any]] = [dict(point) for point in VALUES]
    points[3] |= {"excluded": True, "note": "Flood"}
    body = {"chart": "i", "points": points, "phase_starts": [6], "baseline_points": [4, 5]}
    chart = caller.post("/spc/charts", body).json()
    assert chart["points"][3]["note"] == "Flood"
    assert chart["points"][3]["excluded"] is True
    assert [phase["points"] for phase in chart["phases"]] == [6, 6]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"chart": "pie", "points": VALUES}, "#/chart", "unknown_chart"),
        ({"chart": "i", "points": VALUES, "rule_set": "x"}, "#/rule_set", "unknown_rule_set"),
        ({"chart": "p", "points": VALUES}, "#/points", "data_do_not_fit_chart"),
        ({"chart": "c", "points": [{"x": "1", "value": -1}]}, "#/points/0/value", "negative_count"),
        (
            {"chart": "p", "points": [{"x": "1", "numerator": 3, "denominator": 2}]},
            "#/points/0/numerator",
            "numerator_exceeds_denominator",
        ),
        (
            {"chart": "p", "points": [{"x": "1", "numerator": 3}]},
            "#/points/0/denominator",
            "denominator_missing",
        ),
        (
            {"chart": "p", "points": [*RATIOS, {"x": "99", "value": 3}]},
            "#/points/12/value",
            "values_and_ratios",
        ),
        (
            {"chart": "xbar", "points": [{"x": "1", "values": [1, 2]}, {"x": "2", "value": 3}]},
            "#/points/1/value",
            "values_and_ratios",
        ),
        (
            {"chart": "p", "points": [*RATIOS, {"x": "99", "values": [3]}]},
            "#/points/12/values",
            "values_and_ratios",
        ),
        (
            {"chart": "xbar", "points": [{"x": "1", "values": [1] * 101}]},
            "#/points/0/values",
            "too_long",
        ),
        (
            {"chart": "s", "points": [{"x": "1", "values": [1]}]},
            "#/points",
            "subgroups_of_one",
        ),
        ({"chart": "t", "points": VALUES}, "#/points/4/value", "time_not_positive"),
        (
            {"chart": "mr", "points": VALUES, "rule_set": "mdc"},
            "#/rule_set",
            "rules_do_not_fit_chart",
        ),
        ({"chart": "i", "points": VALUES, "phase_starts": [12]}, "#/phase_starts/0", None),
        ({"chart": "i", "points": VALUES, "target": [1, 2]}, "#/target", "target_wrong_length"),
        ({"chart": "i", "points": list(reversed(VALUES))}, "#/points/1/x", "x_not_ascending"),
        ({"chart": "i", "points": []}, "#/points", "too_short"),
        ({"chart": "i", "points": VALUES * 834}, "#/points", "too_long"),
        ({"chart": "i", "points": [{"x": "1", "value": "7"}]}, "#/points/0/value", "float_type"),
        ({"chart": "i", "points": VALUES, "multiplier": 0}, "#/multiplier", "greater_than"),
    ],
)
def test_bad_input_says_what_to_do(
    caller: Caller, body: dict[str, Any], pointer: str, code: str | None
) -> None:
    response = caller.post("/spc/charts", body)
    assert response.status_code == 422, response.text
    fault = response.json()["errors"][0]
    assert fault["pointer"] == pointer
    assert code is None or fault["code"] == code


def test_ten_thousand_points_fit(caller: Caller) -> None:
    points = [{"x": str(row), "value": row % 9} for row in range(10_000)]
    response = caller.post("/spc/charts", {"chart": "i", "points": points})
    assert response.status_code == 200, response.text
    assert len(response.json()["points"]) == 10_000


def test_it_needs_a_token(call: Callable[..., Caller]) -> None:
    response = call(None).post("/spc/charts", {"chart": "run", "points": VALUES})
    assert response.status_code == 401


@pytest.mark.parametrize(
    ("points", "advice"),
    [
        ([], "1 or more"),
        ([{"x": str(row), "value": 1} for row in range(10_001)], "at most 10000"),
    ],
)
def test_the_wrong_number_of_points_is_told_what_to_send(
    caller: Caller, points: list[dict[str, Any]], advice: str
) -> None:
    answer = caller.post("/spc/charts", {"chart": "i", "points": points})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "#/points"
    assert advice in error["detail"]


def test_infinity_is_told_what_to_send(caller: Caller) -> None:
    body = '{"chart": "i", "points": [{"x": "1", "value": Infinity}]}'
    headers = {"Content-Type": "application/json"}
    answer = caller("POST", "/spc/charts", content=body, headers=headers)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "#/points/0/value"
    assert "null" in error["detail"]
