"""Teams over HTTP: life, areas, coaches, who may do what."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlmodel import Session, col, select

from app.access.models import Membership
from app.access.permissions import Role
from app.events.models import Event
from app.kit.clock import utc_now
from app.participants.models import ProfessionalRole as Job
from tests.builders import make_participant, make_programme, make_team, make_user
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]
WRITERS = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR}


def test_life(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    parent = f"/programmes/{world.programme.id}/teams"
    response = facilitator.post(parent, {"name": "Team Elm", "area": "West"})
    assert response.status_code == 201, response.text
    made, path = response.json(), response.headers["Location"]
    assert path == f"/api/v1/teams/{made['id']}"
    assert (made["member_count"], made["lead_participant_ids"]) == (0, [])
    assert facilitator.ok(path) == made
    assert facilitator("PATCH", path, json={"name": "X"}).status_code == 428
    changed = facilitator.patch(path, {"sponsor": "A patient partner"}, '"1"')
    assert (changed.json()["sponsor"], changed.headers["ETag"]) == ("A patient partner", '"2"')
    twin = facilitator.post(parent, {"name": "Team Elm"})
    assert (twin.status_code, twin.json()["errors"][0]["pointer"]) == (409, "#/name")
    assert facilitator.delete(path).status_code == 204
    assert facilitator.delete(path).status_code == 204
    assert facilitator.patch(path, {"name": "Y"}).json()["code"] == "archived"
    assert made["id"] not in [item["id"] for item in facilitator.ok(parent)["items"]]
    assert facilitator.ok(parent, archived="true")["items"][0]["id"] == made["id"]
    facilitator.create(parent, {"name": "Team Elm"})
    assert facilitator.post(f"{path}/restore").status_code == 409
    types = [event.type for event in session.exec(select(Event).order_by(col(Event.id)))]
    assert types == ["team.created", "team.updated", "team.archived", "team.created"]


def test_area_must_be_one_of_the_programmes(call: Call, world: World, session: Session) -> None:
    admin = call(world.admin)
    parent = f"/programmes/{world.programme.id}/teams"
    refused = admin.post(parent, {"name": "A", "area": "Atlantis"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "unknown_area"
    assert refused.json()["errors"][0]["pointer"] == "#/area"
    assert admin.patch(f"/teams/{world.team.id}", {"area": "Atlantis"}).status_code == 422
    free = make_programme(session, areas=[])
    assert admin.create(f"/programmes/{free.id}/teams", {"name": "A", "area": "Atlantis"})


def test_an_area_that_the_programme_gave_up_stays(
    call: Call, world: World, session: Session
) -> None:
    world.programme.areas = ["West"]
    session.commit()
    changed = call(world.admin).patch(f"/teams/{world.team.id}", {"name": "New name"})
    assert (changed.status_code, changed.json()["area"]) == (200, "North")


@pytest.mark.parametrize("role", list(Role))
def test_who_may(call: Call, world: World, session: Session, role: Role) -> None:
    caller = call(world.people[role])
    parent = f"/programmes/{world.programme.id}/teams"
    assert len(caller.ok(parent)["items"]) == 2
    assert caller.get(f"{parent}/balance").status_code == 200
    created = caller.post(parent, {"name": "New"})
    assert created.status_code == (201 if role in WRITERS else 403)
    own = caller.patch(f"/teams/{world.team.id}", {"sponsor": "S"})
    assert own.status_code == (200 if role in WRITERS | {Role.TEAM_LEAD} else 403)
    other = caller.patch(f"/teams/{world.other_team.id}", {"sponsor": "S"})
    assert other.status_code == (200 if role in WRITERS else 403)
    assert caller.delete(f"/teams/{world.team.id}").status_code == (204 if role in WRITERS else 403)
    assert caller.post(f"/teams/{world.team.id}/restore").status_code == (
        200 if role in WRITERS else 403
    )
    members = caller.get(f"/teams/{world.team.id}/members")
    blind = {Role.COMMISSIONER, Role.INTEGRATION}
    assert members.status_code == (403 if role in blind else 200)
    foreign = caller.get(f"/teams/{world.foreign_team.id}")
    assert foreign.status_code == (200 if role is Role.PLATFORM_ADMIN else 404)


def test_a_coach_gets_the_role_and_the_former_loses_it(
    call: Call, world: World, session: Session
) -> None:
    facilitator, today = call(world.facilitator), utc_now().date()
    first, second = make_user(session), make_user(session)
    made = facilitator.create(
        f"/programmes/{world.programme.id}/teams", {"name": "C", "coach_id": str(first.id)}
    )
    path = f"/teams/{made['id']}"
    assert facilitator.patch(path, {"coach_id": str(second.id)}).status_code == 200
    assert facilitator.patch(path, {"coach_id": None}).json()["coach_id"] is None
    statement = select(Membership).where(col(Membership.user_id).in_([first.id, second.id]))
    rows = {row.user_id: row for row in session.exec(statement)}
    for user in (first, second):
        row = rows[user.id]
        assert (row.role, str(row.team_id)) == (Role.COACH, made["id"])
        assert (row.starts_on, row.ends_on) == (today, today)


def test_only_who_may_grant_the_role_names_a_coach(
    call: Call, world: World, session: Session
) -> None:
    path = f"/teams/{world.team.id}"
    refused = call(world.team_lead).patch(path, {"coach_id": str(world.team_lead.id)})
    assert refused.status_code == 403
    unknown = call(world.facilitator).patch(path, {"coach_id": str(world.team.id)})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "reference_not_found")
    gone = make_user(session, disabled_at=utc_now())
    assert call(world.facilitator).patch(path, {"coach_id": str(gone.id)}).status_code == 422


def test_a_team_with_members_is_not_archived(call: Call, world: World, session: Session) -> None:
    make_participant(session, programme=world.programme, team=world.team)
    refused = call(world.facilitator).delete(f"/teams/{world.team.id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "team_has_members")


def test_an_archived_programme_is_frozen(call: Call, world: World, session: Session) -> None:
    admin = call(world.admin)
    row = make_participant(session, programme=world.programme)
    admin.delete(f"/programmes/{world.programme.id}")
    path = f"/teams/{world.team.id}"
    member = {"participant_id": str(row.id), "starts_on": "2017-12-07"}
    for answer in (
        admin.post(f"/programmes/{world.programme.id}/teams", {"name": "A"}),
        admin.patch(path, {"name": "B"}),
        admin.post(f"{path}/members", member),
        admin.delete(path),
        admin.post(f"{path}/restore"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "archived")


def test_make_up_and_a_fixed_number_of_queries(
    call: Call,
    world: World,
    session: Session,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    facilitator = call(world.facilitator)
    parent = f"/programmes/{world.programme.id}/teams"
    with count_queries() as few:
        facilitator.ok(parent)
    make_team(session, programme=world.programme)
    for role in (Job.GP, Job.PRACTICE_MANAGER, Job.PATIENT_PARTNER):
        make_participant(session, programme=world.programme, team=world.team, role=role)
    session.expire_all()
    with count_queries() as many:
        items = {item["id"]: item for item in facilitator.ok(parent)["items"]}
    assert len(many) == len(few) <= 5
    team = items[str(world.team.id)]
    counts = ("member_count", "clinician_count", "non_clinician_count")
    assert [team[name] for name in counts] == [3, 1, 1]
    assert [items[str(world.other_team.id)][name] for name in counts] == [0, 0, 0]


def test_filters(call: Call, world: World, session: Session) -> None:
    make_team(session, programme=world.programme, name="Willow", area="West")
    member = call(world.member)
    parent = f"/programmes/{world.programme.id}/teams"
    for filters in ({"q": "willow"}, {"area": "West"}, {"sort": "-area", "limit": 1}):
        items = member.ok(parent, **filters)["items"]
        assert [item["name"] for item in items] == ["Willow"]
    assert member.get(parent, sort="sponsor").status_code == 422
