"""EWMA and CUSUM of stored series: settings, overrides, entity tags, who may read."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.analytics.comparisons.documents import CusumChart, EwmaChart
from app.measures.models import DataType, Direction, Measure
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.world import World

FIRST = date(2018, 1, 1)
NUMERATORS = [28, 31, 29, 32, 30, 27, 31, 30, 29, 32, 28, 31, 41, 43, 42, 44, 41, 43, 42, 44]
PATHS = ("ewma", "cusum")


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    measure = make_measure(session, project=world.project, baseline_points=12)
    for week, numerator in enumerate(NUMERATORS):
        make_data_point(
            session,
            measure=measure,
            period_start=FIRST + timedelta(weeks=week),
            numerator=float(numerator),
            denominator=50.0,
        )
    return measure


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


def test_the_documents_of_a_proportion(caller: Caller, measure: Measure) -> None:
    response = caller.get(f"/measures/{measure.id}/spc/ewma")
    ewma = EwmaChart.model_validate_json(response.content)
    assert (ewma.settings.data, ewma.settings.weight) == ("proportion", 0.2)
    assert ewma.points[0].centre == pytest.approx(100 * sum(NUMERATORS[:12]) / 600)
    assert ewma.signals[0].meaning == "improvement"
    assert (ewma.title, ewma.unit) == (measure.name, "%")
    assert response.json()["as_of"].endswith("Z")
    cusum = CusumChart.model_validate_json(caller.get(f"/measures/{measure.id}/spc/cusum").content)
    assert cusum.signals[0].changed_at == (FIRST + timedelta(weeks=12)).isoformat()
    assert cusum.quality.limits == "provisional"


@pytest.mark.parametrize(
    ("data_type", "data"), [(DataType.RATE, "rate"), (DataType.YES_NO, "proportion")]
)
def test_ratios_are_drawn_as_what_they_are(
    session: Session, world: World, caller: Caller, data_type: DataType, data: str
) -> None:
    measure = make_measure(session, project=world.project, data_type=data_type)
    make_data_point(session, measure=measure)
    for path in PATHS:
        chart = caller.ok(f"/measures/{measure.id}/spc/{path}")
        assert chart["settings"]["data"] == data


def test_values_take_sigma_from_their_moving_ranges(
    session: Session, world: World, caller: Caller
) -> None:
    measure = make_measure(
        session,
        project=world.project,
        data_type=DataType.CONTINUOUS,
        direction=Direction.DECREASE,
        multiplier=1.0,
    )
    for day, value in enumerate([5.0, 6.0, 5.0, 6.0]):
        make_data_point(
            session, measure=measure, period_start=FIRST + timedelta(days=day), value=value
        )
    chart = caller.ok(f"/measures/{measure.id}/spc/ewma")
    assert chart["settings"]["data"] == "values"
    assert chart["phases"][0]["sigma"] == pytest.approx(1 / 1.128)


@pytest.mark.parametrize("path", PATHS)
def test_a_304_reads_no_points(
    caller: Caller, measure: Measure, count_queries: Callable[[], Any], path: str
) -> None:
    address = f"/measures/{measure.id}/spc/{path}"
    tag = caller.get(address).headers["ETag"]
    with count_queries() as statements:
        response = caller("GET", address, headers={"If-None-Match": f'W/{tag}, "other"'})
    assert (response.status_code, response.content) == (304, b"")
    assert response.headers["ETag"] == tag
    assert not any("data_point" in statement for statement in statements)


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("ewma", [{"weight": 0.3}, {"limit_width": 2.7}, {"limits": "asymptotic"}]),
        (
            "cusum",
            [
                {"allowance": 0.25},
                {"decision_interval": 4},
                {"head_start": 0.5},
                {"restart_after_signal": True},
            ],
        ),
    ],
)
def test_the_tag_changes_with_data_and_with_every_override(
    caller: Caller, measure: Measure, path: str, own: list[dict[str, Any]]
) -> None:
    address = f"/measures/{measure.id}/spc/{path}"
    shared: list[dict[str, Any]] = [
        {},
        {"data": "values"},
        {"centre": 58},
        {"data": "values", "sigma": 3},
        {"baseline_points": 10},
        {"direction": "decrease"},
        {"multiplier": 1},
        {"screen_moving_ranges": False},
        {"phase_starts": "2018-03-26"},
        {"stratum": "evening"},
    ]
    tags = set()
    for override in shared + own:
        response = caller.get(address, **override)
        assert response.status_code == 200, response.text
        tags.add(response.headers["ETag"])
    point = {"period_start": "2018-07-02", "numerator": 40, "denominator": 50}
    assert caller.post(f"/measures/{measure.id}/data-points", point).status_code == 201
    tags.add(caller.get(address).headers["ETag"])
    assert len(tags) == len(shared) + len(own) + 1


def test_phases_by_day_start_afresh(caller: Caller, measure: Measure) -> None:
    for path in PATHS:
        chart = caller.ok(f"/measures/{measure.id}/spc/{path}", phase_starts="2018-03-26")
        assert [phase["points"] for phase in chart["phases"]] == [12, 8]
        assert chart["signals"] == []


def test_what_cannot_be_drawn_names_the_parameter(caller: Caller, measure: Measure) -> None:
    response = caller.get(f"/measures/{measure.id}/spc/cusum", sigma=2)
    assert response.status_code == 422
    assert response.json()["code"] == "unchartable"
    assert response.json()["errors"][0]["parameter"] == "sigma"
    unknown = caller.get(f"/measures/{measure.id}/spc/cusum", weight=0.2)
    assert unknown.json()["code"] == "unknown_parameter"


def test_a_measure_without_points(session: Session, world: World, caller: Caller) -> None:
    measure = make_measure(session, project=world.project)
    for path in PATHS:
        chart = caller.ok(f"/measures/{measure.id}/spc/{path}")
        assert chart["points"] == []
        assert chart["quality"]["limits"] == "none"


@pytest.mark.parametrize("path", PATHS)
def test_who_may_see_it(
    call: Callable[..., Caller], world: World, measure: Measure, session: Session, path: str
) -> None:
    address = f"/measures/{measure.id}/spc/{path}"
    assert call(world.facilitator).get(address).status_code == 200
    assert call(world.stranger).get(address).status_code == 404
    foreign = make_measure(session, project=world.foreign_project)
    assert call(world.facilitator).get(f"/measures/{foreign.id}/spc/{path}").status_code == 404
    token = call(world.member).with_token("project:read")
    assert token.get(address).json()["code"] == "scope_insufficient"
