"""Measures over HTTP: life, lists, warnings, history and who may."""

import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.measures.bodies import MEASURE, POINT, events_of, refused
from tests.world import World

Call = Callable[..., Caller]


def test_create_get_and_event(call: Call, world: World, session: Session) -> None:
    lead = call(world.team_lead)
    response = lead.post(f"/projects/{world.project.id}/measures", MEASURE | {"code": "answered"})
    assert response.status_code == 201, response.text
    made = response.json()
    assert response.headers["Location"] == f"/api/v1/measures/{made['id']}"
    assert response.headers["ETag"] == '"1"'
    assert made["programme_id"] == str(world.programme.id)
    assert made["chart"] is None
    assert made["definition_version"] == 1
    assert lead.ok(f"/measures/{made['id']}") == made
    assert [event.type for event in events_of(session, uuid.UUID(made["id"]))] == [
        "measure.created"
    ]


def test_everything_that_can_be_stated_comes_back(call: Call, world: World) -> None:
    body = MEASURE | {
        "code": "answered-48h",
        "targets": [{"from": None, "value": 80}, {"from": "2018-04-01", "value": 90.5}],
        "collection": {
            "frequency": "weekly",
            "subgroup": "List size over 5,000",
            "sample_size": 20,
            "source_system": "Appointments",
            "collector": "Practice manager",
            "starts_on": "2017-10-02",
            "ends_on": None,
        },
        "chart": "p",
        "rule_set": "mdc",
        "baseline_points": 12,
        "is_headline": True,
        "position": 3,
    }
    made = call(world.facilitator).create(f"/projects/{world.project.id}/measures", body)
    assert {name: made[name] for name in body} == body


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "string_too_short"),
        ("name", "x" * 201, "string_too_long"),
        ("name", "a\u0000b", "unstorable_text"),
        ("code", "Not a slug", "string_pattern_mismatch"),
        ("family", "other", "enum"),
        ("data_type", "ratio", "enum"),
        ("direction", None, "enum"),
        ("multiplier", 0, "greater_than"),
        ("multiplier", 1e10, "less_than_equal"),
        ("multiplier", "100", "float_type"),
        ("baseline_points", 0, "greater_than_equal"),
        ("baseline_points", 10_001, "less_than_equal"),
        ("chart", "pie", "unknown_chart"),
        ("rule_set", "house_rules", "unknown_rule_set"),
        ("position", 10**12, "less_than_equal"),
        ("is_headline", "yes", "bool_type"),
        ("operational_definition", "Patient 943 476 5919", "patient_identifier_suspected"),
        ("colour", "red", "extra_forbidden"),
    ],
)
def test_refused_fields(call: Call, world: World, field: str, value: Any, code: str) -> None:
    response = call(world.facilitator).post(
        f"/projects/{world.project.id}/measures", MEASURE | {field: value}
    )
    refused(response, 422, code, f"#/{field}")


@pytest.mark.parametrize(
    "targets",
    [
        [{"from": "2018-01-01", "value": 1}, {"from": None, "value": 2}],
        [{"from": None, "value": 1}, {"from": None, "value": 2}],
        [{"from": "2018-02-01", "value": 1}, {"from": "2018-02-01", "value": 2}],
        [{"from": "2018-02-01", "value": 1}, {"from": "2018-01-01", "value": 2}],
    ],
)
def test_targets_rise(call: Call, world: World, targets: list[dict[str, Any]]) -> None:
    response = call(world.facilitator).post(
        f"/projects/{world.project.id}/measures", MEASURE | {"targets": targets}
    )
    refused(response, 422, "targets_out_of_order", "#/targets")


def test_a_live_code_is_unique_in_the_project(call: Call, world: World) -> None:
    facilitator = call(world.facilitator)
    path = f"/projects/{world.project.id}/measures"
    made = facilitator.create(path, MEASURE | {"code": "one"})
    refused(facilitator.post(path, MEASURE | {"code": "one"}), 409, "already_exists", "#/code")
    elsewhere = f"/projects/{world.other_project.id}/measures"
    facilitator.create(elsewhere, MEASURE | {"code": "one"})
    facilitator.delete(f"/measures/{made['id']}")
    facilitator.create(path, MEASURE | {"code": "one"})
    refused(facilitator.post(f"/measures/{made['id']}/restore"), 409, "already_exists", "#/code")


def test_list_filters_and_order(call: Call, world: World, session: Session) -> None:
    first = make_measure(session, project=world.project, position=1, name="Waits", code="waits")
    second = make_measure(session, project=world.project, position=0, family="process")
    gone = make_measure(session, project=world.project, position=5, is_headline=True)
    make_measure(session, project=world.other_project)
    facilitator = call(world.facilitator)
    facilitator.delete(f"/measures/{gone.id}")
    path = f"/projects/{world.project.id}/measures"

    def found(**params: Any) -> list[str]:
        return [item["id"] for item in facilitator.ok(path, **params)["items"]]

    assert found() == [str(second.id), str(first.id)]
    assert found(sort="-position", archived="any") == [str(gone.id), str(first.id), str(second.id)]
    assert found(q="wait") == [str(first.id)]
    assert found(code="waits") == [str(first.id)]
    assert found(family="process") == [str(second.id)]
    assert found(data_type="count") == []
    assert found(is_headline="true", archived="any") == [str(gone.id)]
    assert found(archived="true") == [str(gone.id)]
    page = facilitator.ok(path, limit=1, with_total="true")
    assert page["total"] == 2
    following = facilitator.ok(path, limit=1, cursor=page["next_cursor"])
    assert [item["id"] for item in following["items"]] == [str(first.id)]
    refused(facilitator.get(path, sort="secret"), 422, "validation_failed")


def test_a_list_costs_the_same_for_one_and_for_many(
    call: Call,
    world: World,
    session: Session,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    facilitator = call(world.facilitator)
    path = f"/projects/{world.project.id}/measures"
    costs = []
    for number in (1, 9):
        for _ in range(number):
            make_measure(session, project=world.project)
        with count_queries() as statements:
            assert len(facilitator.ok(path)["items"]) >= number
        costs.append(len(statements))
    assert costs[0] == costs[1]


def test_warnings_say_what_is_missing(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    path = f"/projects/{world.project.id}/measures"
    bare = MEASURE | {"denominator_definition": None}
    made = facilitator.create(path, bare)
    assert made["warnings"] == [
        "measure_definition_missing",
        "no_process_measure",
        "no_balancing_measure",
    ]
    value = {"data_type": "count", "numerator_definition": None, "denominator_definition": None}
    whole = facilitator.create(path, MEASURE | value | {"family": "process"})
    assert whole["warnings"] == ["no_balancing_measure"]
    for _ in range(7):
        make_measure(session, project=world.project, family="balancing")
    listed = facilitator.ok(path)["items"]
    assert {tuple(item["warnings"]) for item in listed if item["id"] == whole["id"]} == {
        ("too_many_measures",)
    }


def test_archive_freezes_and_restore_thaws(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    lead = call(world.team_lead)
    path = f"/measures/{measure.id}"
    assert lead.delete(path).status_code == 204
    assert lead.delete(path).status_code == 204
    refused(lead.patch(path, {"name": "New"}), 409, "archived")
    refused(lead.post(f"{path}/data-points", POINT), 409, "archived")
    assert lead.ok(path)["archived_at"] is not None
    assert lead.post(f"{path}/restore").json()["archived_at"] is None
    assert lead.post(f"{path}/restore").json()["revision"] == 3
    types = [event.type for event in events_of(session, measure.id)]
    assert types == ["measure.archived", "measure.restored"]


@pytest.mark.parametrize("parent", ["project", "programme"])
def test_an_archived_parent_freezes(
    call: Call, world: World, session: Session, parent: str
) -> None:
    measure = make_measure(session, project=world.project)
    point = make_data_point(session, measure=measure)
    row = getattr(world, parent)
    call(world.admin).delete(f"/{parent}s/{row.id}")
    admin = call(world.admin)
    refused(admin.post(f"/projects/{world.project.id}/measures", MEASURE), 409, "archived")
    refused(admin.patch(f"/measures/{measure.id}", {"name": "New"}), 409, "archived")
    refused(admin.delete(f"/measures/{measure.id}"), 409, "archived")
    refused(admin.post(f"/measures/{measure.id}/restore"), 409, "archived")
    refused(admin.post(f"/measures/{measure.id}/data-points", POINT), 409, "archived")
    refused(admin.patch(f"/data-points/{point.id}", {"note": "x"}), 409, "archived")
    refused(admin.delete(f"/data-points/{point.id}"), 409, "archived")


def test_patch_needs_the_present_revision(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    lead = call(world.team_lead)
    path = f"/measures/{measure.id}"
    refused(lead("PATCH", path, json={"name": "New"}), 428, "precondition_required")
    refused(lead.patch(path, {"name": "New"}, '"7"'), 412, "revision_mismatch")
    changed = lead.patch(path, {"name": "New"}, '"1"')
    assert changed.headers["ETag"] == '"2"'
    refused(lead.patch(path, {"name": None}, '"2"'), 422, "string_type", "#/name")


def test_the_data_plan_is_merged(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    lead = call(world.team_lead)
    path = f"/measures/{measure.id}"
    refused(
        lead.patch(path, {"collection": {"collector": "Nurse"}}),
        422,
        "missing",
        "#/collection/frequency",
    )
    lead.patch(path, {"collection": {"frequency": "daily", "collector": "Nurse"}})
    merged = lead.patch(path, {"collection": {"sample_size": 5, "collector": None}}).json()
    assert merged["collection"]["frequency"] == "daily"
    assert merged["collection"]["sample_size"] == 5
    assert merged["collection"]["collector"] is None
    backwards = {"collection": {"starts_on": "2018-01-02", "ends_on": "2018-01-01"}}
    refused(lead.patch(path, backwards), 422, "value_error", "#/collection")
    assert lead.patch(path, {"collection": None}).json()["collection"] is None


def test_history_tells_of_measure_and_points(call: Call, world: World, session: Session) -> None:
    measure = make_measure(session, project=world.project)
    lead = call(world.team_lead)
    lead.patch(f"/measures/{measure.id}", {"name": "New"})
    made = lead.create(f"/measures/{measure.id}/data-points", POINT)
    lead.patch(f"/data-points/{made['id']}", {"numerator": 9})
    history = lead.ok(f"/measures/{measure.id}/history")["items"]
    assert [item["type"] for item in history] == [
        "data_point.corrected",
        "data_point.recorded",
        "measure.updated",
    ]
    assert history[0]["changes"]["numerator"] == [8.0, 9.0]
    assert history[0]["changes"]["value"] == [0.4, 0.45]
    assert call(world.stranger).get(f"/measures/{measure.id}/history").status_code == 404


READS = set(Role) - {Role.COMMISSIONER}
WRITES = {
    Role.PLATFORM_ADMIN,
    Role.PROVIDER_ADMIN,
    Role.FACILITATOR,
    Role.COACH,
    Role.TEAM_LEAD,
    Role.INTEGRATION,
}


@pytest.mark.parametrize("role", Role)
def test_who_may(call: Call, world: World, session: Session, role: Role) -> None:
    measure = make_measure(session, project=world.project)
    caller = call(world.people[role])
    path = f"/measures/{measure.id}"
    seen = 200 if role in READS else 404
    assert caller.get(path).status_code == seen
    assert caller.get(f"/projects/{world.project.id}/measures").status_code == seen
    refusal = 403 if role in READS else 404
    may = role in WRITES
    made = caller.post(f"/projects/{world.project.id}/measures", MEASURE)
    assert made.status_code == (201 if may else refusal)
    assert caller.patch(path, {"name": "New"}).status_code == (200 if may else refusal)
    assert caller.delete(path).status_code == (204 if may else refusal)
    assert caller.post(f"{path}/restore").status_code == (200 if may else refusal)


def test_other_teams_and_programmes(call: Call, world: World, session: Session) -> None:
    neighbour = make_measure(session, project=world.other_project)
    foreign = make_measure(session, project=world.foreign_project)
    assert call(world.team_lead).get(f"/measures/{neighbour.id}").status_code == 404
    assert call(world.facilitator).get(f"/measures/{foreign.id}").status_code == 404
    coach = call(world.people[Role.COACH])
    assert coach.get(f"/measures/{neighbour.id}").status_code == 200
    assert coach.patch(f"/measures/{neighbour.id}", {"name": "New"}).status_code == 403
    assert coach.post(f"/projects/{world.other_project.id}/measures", MEASURE).status_code == 403
    assert call().get(f"/measures/{neighbour.id}").status_code == 401
