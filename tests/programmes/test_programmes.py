"""Programmes over HTTP: making, changing, archiving, and who may."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from tests.builders import make_organisation
from tests.calling import Caller
from tests.world import World


@pytest.fixture
def body(session: Session) -> dict[str, Any]:
    return {
        "title": "Barnet",
        "commissioner_org_id": str(make_organisation(session).id),
        "provider_org_id": str(make_organisation(session).id),
        "starts_on": "2017-12-07",
        "ends_on": "2018-09-30",
        "areas": ["North", "West", "South"],
    }


def test_a_new_programme_is_a_draft_for_improvement(
    call: Callable[..., Caller], world: World, body: dict[str, Any]
) -> None:
    made = call(world.admin).create("/programmes", body)
    assert made["state"] == "draft"
    assert made["purpose"] == "improvement"
    assert made["session_target"] == 8
    assert made["timezone"] == "Europe/London"
    assert made["first_session_on"] is None


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"ends_on": "2017-01-01"}, "#"),
        ({"commissioner_org_id": None}, "#/commissioner_org_id"),
        ({"timezone": "Europe/Barnet"}, "#/timezone"),
        ({"rule_set": "guesswork"}, "#/rule_set"),
        ({"starts_on": "2017-12-07T00:00:01"}, "#/starts_on"),
        ({"starts_on": 0}, "#/starts_on"),
        ({"capacity": 0}, "#/capacity"),
        ({"capacity": True}, "#/capacity"),
        ({"areas": [""]}, "#/areas/0"),
        ({"state": "closed"}, "#/state"),
        ({"purpose": "performance"}, "#/purpose"),
    ],
)
def test_what_makes_no_programme(
    call: Callable[..., Caller],
    world: World,
    body: dict[str, Any],
    change: dict[str, Any],
    place: str,
) -> None:
    response = call(world.admin).post("/programmes", body | change)
    assert response.status_code == 422, response.text
    assert response.json()["errors"][0]["pointer"] == place


def test_commissioner_and_provider_are_two(
    call: Callable[..., Caller], world: World, body: dict[str, Any]
) -> None:
    same = body | {"provider_org_id": body["commissioner_org_id"]}
    assert call(world.admin).post("/programmes", same).status_code == 422


def test_an_unknown_organisation_is_named(
    call: Callable[..., Caller], world: World, body: dict[str, Any]
) -> None:
    unknown = body | {"provider_org_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d02"}
    response = call(world.admin).post("/programmes", unknown)
    assert response.status_code == 422
    assert response.json()["code"] == "reference_not_found"
    assert response.json()["errors"][0]["pointer"] == "#/provider_org_id"


def test_rules_across_fields_hold_after_a_patch_too(
    call: Callable[..., Caller], world: World
) -> None:
    path = f"/programmes/{world.programme.id}"
    response = call(world.facilitator).patch(path, {"ends_on": "2017-11-30"})
    assert response.status_code == 422
    changed = call(world.facilitator).patch(path, {"capacity": 15, "rule_set": "anhoej"})
    assert changed.json()["rule_set"] == "anhoej"
    assert call(world.facilitator).patch(path, {"capacity": 15}).headers["ETag"] == '"2"'


def test_changes_are_kept_with_their_author(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    call(world.facilitator).patch(f"/programmes/{world.programme.id}", {"title": "New title"})
    event = session.exec(select(Event).order_by(col(Event.created_at).desc())).first()
    assert event is not None
    assert event.type == "programme.updated"
    assert event.actor_id == world.facilitator.id
    assert event.changes["title"] == [world.programme.title, "New title"]
    assert "New title" not in event.payload


def test_an_archived_programme_is_frozen_and_comes_back(
    call: Callable[..., Caller], world: World
) -> None:
    path = f"/programmes/{world.programme.id}"
    admin, facilitator = call(world.people[Role.PROVIDER_ADMIN]), call(world.facilitator)
    assert facilitator.delete(path).status_code == 403
    assert admin.delete(path).status_code == 204
    assert facilitator.get(path).json()["archived_at"] is not None
    assert facilitator.patch(path, {"title": "X"}).json()["code"] == "archived"
    for child in ("teams", "projects", "sessions", "participants"):
        listed = facilitator.get(f"{path}/{child}")
        assert listed.status_code == 200, listed.text
    frozen = facilitator.post(f"{path}/teams", {"name": "New", "area": "North"})
    assert frozen.status_code == 409
    assert frozen.json()["code"] == "archived"
    assert admin.post(f"{path}/restore").status_code == 200
    assert facilitator.patch(path, {"title": "X"}).status_code == 200


def test_the_list_shows_what_one_has_a_role_in(call: Callable[..., Caller], world: World) -> None:
    def seen(user: Any) -> set[str]:
        return {item["id"] for item in call(user).ok("/programmes")["items"]}

    assert seen(world.admin) == {str(world.programme.id), str(world.other_programme.id)}
    assert seen(world.member) == {str(world.programme.id)}
    assert seen(world.stranger) == set()
    assert call(world.admin).ok("/programmes", q="nothing like it")["items"] == []
    assert len(call(world.admin).ok("/programmes", state=["draft", "closed"])["items"]) == 2


def test_the_time_zone_is_fixed_once_sessions_have_dates(
    call: Callable[..., Caller], world: World
) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}"
    assert facilitator.patch(path, {"timezone": "Europe/Dublin"}).status_code == 200
    session = {
        "title": "Late evening",
        "starts_at": "2017-12-07T22:30:00Z",
        "ends_at": "2017-12-07T23:30:00Z",
    }
    facilitator.create(f"{path}/sessions", session)
    refused = facilitator.patch(path, {"timezone": "Europe/Paris"})
    assert refused.status_code == 409
    assert refused.json()["code"] == "timezone_fixed"
