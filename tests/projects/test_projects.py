"""Projects over HTTP: their life, who may do what, and what a frozen parent means."""

from collections.abc import Callable

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from tests.builders import make_membership, make_team
from tests.calling import Caller
from tests.projects.bodies import BODY, new_project
from tests.world import World

Call = Callable[..., Caller]
WRITERS = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR, Role.COACH, Role.TEAM_LEAD}


def test_create_get_and_archive(call: Call, world: World) -> None:
    lead = call(world.team_lead)
    response = lead.post(f"/programmes/{world.programme.id}/projects", new_project(world))
    assert response.status_code == 201, response.text
    made = response.json()
    path = f"/projects/{made['id']}"
    assert response.headers["Location"] == f"/api/v1{path}"
    assert made["state"] == "idea"
    assert made["visibility"] == "team"
    assert lead.ok(path) == made
    assert lead.delete(path).status_code == 204
    assert lead.delete(path).status_code == 204
    assert lead.ok(path)["archived_at"] is not None
    assert lead.patch(path, {"area": "West"}).json()["code"] == "archived"
    assert lead.post(f"{path}/restore").json()["archived_at"] is None


def test_patch_needs_the_revision(call: Call, world: World) -> None:
    lead, path = call(world.team_lead), f"/projects/{world.project.id}"
    assert lead("PATCH", path, json={"area": "West"}).status_code == 428
    assert lead.patch(path, {"area": "West"}, '"9"').status_code == 412
    changed = lead.patch(path, {"area": "West", "tags": ["access", "phones"]}, '"1"')
    assert changed.status_code == 200, changed.text
    assert (changed.json()["area"], changed.json()["tags"]) == ("West", ["access", "phones"])
    assert changed.headers["ETag"] == '"2"'


@pytest.mark.parametrize(
    "body",
    [
        {"title": ""},
        {"title": "a\x00b"},
        {"title": "x" * 201},
        {"state": "completed"},
        {"visibility": "public"},
        {"tags": ["x"] * 51},
        {"patient_involvement": "much"},
        {"start_on": 17},
        {"aim": {"target_value": "85"}},
        {"aim": {"target_value": 1e16}},
        {"aim": {"direction": "sideways"}},
        {"aim": {"nobody": 1}},
        {"aim": 5},
        {"team_id": "no"},
    ],
)
def test_bad_bodies_are_422(call: Call, world: World, body: dict[str, object]) -> None:
    lead = call(world.team_lead)
    path = f"/programmes/{world.programme.id}/projects"
    assert lead.post(path, new_project(world) | body).status_code == 422
    assert lead.patch(f"/projects/{world.project.id}", body).status_code == 422


@pytest.mark.parametrize("role", list(Role))
def test_who_may_create_and_change(call: Call, world: World, role: Role) -> None:
    caller, path = call(world.people[role]), f"/projects/{world.project.id}"
    may = role in WRITERS
    made = caller.post(f"/programmes/{world.programme.id}/projects", new_project(world))
    assert made.status_code == (201 if may else 403), made.text
    sees = role is not Role.COMMISSIONER
    assert caller.get(path).status_code == (200 if sees else 404)
    assert caller.get(f"{path}/history").status_code == (200 if sees else 404)
    refused = 403 if sees else 404
    assert caller.patch(path, {"area": "West"}).status_code == (200 if may else refused)
    assert caller.delete(path).status_code == (204 if may else refused)
    assert caller.post(f"{path}/restore").status_code == (200 if may else refused)


def test_teams_do_not_see_each_other(call: Call, world: World) -> None:
    lead = call(world.team_lead)
    for hidden in (world.other_project, world.foreign_project):
        assert lead.get(f"/projects/{hidden.id}").status_code == 404
        assert lead.patch(f"/projects/{hidden.id}", {"area": "West"}).status_code == 404
    body = new_project(world) | {"team_id": str(world.other_team.id)}
    assert lead.post(f"/programmes/{world.programme.id}/projects", body).status_code == 403
    body["team_id"] = None
    assert lead.post(f"/programmes/{world.programme.id}/projects", body).status_code == 403
    path = f"/programmes/{world.other_programme.id}/projects"
    assert lead.post(path, new_project(world)).status_code == 404


def test_moving_needs_both_teams(call: Call, session: Session, world: World) -> None:
    lead, path = call(world.team_lead), f"/projects/{world.project.id}"
    assert lead.patch(path, {"team_id": str(world.other_team.id)}).status_code == 403
    assert lead.patch(path, {"team_id": None}).status_code == 403
    make_membership(session, user=world.team_lead, role=Role.COACH, team=world.other_team)
    moved = call(world.team_lead).patch(path, {"team_id": str(world.other_team.id)})
    assert moved.json()["team_id"] == str(world.other_team.id)


def test_the_team_must_be_of_the_programme(call: Call, session: Session, world: World) -> None:
    admin = call(world.admin)
    for wrong in (world.foreign_team.id, world.programme.id):
        refused = admin.patch(f"/projects/{world.project.id}", {"team_id": str(wrong)})
        assert refused.json()["code"] == "reference_not_found"
        assert refused.json()["errors"][0]["pointer"] == "#/team_id"
    team = make_team(session, programme=world.programme)
    team.archived_at = world.programme.created_at
    session.add(team)
    session.commit()
    body = new_project(world) | {"team_id": str(team.id)}
    refused = admin.post(f"/programmes/{world.programme.id}/projects", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")


def test_an_archived_programme_freezes_its_projects(call: Call, world: World) -> None:
    admin, path = call(world.admin), f"/projects/{world.project.id}"
    admin.delete(f"/programmes/{world.programme.id}")
    body = new_project(world)
    assert admin.post(f"/programmes/{world.programme.id}/projects", body).status_code == 409
    for response in (
        admin.patch(path, {"area": "West"}),
        admin.delete(path),
        admin.post(f"{path}/restore"),
    ):
        assert (response.status_code, response.json()["code"]) == (409, "archived")
    assert admin.get(path).status_code == 200


def test_history_tells_who_changed_what(call: Call, world: World) -> None:
    lead = call(world.team_lead)
    made = lead.create(f"/programmes/{world.programme.id}/projects", new_project(world))
    path = f"/projects/{made['id']}"
    lead.patch(path, {"area": "West"})
    lead.delete(path)
    lead.post(f"{path}/restore")
    events = lead.ok(f"{path}/history", sort="created_at")["items"]
    verbs = ["created", "updated", "archived", "restored"]
    assert [event["type"] for event in events] == [f"project.{verb}" for verb in verbs]
    assert events[1]["changes"] == {"area": [BODY["area"], "West"]}
    assert events[1]["actor_id"] == str(world.team_lead.id)
