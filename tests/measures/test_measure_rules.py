"""What a change of a measure sets off: versions, reasons, headline, the revision of the series."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from app import spc
from app.measures.charts import charts_for, data_types_of
from app.measures.models import DataType
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.measures.bodies import MEASURE, events_of, refused, series_of
from tests.world import World

Call = Callable[..., Caller]


@pytest.mark.parametrize("data_type", DataType)
def test_the_recommended_chart_suits(data_type: DataType) -> None:
    best = spc.recommend_chart(data_type)
    assert data_type in data_types_of(best)
    assert charts_for(data_type)[0] == best
    assert {"run", "i"} <= set(charts_for(data_type))


@pytest.mark.parametrize(
    ("chart", "data_type"),
    [("p", "rate"), ("p", "count"), ("c", "continuous"), ("c", "proportion"), ("u", "proportion")],
)
def test_a_chart_must_suit_the_data(call: Call, world: World, chart: str, data_type: str) -> None:
    facilitator = call(world.facilitator)
    path = f"/projects/{world.project.id}/measures"
    body = MEASURE | {"data_type": data_type, "chart": chart}
    response = facilitator.post(path, body)
    refused(response, 422, "chart_does_not_fit", "#/chart")
    advice = response.json()["errors"][0]["detail"]
    assert spc.recommend_chart(data_type) in advice
    made = facilitator.create(path, body | {"chart": None})
    changed = facilitator.patch(f"/measures/{made['id']}", {"chart": chart})
    refused(changed, 422, "chart_does_not_fit", "#/chart")


def test_the_data_type_is_fixed_by_data(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    facilitator = call(world.facilitator)
    path = f"/measures/{measure.id}"
    assert facilitator.patch(path, {"data_type": "rate"}).json()["data_type"] == "rate"
    facilitator.patch(path, {"data_type": "proportion"})
    point = make_data_point(session, measure=measure)
    refused(facilitator.patch(path, {"data_type": "rate"}), 409, "data_type_fixed")
    facilitator.delete(f"/data-points/{point.id}")
    refused(facilitator.patch(path, {"data_type": "rate"}), 409, "data_type_fixed")
    assert facilitator.patch(path, {"data_type": "proportion"}).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"operational_definition": "Only working days"},
        {"numerator_definition": "Answered by a person"},
        {"denominator_definition": "Without repeats"},
        {"unit": "per cent"},
        {"multiplier": 1},
    ],
)
def test_a_new_definition_under_data_needs_a_reason(
    call: Call, world: World, session: Session, change: dict[str, Any]
) -> None:
    measure = make_measure(session, project=world.project)
    make_data_point(session, measure=measure)
    facilitator = call(world.facilitator)
    path = f"/measures/{measure.id}"
    refused(facilitator.patch(path, change), 422, "definition_change_reason_required")
    refused(
        facilitator.patch(path, change | {"definition_change_reason": None}),
        422,
        "definition_change_reason_required",
        "#/definition_change_reason",
    )
    reason = {"definition_change_reason": "The system counts otherwise now"}
    changed = facilitator.patch(path, change | reason)
    assert changed.status_code == 200, changed.text
    assert changed.json()["definition_version"] == 2
    event = events_of(session, measure.id)[-1]
    assert event.changes["definition_change_reason"] == [None, "The system counts otherwise now"]
    assert event.changes["definition_version"] == [1, 2]
    assert "otherwise" not in event.payload


def test_without_data_a_definition_is_free(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    facilitator = call(world.facilitator)
    changed = facilitator.patch(f"/measures/{measure.id}", {"unit": "per cent"}).json()
    assert changed["definition_version"] == 1
    make_data_point(session, measure=measure)
    same = facilitator.patch(
        f"/measures/{measure.id}", {"unit": "per cent", "definition_change_reason": "None"}
    ).json()
    assert same["revision"] == changed["revision"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"unit": "x"},
        {"multiplier": 10},
        {"direction": "decrease"},
        {"targets": [{"from": None, "value": 3}]},
        {"chart": "run"},
        {"rule_set": "anhoej"},
        {"baseline_points": 9},
        {"data_type": "rate"},
    ],
)
def test_what_is_printed_moves_the_series(
    call: Call, world: World, session: Session, change: dict[str, Any]
) -> None:
    measure = make_measure(session, project=world.project)
    facilitator = call(world.facilitator)
    before = facilitator.ok(f"/measures/{measure.id}")
    changed = facilitator.patch(f"/measures/{measure.id}", change).json()
    assert changed["series_revision"] == before["series_revision"] + 1
    assert changed["series_changed_at"] > before["series_changed_at"]
    assert changed["series_changed_at"] == changed["updated_at"]
    assert facilitator.ok(f"/measures/{measure.id}") == changed
    facilitator.patch(f"/measures/{measure.id}", change)
    assert series_of(facilitator, measure) == (changed["revision"], changed["series_revision"])


def test_what_is_not_printed_leaves_the_series(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    facilitator = call(world.facilitator)
    body = {"position": 4, "code": "x", "family": "process", "is_headline": True}
    changed = facilitator.patch(f"/measures/{measure.id}", body).json()
    assert (changed["revision"], changed["series_revision"]) == (2, 0)


def test_one_headline_a_project(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    path = f"/projects/{world.project.id}/measures"
    elsewhere = make_measure(session, project=world.other_project, is_headline=True)
    first = facilitator.create(path, MEASURE | {"is_headline": True})
    second = facilitator.create(path, MEASURE | {"is_headline": True})
    assert facilitator.ok(f"/measures/{first['id']}")["is_headline"] is False
    third = make_measure(session, project=world.project)
    assert facilitator.patch(f"/measures/{third.id}", {"is_headline": True}).status_code == 200
    listed = facilitator.ok(path, is_headline="true")["items"]
    assert [item["id"] for item in listed] == [str(third.id)]
    assert facilitator.ok(f"/measures/{elsewhere.id}")["is_headline"] is True
    history = facilitator.ok(f"/measures/{second['id']}/history")["items"]
    assert history[0]["changes"] == {"is_headline": [True, False]}


def test_a_restored_headline_yields(call: Call, world: World) -> None:
    facilitator = call(world.facilitator)
    path = f"/projects/{world.project.id}/measures"
    first = facilitator.create(path, MEASURE | {"is_headline": True})
    facilitator.delete(f"/measures/{first['id']}")
    assert facilitator.post(f"/measures/{first['id']}/restore").json()["is_headline"] is True
    facilitator.delete(f"/measures/{first['id']}")
    second = facilitator.create(path, MEASURE | {"is_headline": True})
    assert facilitator.post(f"/measures/{first['id']}/restore").json()["is_headline"] is False
    assert facilitator.ok(f"/measures/{second['id']}")["is_headline"] is True
