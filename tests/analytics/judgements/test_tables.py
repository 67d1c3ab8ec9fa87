"""What the engine has: rule sets and charts, with a tag that changes with the version only."""

from collections.abc import Callable

import pytest

from app import spc
from tests.calling import Caller
from tests.world import World

PATHS = ("/spc/rule-sets", "/spc/chart-types")


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.stranger)


def test_every_rule_set_is_told_as_it_is(caller: Caller) -> None:
    document = caller.ok("/spc/rule-sets")
    assert document["engine_version"] == spc.ENGINE_VERSION
    assert [item["name"] for item in document["items"]] == list(spc.RULE_SETS)
    by_name = {item["name"]: item for item in document["items"]}
    mdc = by_name["mdc"]
    assert mdc["version"] == spc.RULE_SETS["mdc"].version
    assert mdc["constants"] == "mdc"
    rules = {rule["name"]: rule for rule in mdc["rules"]}
    assert rules["shift"]["parameters"] == {"length": 7}
    assert not rules["shift"]["needs_limits"]
    assert rules["two_of_three"]["needs_limits"]
    assert {"i", "p", "c"} <= set(mdc["default_of"])
    anhoej = by_name["anhoej"]
    assert "run" in anhoej["default_of"]
    depends = {rule["name"]: rule["depends_on"] for rule in anhoej["rules"]}
    assert depends["long_run"] == "longest_run_max"


def test_every_chart_is_told_as_it_is(caller: Caller) -> None:
    document = caller.ok("/spc/chart-types")
    assert [item["name"] for item in document["items"]] == list(spc.CHARTS)
    p = next(item for item in document["items"] if item["name"] == "p")
    assert (p["data"], p["floor"], p["ceiling"]) == ("ratios", 0.0, 1.0)
    assert p["data_types"] == ["proportion", "yes_no"]
    assert "proportion" in p["recommended_for"]
    assert p["default_rule_set"] == "mdc"


def test_each_data_type_is_recommended_one_chart(caller: Caller) -> None:
    items = caller.ok("/spc/chart-types")["items"]
    recommended = [kind for item in items for kind in item["recommended_for"]]
    assert len(recommended) == len(set(recommended)) == 7


def test_a_rule_set_of_limits_does_not_fit_a_chart_without(caller: Caller) -> None:
    charts = {item["name"]: item["charts"] for item in caller.ok("/spc/rule-sets")["items"]}
    assert "run" not in charts["limits_only"]
    assert "run" in charts["mdc"]  # its shift and its trend
    assert set(charts["anhoej"]) >= {"run", "i", "p"}


@pytest.mark.parametrize("path", PATHS)
def test_what_has_not_changed_is_not_sent_again(caller: Caller, path: str) -> None:
    tag = caller.get(path).headers["ETag"]
    again = caller("GET", path, headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", PATHS)
def test_it_needs_a_token(call: Callable[..., Caller], path: str) -> None:
    assert call().get(path).status_code == 401
