"""What other systems call our resources: unique both ways, as visible as the resource."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.kit.ids import new_id
from app.references.resources import REFERABLE, ResourceType
from tests.builders import (
    make_annotation,
    make_cycle,
    make_measure,
    make_participant,
    make_phase,
    make_session,
    make_team,
)
from tests.calling import Caller
from tests.exchange import make_reference, make_release
from tests.world import World

Call = Callable[..., Caller]


def body(resource_id: object, **over: Any) -> dict[str, Any]:
    return {
        "system": "lifeqi",
        "resource_type": "project",
        "resource_id": str(resource_id),
        "external_id": "123",
    } | over


@pytest.fixture
def at(world: World) -> str:
    return f"/programmes/{world.programme.id}/external-references"


@pytest.fixture
def resources(session: Session, world: World) -> dict[str, tuple[Any, str]]:
    """One resource of each type, and the list that it stands in where lists can be filtered."""
    measure = make_measure(session, project=world.project)
    programme, project = f"/programmes/{world.programme.id}", f"/projects/{world.project.id}"
    return {
        "project": (world.project.id, f"{programme}/projects"),
        "measure": (measure.id, f"{project}/measures"),
        "phase": (make_phase(session, measure=measure).id, ""),
        "annotation": (make_annotation(session, measure=measure).id, ""),
        "pdsa_cycle": (
            make_cycle(session, project=world.project).id,
            f"{project}/pdsa-cycles",
        ),
        "team": (world.team.id, f"{programme}/teams"),
        "participant": (
            make_participant(session, programme=world.programme, team=world.team).id,
            f"{programme}/participants",
        ),
        "session": (
            make_session(session, programme=world.programme).id,
            f"{programme}/sessions",
        ),
    }


def test_each_type_is_named_shown_looked_up_and_deleted(
    call: Call, world: World, at: str, resources: dict[str, tuple[Any, str]]
) -> None:
    facilitator = call(world.facilitator)
    assert set(resources) == set(REFERABLE) == set(ResourceType)
    for name, (resource_id, address) in resources.items():
        made = facilitator.create(at, body(resource_id, resource_type=name))
        assert made["programme_id"] == str(world.programme.id)
        assert made["created_by"] == str(world.facilitator.id)
        path = f"/external-references/{made['id']}"
        assert facilitator.ok(path) == made
        looked_up = facilitator.ok(
            "/external-references", system="lifeqi", external_id="123", resource_type=name
        )
        assert [item["resource_id"] for item in looked_up["items"]] == [str(resource_id)]
        if address:
            found = facilitator.ok(address, external_ref="lifeqi:123")["items"]
            assert [item["id"] for item in found] == [str(resource_id)]
            assert found[0]["external_refs"] == [{"system": "lifeqi", "id": "123"}]
            one = address.rsplit("/", 1)[-1]
            single = facilitator.ok(f"/{one}/{resource_id}")
            assert single["external_refs"] == [{"system": "lifeqi", "id": "123"}]
            for none in ("lifeqi:124", "other:123"):
                assert facilitator.ok(address, external_ref=none)["items"] == []
        assert facilitator.delete(path).status_code == 204
        assert facilitator.delete(path).status_code == 404
        assert facilitator.ok("/external-references", resource_type=name)["items"] == []


def test_the_list_across_programmes_is_filtered_too(call: Call, world: World, at: str) -> None:
    facilitator = call(world.facilitator)
    facilitator.create(at, body(world.project.id, external_id="with:colon"))
    found = facilitator.ok("/projects", external_ref=["lifeqi:with:colon", "lifeqi:9"])["items"]
    assert [item["id"] for item in found] == [str(world.project.id)]
    assert facilitator.get("/projects", external_ref="nocolon").status_code == 422


def test_unique_both_ways(call: Call, world: World, at: str, session: Session) -> None:
    facilitator = call(world.facilitator)
    facilitator.create(at, body(world.project.id))
    again = facilitator.post(at, body(world.project.id, external_id="other"))
    taken = facilitator.post(at, body(world.other_project.id))
    for response, place in ((again, "#/resource_id"), (taken, "#/external_id")):
        assert response.status_code == 409
        assert response.json()["code"] == "already_exists"
        assert response.json()["errors"][0]["pointer"] == place
    facilitator.create(at, body(world.other_project.id, system="other"))
    facilitator.create(at, body(world.team.id, resource_type="team"))
    admin = call(world.admin)
    elsewhere = f"/programmes/{world.other_programme.id}/external-references"
    admin.create(elsewhere, body(world.foreign_project.id))
    both = admin.ok("/projects", external_ref="lifeqi:123")["items"]
    assert len(both) == 2


def test_the_resource_must_be_of_the_programme_and_visible(
    call: Call, world: World, at: str
) -> None:
    for person, resource_id in (
        (world.admin, world.foreign_project.id),
        (world.facilitator, new_id()),
        (world.team_lead, world.other_project.id),
    ):
        response = call(person).post(at, body(resource_id))
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == "reference_not_found"
    assert call(world.stranger).post(at, body(world.project.id)).status_code == 404


def test_who_may_write_the_resource_may_name_it(
    call: Call, world: World, at: str, session: Session
) -> None:
    cycle = make_cycle(session, project=world.project)
    member, lead = call(world.member), call(world.team_lead)
    assert member.post(at, body(world.project.id)).status_code == 403
    member.create(at, body(cycle.id, resource_type="pdsa_cycle"))
    made = lead.create(at, body(world.project.id))
    assert member.delete(f"/external-references/{made['id']}").status_code == 403
    observer = call(world.people[Role.OBSERVER])
    assert observer.post(at, body(world.project.id, system="b")).status_code == 403


def test_a_reference_is_as_visible_as_its_resource(
    call: Call, world: World, at: str, session: Session
) -> None:
    facilitator = call(world.facilitator)
    own = facilitator.create(at, body(world.project.id))
    other = facilitator.create(at, body(world.other_project.id, external_id="456"))
    meeting = make_session(session, programme=world.programme)
    met = facilitator.create(at, body(meeting.id, resource_type="session"))
    person = make_participant(session, programme=world.programme, team=world.other_team)
    named = facilitator.create(at, body(person.id, resource_type="participant", external_id="789"))
    for role, seen in (
        (Role.PLATFORM_ADMIN, {own["id"], other["id"], named["id"], met["id"]}),
        (Role.TEAM_LEAD, {own["id"], named["id"], met["id"]}),
        (Role.OBSERVER, {own["id"], other["id"], named["id"], met["id"]}),
        (Role.COMMISSIONER, {met["id"]}),
        (Role.INTEGRATION, {own["id"], other["id"], met["id"]}),
    ):
        caller = call(world.people[role])
        items = caller.ok("/external-references", programme_id=str(world.programme.id))["items"]
        assert {item["id"] for item in items} == seen, role
        for made in (own, other, named, met):
            status = caller.get(f"/external-references/{made['id']}").status_code
            assert status == (200 if made["id"] in seen else 404), role
    assert call(world.stranger).ok("/external-references")["items"] == []


def test_a_token_sees_what_its_scopes_read(call: Call, world: World, at: str) -> None:
    facilitator = call(world.facilitator)
    facilitator.create(at, body(world.project.id))
    facilitator.create(at, body(world.team.id, resource_type="team"))
    token = facilitator.with_token("team:read")
    assert [item["resource_type"] for item in token.ok("/external-references")["items"]] == ["team"]
    refused = token.get("/external-references", resource_type="project")
    assert refused.status_code == 403
    assert refused.json()["code"] == "scope_insufficient"


def test_what_is_archived_is_named_no_more(
    call: Call, world: World, at: str, session: Session
) -> None:
    facilitator = call(world.facilitator)
    measure = make_measure(session, project=world.project)
    made = facilitator.create(at, body(measure.id, resource_type="measure"))
    assert facilitator.delete(f"/projects/{world.project.id}").status_code == 204
    for response in (
        facilitator.post(at, body(world.project.id)),
        facilitator.post(at, body(measure.id, resource_type="measure", system="b")),
        facilitator.post(f"{at}/bulk", {"items": [body(world.project.id)]}),
        facilitator.delete(f"/external-references/{made['id']}"),
    ):
        assert response.status_code == 409
        assert response.json()["code"] == "archived"
    assert facilitator.ok(f"/external-references/{made['id']}") == made


def test_an_event_of_the_resource_tells_that_it_was_named(
    call: Call, world: World, at: str, session: Session
) -> None:
    facilitator = call(world.facilitator)
    before = facilitator.ok(f"/projects/{world.project.id}")
    made = facilitator.create(at, body(world.project.id, external_id="Seven"))
    facilitator.delete(f"/external-references/{made['id']}")
    events = session.exec(
        select(Event)
        .where(col(Event.resource_id) == world.project.id)
        .order_by(col(Event.created_at), col(Event.id))
    ).all()
    assert [event.type for event in events] == ["project.updated"] * 2
    assert [event.changes for event in events] == [
        {"external_refs": [None, "lifeqi:Seven"]},
        {"external_refs": ["lifeqi:Seven", None]},
    ]
    for event in events:
        assert '"system":"lifeqi"' in event.payload
        assert "Seven" not in event.payload
        assert event.team_id == world.team.id
        assert event.project_id == world.project.id
    assert facilitator.ok(f"/projects/{world.project.id}") == before


def test_bulk_creates_replaces_and_leaves_alone(
    call: Call, world: World, at: str, session: Session
) -> None:
    facilitator = call(world.facilitator)
    items = [body(world.project.id), body(world.other_project.id, external_id="456")]
    first = facilitator.post(f"{at}/bulk", {"items": items})
    assert first.json() == {"created": 2, "updated": 0, "unchanged": 0}
    again = facilitator.post(f"{at}/bulk", {"items": items})
    assert again.json() == {"created": 0, "updated": 0, "unchanged": 2}
    swapped = [body(world.project.id, external_id="456"), body(world.other_project.id)]
    assert facilitator.post(f"{at}/bulk", {"items": swapped}).json()["updated"] == 2
    found = facilitator.ok("/projects", external_ref="lifeqi:123")["items"]
    assert [item["id"] for item in found] == [str(world.other_project.id)]
    assert facilitator.post(f"{at}/bulk", {"items": []}).status_code == 200


def test_bulk_lists_every_fault_and_writes_nothing(call: Call, world: World, at: str) -> None:
    facilitator = call(world.facilitator)
    facilitator.create(at, body(world.project.id))
    items = [
        body(world.team.id, resource_type="team"),
        body(new_id(), external_id="a"),
        body(world.other_project.id),
        body(world.team.id, resource_type="team", external_id="b"),
        body(world.other_team.id, resource_type="team"),
    ]
    response = facilitator.post(f"{at}/bulk", {"items": items})
    assert response.status_code == 422
    assert {(fault["pointer"], fault["code"]) for fault in response.json()["errors"]} == {
        ("#/items/1/resource_id", "reference_not_found"),
        ("#/items/2/external_id", "already_exists"),
        ("#/items/3/resource_id", "duplicate_row"),
        ("#/items/4/external_id", "duplicate_row"),
    }
    assert len(facilitator.ok("/external-references")["items"]) == 1


def test_bulk_needs_the_permission_for_every_resource(call: Call, world: World, at: str) -> None:
    items = [body(world.project.id), body(world.other_project.id, external_id="456")]
    coach = call(world.people[Role.COACH])
    assert coach.post(f"{at}/bulk", {"items": items}).status_code == 403
    assert coach.post(f"{at}/bulk", {"items": items[:1]}).status_code == 200


def test_a_thousand_at_once(
    call: Call,
    world: World,
    at: str,
    session: Session,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    facilitator = call(world.facilitator)
    teams = [make_team(session, programme=world.programme) for _ in range(40)]
    items = [
        body(team.id, resource_type="team", system=f"system-{number}", external_id=team.id.hex)
        for team in teams
        for number in range(25)
    ]
    with count_queries() as statements:
        response = facilitator.post(f"{at}/bulk", {"items": items})
    assert response.json() == {"created": 1000, "updated": 0, "unchanged": 0}
    reads = [each for each in statements if each.lstrip().upper().startswith("SELECT")]
    assert len(reads) < 15
    too_many = [*items, body(world.project.id)]
    assert facilitator.post(f"{at}/bulk", {"items": too_many}).status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"system": "Life QI"},
        {"system": "a:b"},
        {"external_id": ""},
        {"external_id": "   "},
        {"external_id": "a\x00b"},
        {"external_id": "x" * 201},
        {"resource_type": "programme"},
        {"resource_id": "123"},
        {"note": "unknown"},
    ],
)
def test_what_is_refused(call: Call, world: World, at: str, change: dict[str, Any]) -> None:
    response = call(world.facilitator).post(at, body(world.project.id) | change)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == f"#/{next(iter(change))}"


def test_a_reference_whose_resource_is_gone_is_not_found(
    call: Call, world: World, session: Session
) -> None:
    stray = make_reference(session, project=world.project, resource_id=new_id())
    assert call(world.admin).delete(f"/external-references/{stray.id}").status_code == 404


def test_whoever_reads_a_released_project_sees_its_references(
    call: Call, world: World, session: Session
) -> None:
    """As in the project itself; to write them takes more."""
    measure = make_measure(session, project=world.project)
    named = {
        make_reference(session, project=world.project).id,
        make_reference(
            session, project=world.project, resource_type="measure", resource_id=measure.id
        ).id,
    }
    hidden = make_reference(
        session, project=world.project, resource_type="team", resource_id=world.team.id
    )
    reader = call(world.people[Role.COMMISSIONER])

    def seen() -> set[str]:
        return {item["id"] for item in reader.ok("/external-references")["items"]}

    before = seen()
    assert not before & {str(each) for each in named}
    make_release(session, project=world.project)
    assert seen() - before == {str(each) for each in named}
    assert str(hidden.id) in before  # who reads the programme reads its teams
    for each in named:
        assert reader.get(f"/external-references/{each}").status_code == 200
        assert reader.delete(f"/external-references/{each}").status_code == 403
    shown = reader.ok(f"/projects/{world.project.id}")["external_refs"]
    assert len(shown) == 1
