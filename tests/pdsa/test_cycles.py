"""PDSA cycles over HTTP: their life, their lists, who may do what."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.pdsa.models import CycleState, Purpose
from tests.builders import make_cycle
from tests.calling import Caller
from tests.pdsa.bodies import NEW, PLAN
from tests.world import World

Call = Callable[..., Caller]
READERS = set(Role) - {Role.COMMISSIONER}
WRITERS = READERS - {Role.OBSERVER}


@pytest.fixture
def cycles(world: World) -> str:
    return f"/projects/{world.project.id}/pdsa-cycles"


def test_create_get_change_archive(call: Call, world: World, cycles: str) -> None:
    member = call(world.member)
    response = member.post(cycles, NEW)
    assert response.status_code == 201, response.text
    made = response.json()
    path = f"/pdsa-cycles/{made['id']}"
    assert response.headers["Location"] == f"/api/v1{path}"
    assert (made["cycle_no"], made["ramp_length"], made["state"]) == (1, 1, "planned")
    assert made["plan"]["data_plan"]["measure_id"] is None
    assert made["do"]["observations"] == []
    assert member.ok(path) == made
    assert member("PATCH", path, json={"title": "x"}).status_code == 428
    assert member.patch(path, {"title": "x"}, '"7"').status_code == 412
    changed = member.patch(path, {"title": "Slot", "plan": {"data_plan": {"how": "List"}}}).json()
    assert changed["title"] == "Slot"
    assert changed["plan"]["data_plan"] == made["plan"]["data_plan"] | {"how": "List"}
    assert changed["plan"]["objective"] == PLAN["objective"]
    assert member.delete(path).status_code == 204
    assert member.delete(path).status_code == 204
    assert member.patch(path, {"title": "x"}).json()["code"] == "archived"
    transition = member.post(f"{path}/transitions", {"to": "doing"})
    assert transition.json()["code"] == "archived"
    assert member.post(f"{path}/restore").json()["archived_at"] is None
    events = member.ok(f"{path}/history", sort="created_at")["items"]
    verbs = ["created", "updated", "archived", "restored"]
    assert [event["type"] for event in events] == [f"pdsa_cycle.{verb}" for verb in verbs]


@pytest.mark.parametrize(
    "plan",
    [
        {"objective": "a\x00b"},
        {"objective": "\ud800"},
        {"questions": ["x"] * 51},
        {"questions": None},
        {"who": [""]},
        {"when_start": "2018-03-17"},
        {"when_start": 5},
        {"predictions": [{"because": "no text"}]},
        {"predictions": [{"text": "x", "confidence": 1.1}]},
        {"predictions": [{"text": "x", "expected_low": 2, "expected_high": 1}]},
        {"predictions": [{"text": "x", "id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"}]},
        {"predictions": [{"text": "x", "measure_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"}]},
        {"test_scale": "galaxy"},
        {"data_plan": {"nobody": "x"}},
        [],
        None,
    ],
)
def test_bad_plans_are_422(call: Call, world: World, cycles: str, plan: Any) -> None:
    member = call(world.member)
    body = NEW | {"plan": PLAN | plan if isinstance(plan, dict) else plan}
    # The client refuses to encode lone surrogates, so the body is sent as escaped JSON text.
    assert _send(member, "POST", cycles, body) == 422
    path = f"/pdsa-cycles/{member.create(cycles, NEW)['id']}"
    assert _send(member, "PATCH", path, {"plan": body["plan"]}) == 422


def _send(caller: Caller, method: str, path: str, body: Any) -> int:
    headers = {"Content-Type": "application/json", "If-Match": "*"}
    return caller(method, path, content=json.dumps(body), headers=headers).status_code


@pytest.mark.parametrize("role", list(Role))
def test_who_may_do_what(
    call: Call, session: Session, world: World, cycles: str, role: Role
) -> None:
    caller, row = call(world.people[role]), make_cycle(session, project=world.project)
    path, hidden = f"/pdsa-cycles/{row.id}", 403 if role in READERS else 404
    may = role in WRITERS
    assert caller.get(cycles).status_code == (200 if role in READERS else 404)
    assert caller.get(path).status_code == (200 if role in READERS else 404)
    assert caller.get(f"{path}/history").status_code == (200 if role in READERS else 404)
    assert caller.post(cycles, NEW).status_code == (201 if may else hidden)
    assert caller.patch(path, {"title": "x"}).status_code == (200 if may else hidden)
    assert caller.delete(path).status_code == (204 if may else hidden)
    assert caller.post(f"{path}/restore").status_code == (200 if may else hidden)
    cancel = caller.post(f"{path}/transitions", {"to": "cancelled", "reason": "No time."})
    assert cancel.status_code == (200 if may else hidden)
    amendment = {"stage": "plan", "field": "where", "text": "Elsewhere", "reason": "Wrong."}
    assert caller.post(f"{path}/amendments", amendment).status_code == (201 if may else hidden)


def test_other_teams_and_programmes_are_hidden(call: Call, session: Session, world: World) -> None:
    member, coach = call(world.member), call(world.people[Role.COACH])
    for project in (world.other_project, world.foreign_project):
        cycle = make_cycle(session, project=project)
        assert member.get(f"/pdsa-cycles/{cycle.id}").status_code == 404
        assert member.patch(f"/pdsa-cycles/{cycle.id}", {"title": "x"}).status_code == 404
        assert member.post(f"/projects/{project.id}/pdsa-cycles", NEW).status_code == 404
    other = make_cycle(session, project=world.other_project)
    assert coach.get(f"/pdsa-cycles/{other.id}").status_code == 200
    assert coach.patch(f"/pdsa-cycles/{other.id}", {"title": "x"}).status_code == 403


@pytest.mark.parametrize("parent", ["projects", "programmes"])
def test_an_archived_parent_freezes_cycles(
    call: Call, session: Session, world: World, cycles: str, parent: str
) -> None:
    admin, row = call(world.admin), make_cycle(session, project=world.project)
    path = f"/pdsa-cycles/{row.id}"
    archived = world.project.id if parent == "projects" else world.programme.id
    assert admin.delete(f"/{parent}/{archived}").status_code == 204
    for response in (
        admin.post(cycles, NEW),
        admin.patch(path, {"title": "x"}),
        admin.post(f"{path}/transitions", {"to": "cancelled", "reason": "x"}),
        admin.delete(path),
        admin.post(f"{path}/restore"),
    ):
        assert (response.status_code, response.json()["code"]) == (409, "archived")


def test_list_filters_and_sorts(call: Call, session: Session, world: World, cycles: str) -> None:
    first = make_cycle(session, project=world.project, title="100% slots")
    second = make_cycle(
        session,
        project=world.project,
        ramp_id=first.ramp_id,
        cycle_no=2,
        state=CycleState.DOING,
        purpose=Purpose.IMPLEMENT_CHANGE,
    )
    make_cycle(session, project=world.project, archived_at=first.created_at, title="Gone")
    make_cycle(session, project=world.other_project)
    member = call(world.member)

    def numbers(**parameters: Any) -> list[int]:
        return [item["cycle_no"] for item in member.ok(cycles, **parameters)["items"]]

    assert numbers() == [1, 2]
    assert numbers(sort="-cycle_no") == [2, 1]
    assert numbers(state="doing") == [2]
    assert numbers(state=["doing", "planned"]) == [1, 2]
    assert numbers(purpose="implement_change") == [2]
    assert numbers(q="%") == [1]
    assert numbers(ramp_id=str(second.ramp_id)) == [1, 2]
    assert numbers(archived="true") == [1]
    assert [item["ramp_length"] for item in member.ok(cycles)["items"]] == [2, 2]
    page = member.ok(cycles, limit=1)
    assert member.ok(cycles, limit=1, cursor=page["next_cursor"])["items"][0]["cycle_no"] == 2
    for wrong in ({"sort": "title"}, {"state": "x"}, {"ramp_id": "1"}, {"q": "\x00"}, {"typo": 1}):
        assert member.get(cycles, **wrong).status_code == 422


def test_the_number_of_queries_does_not_grow(
    call: Call,
    session: Session,
    world: World,
    cycles: str,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    member = call(world.member)
    make_cycle(session, project=world.project)
    with count_queries() as few:
        member.ok(cycles)
    for _ in range(10):
        make_cycle(session, project=world.project)
    with count_queries() as many:
        assert len(member.ok(cycles)["items"]) == 11
    assert len(many) == len(few)
