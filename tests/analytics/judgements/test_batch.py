"""Many series at once: each outcome stands in its place and is what the single route answers."""

from collections.abc import Callable
from typing import Any

import pytest

from app.analytics.judgements.schemas import SpcBatchResult
from tests.calling import Caller
from tests.world import World

VALUES = [{"x": str(row), "value": row * 7 % 5} for row in range(12)]
RATIOS = [{"x": str(row), "numerator": row * 3 % 7, "denominator": 10} for row in range(12)]
GOOD: list[dict[str, Any]] = [
    {"chart": "run", "points": VALUES},
    {"chart": "i", "points": VALUES, "rule_set": "mdc", "baseline_points": 6, "title": "Days"},
    {"chart": "p", "points": RATIOS, "multiplier": 100, "target": 50, "direction": "increase"},
]
BAD: list[tuple[Any, str, str]] = [
    ({"chart": "pie", "points": VALUES}, "/chart", "unknown_chart"),
    ({"chart": "p", "points": VALUES}, "/points", "data_do_not_fit_chart"),
    ({"chart": "c", "points": [{"x": "1", "value": -1}]}, "/points/0/value", "negative_count"),
    (
        {"chart": "p", "points": [{"x": "1", "numerator": 3}]},
        "/points/0/denominator",
        "denominator_missing",
    ),
    ({"chart": "i", "points": []}, "/points", "too_short"),
    ({"chart": "i", "points": [{"x": "1", "value": "7"}]}, "/points/0/value", "float_type"),
    ({"chart": "i", "points": VALUES, "colour": "blue"}, "/colour", "extra_forbidden"),
    ({"points": VALUES}, "/chart", "missing"),
    ({"chart": "i", "points": "many"}, "/points", "list_type"),
    ("a text", "", "model_type"),
    (None, "", "model_type"),
    ([], "", "model_type"),
]


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.stranger)


def test_each_chart_is_that_of_the_single_route(caller: Caller) -> None:
    response = caller.post("/spc/charts/batch", {"items": GOOD})
    assert response.status_code == 200, response.text
    SpcBatchResult.model_validate_json(response.content)
    result = response.json()
    assert (result["drawn"], result["refused"]) == (3, 0)
    for index, (body, item) in enumerate(zip(GOOD, result["items"], strict=True)):
        assert item == {
            "index": index,
            "outcome": "drawn",
            "chart": caller.post("/spc/charts", body).json(),
            "problem": None,
        }


def test_one_that_is_wrong_refuses_none_of_the_others(caller: Caller) -> None:
    """Wrong and right ones by turns: each keeps its place."""
    items = [item for body, _, _ in BAD for item in (body, GOOD[2])]
    response = caller.post("/spc/charts/batch", {"items": items})
    assert response.status_code == 200, response.text
    SpcBatchResult.model_validate_json(response.content)
    result = response.json()
    assert (result["drawn"], result["refused"]) == (len(BAD), len(BAD))
    alone = caller.post("/spc/charts", GOOD[2]).json()
    for number, (body, place, code) in enumerate(BAD):
        refused, drawn = result["items"][2 * number : 2 * number + 2]
        assert (refused["index"], refused["outcome"], refused["chart"]) == (
            2 * number,
            "refused",
            None,
        )
        fault = refused["problem"]["errors"][0]
        assert (fault["pointer"], fault["code"]) == (f"#/items/{2 * number}{place}", code)
        single = caller.post("/spc/charts", body).json()
        if isinstance(body, dict):
            for name in ("type", "title", "status", "code"):
                assert refused["problem"][name] == single[name], body
            assert [error["code"] for error in refused["problem"]["errors"]] == [
                error["code"] for error in single["errors"]
            ]
        assert drawn["chart"] == alone


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"items": []}, "#/items", "too_short"),
        ({"items": [None] * 1_001}, "#/items", "too_long"),
        ({}, "#/items", "missing"),
        ({"items": GOOD, "chart": "i"}, "#/chart", "extra_forbidden"),
        (
            {"items": [{"chart": "i", "points": [{"x": "1"}] * 10_001}] * 10},
            "#/items",
            "too_many_points",
        ),
    ],
)
def test_what_is_no_batch_is_refused_whole(
    caller: Caller, body: dict[str, Any], pointer: str, code: str
) -> None:
    response = caller.post("/spc/charts/batch", body)
    assert response.status_code == 422, response.text
    fault = response.json()["errors"][0]
    assert (fault["pointer"], fault["code"]) == (pointer, code)


def test_a_thousand_series_fit(caller: Caller) -> None:
    items = [GOOD[1] | {"title": str(number)} for number in range(1_000)]
    result = caller.post("/spc/charts/batch", {"items": items}).json()
    assert result["drawn"] == 1_000
    assert [item["chart"]["title"] for item in result["items"]] == [str(n) for n in range(1_000)]


def test_a_body_too_large_is_refused(caller: Caller) -> None:
    body = b'{"items": [' + b" " * 20_000_001 + b"]}"
    headers = {"Content-Type": "application/json"}
    response = caller("POST", "/spc/charts/batch", content=body, headers=headers)
    assert response.status_code == 413


def test_it_needs_a_token(call: Callable[..., Caller]) -> None:
    assert call().post("/spc/charts/batch", {"items": GOOD}).status_code == 401
