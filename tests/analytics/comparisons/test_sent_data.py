"""EWMA, CUSUM, Pareto and funnel of what the caller sends; nothing is stored."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from app.analytics.comparisons.documents import CusumChart, EwmaChart, FunnelPlot, ParetoChart
from app.analytics.comparisons.schemas import (
    CUSUM_EXAMPLE,
    EWMA_EXAMPLE,
    FUNNEL_EXAMPLE,
    PARETO_EXAMPLE,
)
from tests.calling import Caller
from tests.spc.montgomery import POINTS
from tests.world import World

SENT = [{"x": str(row), "value": value} for row, value in enumerate(POINTS, 1)]
RATIOS = [{"x": str(row), "numerator": 3 + row % 3, "denominator": 20 + row} for row in range(12)]


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("ewma", EWMA_EXAMPLE, EwmaChart),
        ("cusum", CUSUM_EXAMPLE, CusumChart),
        ("pareto", PARETO_EXAMPLE, ParetoChart),
        ("funnel", FUNNEL_EXAMPLE, FunnelPlot),
    ],
)
def test_the_examples_have_the_promised_shape(
    caller: Caller, path: str, body: dict[str, Any], model: type[BaseModel]
) -> None:
    response = caller.post(f"/spc/{path}", body)
    assert response.status_code == 200, response.text
    assert model.model_validate_json(response.content).model_dump()["chart"] == path


def test_an_ewma_chart(caller: Caller) -> None:
    body = {"points": SENT, "centre": 10, "sigma": 1, "weight": 0.1, "limit_width": 2.7}
    chart = caller.post("/spc/ewma", body).json()
    assert chart["points"][1]["statistic"] == pytest.approx(9.7495)
    assert chart["signals"][0]["members"] == [28, 29]
    assert chart["as_of"] is None


def test_a_cusum_chart(caller: Caller) -> None:
    body = {"points": SENT, "centre": 10, "sigma": 1, "direction": "increase"}
    chart = caller.post("/spc/cusum", body).json()
    assert chart["points"][28]["high"] == pytest.approx(5.28)
    [signal] = chart["signals"]
    assert (signal["changed_at"], signal["meaning"]) == ("23", "improvement")


def test_ratios_with_phases_notes_and_exclusions(caller: Caller) -> None:
    points: list[dict[str, Any]] = [dict(point) for point in RATIOS]
    points[3] |= {"excluded": True, "note": "Flood"}
    body = {"points": points, "data": "proportion", "phase_starts": [6], "baseline_points": [4, 5]}
    for path in ("ewma", "cusum"):
        chart = caller.post(f"/spc/{path}", body).json()
        assert chart["points"][3]["note"] == "Flood"
        assert chart["points"][3]["excluded"] is True
        assert [phase["base_points"] for phase in chart["phases"]] == [3, 5]


def test_ids_of_units_come_back(caller: Caller) -> None:
    units = [{"label": "Elm", "id": "7", "numerator": 3, "denominator": 30}]
    plot = caller.post("/spc/funnel", {"kind": "rate", "units": units}).json()
    assert (plot["units"][0]["id"], plot["units"][0]["value"]) == ("7", 0.1)


CATEGORIES = [{"label": "a", "value": 3}, {"label": "b", "value": 0}]
UNITS = [{"label": "a", "numerator": 3, "denominator": 2}]


@pytest.mark.parametrize(
    ("path", "body", "pointer", "code"),
    [
        ("ewma", {"points": SENT, "weight": 0}, "#/weight", "greater_than"),
        ("ewma", {"points": SENT, "data": "rate"}, "#/points", "data_do_not_fit_chart"),
        (
            "ewma",
            {"points": RATIOS, "data": "rate", "limits": "asymptotic"},
            "#/limits",
            "limits_do_not_settle",
        ),
        ("ewma", {"points": []}, "#/points", "too_short"),
        ("ewma", {"points": [*RATIOS, {"x": "z", "value": 1}]}, "#/points/12/value", None),
        ("ewma", {"points": [{"x": "1", "numerator": 1}]}, "#/points/0/denominator", None),
        ("cusum", {"points": list(reversed(SENT)), "h": 4}, "#/h", "extra_forbidden"),
        ("cusum", {"points": SENT, "phase_starts": [30]}, "#/phase_starts/0", None),
        ("cusum", {"points": SENT, "decision_interval": 0}, "#/decision_interval", None),
        ("cusum", {"points": RATIOS, "data": "rate", "sigma": 1}, "#/sigma", "sigma_not_wanted"),
        ("pareto", {"categories": CATEGORIES}, "#/categories/1/value", "value_not_positive"),
        ("pareto", {"categories": CATEGORIES[:1] * 2}, "#/categories/1/label", None),
        ("funnel", {"kind": "proportion", "units": UNITS}, "#/units/0/numerator", None),
        ("funnel", {"kind": "proportion", "units": []}, "#/units", "too_short"),
        ("funnel", {"units": UNITS}, "#/kind", "missing"),
        (
            "funnel",
            {"kind": "proportion", "units": UNITS, "target": 1},
            "#/target",
            "target_out_of_range",
        ),
    ],
)
def test_bad_input_says_what_to_do(
    caller: Caller, path: str, body: dict[str, Any], pointer: str, code: str | None
) -> None:
    response = caller.post(f"/spc/{path}", body)
    assert response.status_code == 422, response.text
    fault = response.json()["errors"][0]
    assert fault["pointer"] == pointer
    assert code is None or fault["code"] == code


@pytest.mark.parametrize("path", ["ewma", "cusum"])
def test_subgroups_are_no_gaps(caller: Caller, path: str) -> None:
    points = [{"x": str(row), "values": [row, row + 1.0]} for row in range(12)]
    response = caller.post(f"/spc/{path}", {"points": points})
    assert response.status_code == 422
    assert response.json()["errors"][0]["code"] == "data_do_not_fit_chart"
    assert "means of the subgroups" in response.json()["detail"]


def test_a_refusal_of_the_engine_carries_its_advice(caller: Caller) -> None:
    response = caller.post("/spc/ewma", {"points": SENT, "data": "rate"})
    assert response.json()["code"] == "unchartable"
    assert "say values" in response.json()["detail"]


def test_ten_thousand_points_fit(caller: Caller) -> None:
    points = [{"x": str(row), "value": row % 9} for row in range(10_000)]
    for path in ("ewma", "cusum"):
        response = caller.post(f"/spc/{path}", {"points": points})
        assert response.status_code == 200, response.text
        assert len(response.json()["points"]) == 10_000


@pytest.mark.parametrize("path", ["ewma", "cusum", "pareto", "funnel"])
def test_it_needs_a_token(call: Callable[..., Caller], path: str) -> None:
    assert call(None).post(f"/spc/{path}", {}).status_code == 401
