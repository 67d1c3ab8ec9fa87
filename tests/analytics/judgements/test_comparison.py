"""One series under every rule set: each says what it says alone, and what is shared stands once."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session

from app import spc
from app.analytics.judgements.schemas import SpcComparison
from app.measures.models import DataType, Measure
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.world import World


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    measure = make_measure(session, project=world.project, baseline_points=12, rule_set="anhoej")
    fill(session, measure, BASELINE + SHIFTED)
    return measure


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


def _path(measure: Measure) -> str:
    return f"/measures/{measure.id}/spc/compare"


def test_each_rule_set_says_what_it_says_alone(caller: Caller, measure: Measure) -> None:
    response = caller.get(_path(measure), target=80)
    SpcComparison.model_validate_json(response.content)
    compared = response.json()
    assert compared["rule_sets"][0]["rule_set"] == "mdc"
    assert {item["rule_set"] for item in compared["rule_sets"]} == set(spc.RULE_SETS)
    lines = {name: item for item in compared["lines"] for name in item["rule_sets"]}
    for item in compared["rule_sets"]:
        name = item["rule_set"]
        alone = caller.ok(f"/measures/{measure.id}/spc", rule_set=name, target=80)
        for field in ("signals", "variation", "assurance", "quality", "settings_hash"):
            assert item[field] == alone[field], (name, field)
        assert item["constants"] == alone["settings"]["constants"]
        outside = [row for row, point in enumerate(alone["points"]) if point["outside_limits"]]
        assert item["outside_limits"] == outside
        assert lines[name]["phases"] == alone["phases"]
        for line in ("centre", "lower_limit", "upper_limit", "lower_warning", "upper_warning"):
            assert lines[name][line] == [point[line] for point in alone["points"]], (name, line)
    for field in ("value", "numerator", "denominator", "target", "x", "phase", "in_baseline"):
        assert [point[field] for point in compared["points"]] == [
            point[field] for point in alone["points"]
        ]
    assert compared["as_of"] == alone["as_of"]


def test_the_chosen_one_is_marked(caller: Caller, measure: Measure) -> None:
    def chosen(**override: str) -> list[str]:
        items = caller.ok(_path(measure), **override)["rule_sets"]
        return [item["rule_set"] for item in items if item["is_chosen"]]

    assert chosen() == ["anhoej"]
    assert chosen(rule_set="mdc") == ["mdc"]
    assert chosen(chart="run", rule_set="limits_only") == ["limits_only"]  # although it fits badly


def test_constants_part_the_lines_of_an_individuals_chart(
    caller: Caller, session: Session, world: World
) -> None:
    measure = make_measure(
        session, project=world.project, data_type=DataType.CONTINUOUS, multiplier=1.0
    )
    for day in range(1, 20):
        make_data_point(
            session, measure=measure, period_start=date(2018, 1, day), value=float(day * 7 % 5)
        )
    compared = caller.ok(_path(measure))
    limits = {item["constants"]: item["upper_limit"][0] for item in compared["lines"]}
    assert set(limits) == {"standard", "mdc"}
    assert limits["standard"] != limits["mdc"]
    assert len({item["centre"][0] for item in compared["lines"]}) == 1
    assert caller.ok(_path(measure), chart="run")["lines"][0]["upper_limit"] == [None] * 19


def test_a_304_reads_no_points(
    caller: Caller, measure: Measure, count_queries: Callable[[], Any]
) -> None:
    tag = caller.get(_path(measure)).headers["ETag"]
    with count_queries() as statements:
        unchanged = caller("GET", _path(measure), headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert len(statements) == 1
    point = {"period_start": "2018-07-02", "numerator": 40, "denominator": 50}
    assert caller.post(f"/measures/{measure.id}/data-points", point).status_code == 201
    assert caller.get(_path(measure)).headers["ETag"] != tag
    assert caller.get(_path(measure), target=70).headers["ETag"] != tag


@pytest.mark.parametrize(
    ("override", "parameter"),
    [
        ({"chart": "pie"}, "chart"),
        ({"rule_set": "guess"}, "rule_set"),
        ({"chart": "c"}, "points"),
        ({"phase_starts": "2017-01-01"}, "phase_starts"),
    ],
)
def test_what_cannot_be_drawn_says_why(
    caller: Caller, measure: Measure, override: dict[str, str], parameter: str
) -> None:
    response = caller.get(_path(measure), **override)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["parameter"] == parameter


def test_who_may_see_it(call: Callable[..., Caller], world: World, measure: Measure) -> None:
    assert call(world.facilitator).get(_path(measure)).status_code == 200
    assert call(world.stranger).get(_path(measure)).status_code == 404
    assert call().get(_path(measure)).status_code == 401


def test_points_that_are_sent(call: Callable[..., Caller], world: World) -> None:
    points = [{"x": str(row), "value": row * 7 % 5} for row in range(20)]
    body = {"chart": "i", "points": points, "rule_set": "limits_only"}
    caller = call(world.stranger)
    response = caller.post("/spc/charts/compare", body)
    compared = SpcComparison.model_validate_json(response.content)
    assert compared.as_of is None
    assert [item.rule_set for item in compared.rule_sets if item.is_chosen] == ["limits_only"]
    refused = caller.post("/spc/charts/compare", body | {"chart": "p"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/points"
    assert call().post("/spc/charts/compare", body).status_code == 401
