"""A stored series, charted: the document, its entity tag, the overrides of one request."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from app.analytics.schemas import SpcChart
from app.measures.models import DataType, Direction, Measure
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.world import World

FIRST = date(2018, 1, 1)


def fill(session: Session, measure: Measure, numerators: list[int], denominator: int = 50) -> None:
    for week, numerator in enumerate(numerators):
        make_data_point(
            session,
            measure=measure,
            period_start=FIRST + timedelta(weeks=week),
            numerator=float(numerator),
            denominator=float(denominator),
        )


BASELINE = [28, 31, 29, 32, 30, 27, 31, 30, 29, 32, 28, 31]
SHIFTED = [41, 43, 42, 44, 41, 43, 42, 44]


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    measure = make_measure(session, project=world.project, baseline_points=12)
    fill(session, measure, BASELINE + SHIFTED)
    return measure


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


def test_the_document_has_the_promised_shape(caller: Caller, measure: Measure) -> None:
    response = caller.get(f"/measures/{measure.id}/spc")
    chart = SpcChart.model_validate_json(response.content)
    assert chart.chart == "p"
    assert chart.settings.rule_set == "mdc"
    assert chart.variation == "improvement_high"
    assert chart.points[0].value == pytest.approx(56.0)
    assert chart.points[0].centre == pytest.approx(100 * sum(BASELINE) / 600)
    assert chart.quality.limits == "provisional"
    assert {signal.rule for signal in chart.signals} >= {"shift", "outside_limits"}
    assert response.json()["as_of"].endswith("Z")


def test_a_304_reads_no_points(
    caller: Caller, measure: Measure, count_queries: Callable[[], Any]
) -> None:
    path = f"/measures/{measure.id}/spc"
    tag = caller.get(path).headers["ETag"]
    with count_queries() as cold:
        assert caller.get(path).status_code == 200
    with count_queries() as unchanged:
        response = caller("GET", path, headers={"If-None-Match": f'W/{tag}, "other"'})
    assert response.status_code == 304
    assert response.content == b""
    assert response.headers["ETag"] == tag
    assert len(cold) == 3  # the measure beside its caller, the points, the marks
    assert len(unchanged) == 1
    assert not any("data_point" in statement for statement in unchanged)


def test_the_tag_changes_with_data_and_with_every_override(
    caller: Caller, call: Callable[..., Caller], world: World, measure: Measure
) -> None:
    path = f"/measures/{measure.id}/spc"
    tags = {caller.get(path).headers["ETag"]}
    for override in (
        {"rule_set": "anhoej"},
        {"chart": "run"},
        {"target": 80},
        {"direction": "decrease"},
        {"baseline_points": 10},
        {"multiplier": 1},
        {"screen_moving_ranges": False},
        {"phase_starts": "2018-03-26"},
        {"stratum": "evening"},
    ):
        tags.add(caller.get(path, **override).headers["ETag"])
    point = {"period_start": "2018-07-02", "numerator": 40, "denominator": 50}
    recorded = caller.post(f"/measures/{measure.id}/data-points", point)
    assert recorded.status_code == 201, recorded.text
    tags.add(caller.get(path).headers["ETag"])
    patched = call(world.team_lead).patch(f"/measures/{measure.id}", {"name": "New name"})
    assert patched.status_code == 200, patched.text
    tags.add(caller.get(path).headers["ETag"])
    assert len(tags) == 12


def test_the_tag_follows_the_programme_s_rule_set(
    caller: Caller, call: Callable[..., Caller], world: World, measure: Measure
) -> None:
    path = f"/measures/{measure.id}/spc"
    before = caller.get(path)
    call(world.facilitator).patch(f"/programmes/{world.programme.id}", {"rule_set": "limits_only"})
    after = caller.get(path)
    assert before.json()["settings"]["rule_set"] == "mdc"
    assert after.json()["settings"]["rule_set"] == "limits_only"
    assert before.headers["ETag"] != after.headers["ETag"]


def test_phases_by_day_start_afresh(caller: Caller, measure: Measure) -> None:
    chart = caller.ok(f"/measures/{measure.id}/spc", phase_starts="2018-03-26")
    assert [phase["points"] for phase in chart["phases"]] == [12, 8]
    assert chart["points"][12]["phase"] == 1
    assert chart["variation"] == "common_cause"


@pytest.mark.parametrize(
    ("override", "parameter"),
    [
        ({"chart": "pie"}, "chart"),
        ({"chart": "t"}, "chart"),  # the points are stored: another chart is the remedy
        ({"rule_set": "guess"}, "rule_set"),
        ({"chart": ""}, "chart"),
        ({"rule_set": ""}, "rule_set"),
        ({"baseline_points": 0}, "baseline_points"),
        ({"multiplier": 0}, "multiplier"),
        ({"multiplier": "nan"}, "multiplier"),
        ({"target": "inf"}, "target"),
        ({"direction": "up"}, "direction"),
        ({"phase_starts": "2017-01-01"}, "phase_starts"),
        ({"phase_starts": ["2018-03-26", "2018-02-05"]}, "phase_starts"),
        ({"phase_starts": "yesterday"}, "phase_starts"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_what_cannot_be_drawn_says_why(
    caller: Caller, measure: Measure, override: dict[str, Any], parameter: str
) -> None:
    response = caller.get(f"/measures/{measure.id}/spc", **override)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["parameter"] == parameter


def test_gaps_exclusions_and_an_empty_series(
    caller: Caller, session: Session, world: World
) -> None:
    empty = make_measure(session, project=world.project)
    chart = caller.ok(f"/measures/{empty.id}/spc")
    assert (chart["points"], chart["variation"]) == ([], "common_cause")
    fill(session, empty, [0], denominator=0)
    fill_later = FIRST + timedelta(weeks=1)
    make_data_point(session, measure=empty, period_start=fill_later, excluded=True)
    chart = caller.ok(f"/measures/{empty.id}/spc")
    assert chart["points"][0]["value"] is None
    assert chart["points"][1]["excluded"] is True
    assert chart["quality"]["warnings"][0]["code"] == "denominator_zero"


def test_targets_follow_the_calendar(caller: Caller, session: Session, world: World) -> None:
    targets = [{"from": "2018-01-08", "value": 70}, {"from": "2018-01-22", "value": 80}]
    measure = make_measure(session, project=world.project, targets=targets)
    fill(session, measure, [30, 31, 32, 33])
    chart = caller.ok(f"/measures/{measure.id}/spc")
    assert [point["target"] for point in chart["points"]] == [None, 70.0, 70.0, 80.0]


def test_a_value_measure_is_drawn_from_its_values(
    caller: Caller, session: Session, world: World
) -> None:
    measure = make_measure(
        session,
        project=world.project,
        data_type=DataType.CONTINUOUS,
        direction=Direction.DECREASE,
        multiplier=1.0,
    )
    for week, value in enumerate([16.0, 14.5, 17.0, 15.5]):
        make_data_point(
            session, measure=measure, period_start=FIRST + timedelta(weeks=week), value=value
        )
    chart = caller.ok(f"/measures/{measure.id}/spc")
    assert chart["chart"] == "i"
    assert [point["value"] for point in chart["points"]] == [16.0, 14.5, 17.0, 15.5]
    misfit = caller.get(f"/measures/{measure.id}/spc", chart="p")
    assert misfit.status_code == 422
    assert misfit.json()["code"] == "unchartable"


def test_who_may_see_it(call: Callable[..., Caller], world: World, measure: Measure) -> None:
    path = f"/measures/{measure.id}/spc"
    assert call(world.facilitator).get(path).status_code == 200
    assert call(world.stranger).get(path).status_code == 404
    assert call(None).get(path).status_code == 401
