"""Team memberships over HTTP: what they write, and what they refuse."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.models import Membership
from app.access.permissions import Role
from app.events.models import Event
from app.identity.models import User
from app.kit.clock import utc_now
from app.participants.models import Enrolment, Person
from tests.builders import make_participant, make_user
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]
LAUNCH = "2017-12-07"


def _body(row: Enrolment, **over: Any) -> dict[str, Any]:
    return {"participant_id": str(row.id), "starts_on": LAUNCH, **over}


def _linked(session: Session, row: Enrolment) -> User:
    user = make_user(session)
    session.get_one(Person, row.person_id).user_id = user.id
    session.commit()
    return user


def _roles(session: Session, user: User) -> list[tuple[Role, date, date | None]]:
    session.expire_all()
    statement = select(Membership).where(Membership.user_id == user.id)
    rows = session.exec(statement.order_by(col(Membership.id)))
    return [(row.role, row.starts_on, row.ends_on) for row in rows]


@pytest.fixture
def row(session: Session, world: World) -> Enrolment:
    return make_participant(
        session, programme=world.programme, unassigned_reason="Joins when back from leave."
    )


def test_add_lead_and_end(call: Call, world: World, session: Session, row: Enrolment) -> None:
    facilitator, user = call(world.facilitator), _linked(session, row)
    team, today = f"/teams/{world.team.id}", utc_now().date()
    response = facilitator.post(f"{team}/members", _body(row))
    assert response.status_code == 201, response.text
    made, path = response.json(), response.headers["Location"]
    assert path == f"/api/v1/team-members/{made['id']}"
    assert facilitator.ok(path) == made
    person = facilitator.ok(f"/participants/{row.id}")
    assert (person["team_id"], person["unassigned_reason"]) == (str(world.team.id), None)
    assert (facilitator.ok(team)["member_count"], facilitator.ok(team)["revision"]) == (1, 2)

    assert facilitator("PATCH", path, json={"is_lead": True}).status_code == 428
    lead = facilitator.patch(path, {"is_lead": True}, '"1"')
    assert (lead.json()["is_lead"], lead.headers["ETag"]) == (True, '"2"')
    assert facilitator.ok(team)["lead_participant_ids"] == [str(row.id)]
    assert _roles(session, user) == [
        (Role.MEMBER, date(2017, 12, 7), today),
        (Role.TEAM_LEAD, today, None),
    ]

    ended = facilitator.post(f"{path}/end", {"ends_on": "2018-03-01"})
    assert (ended.json()["ends_on"], ended.json()["is_live"]) == ("2018-03-01", False)
    assert facilitator.ok(f"/participants/{row.id}")["team_id"] is None
    assert facilitator.ok(team)["member_count"] == 0
    assert {ends_on for _, _, ends_on in _roles(session, user)} == {date(2018, 3, 1)}
    for answer in (
        facilitator.post(f"{path}/end", {"ends_on": "2018-03-01"}),
        facilitator.patch(path, {"is_lead": False}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "membership_ended")
    types = [event.type for event in session.exec(select(Event).order_by(col(Event.id)))]
    assert [name for name in types if name.startswith("team_member.")] == [
        "team_member.created",
        "team_member.updated",
        "team_member.ended",
    ]
    assert types.count("participant.updated") == 2


def test_one_live_team_each(call: Call, world: World, row: Enrolment) -> None:
    admin = call(world.admin)
    first = admin.create(f"/teams/{world.team.id}/members", _body(row))
    other = f"/teams/{world.other_team.id}/members"
    overlap = admin.post(other, _body(row))
    assert (overlap.status_code, overlap.json()["code"]) == (409, "team_overlap")
    admin.post(f"/team-members/{first['id']}/end", {"ends_on": "2018-03-01"})
    dated = admin.post(other, _body(row, starts_on="2018-02-28"))
    assert (dated.status_code, dated.json()["code"]) == (409, "team_overlap")
    assert admin.post(other, _body(row, starts_on="2018-03-01")).status_code == 201
    assert len(admin.ok(f"/teams/{world.team.id}/members", live="any")["items"]) == 1
    assert admin.ok(f"/teams/{world.team.id}/members")["items"] == []
    former = admin.ok(f"/teams/{world.team.id}/members", live="false")["items"]
    assert [item["id"] for item in former] == [first["id"]]


def test_a_membership_of_no_day_blocks_nothing(call: Call, world: World, row: Enrolment) -> None:
    admin = call(world.admin)
    slip = admin.create(f"/teams/{world.team.id}/members", _body(row, starts_on="2018-02-01"))
    admin.post(f"/team-members/{slip['id']}/end", {"ends_on": "2018-02-01"})
    assert admin.post(f"/teams/{world.other_team.id}/members", _body(row)).status_code == 201


def test_who_cannot_be_added(call: Call, world: World, session: Session, row: Enrolment) -> None:
    admin = call(world.admin)
    path = f"/teams/{world.team.id}/members"
    foreign = make_participant(session, programme=world.other_programme)
    for stranger in (foreign, world.team):
        refused = admin.post(path, {"participant_id": str(stranger.id), "starts_on": LAUNCH})
        assert (refused.status_code, refused.json()["code"]) == (422, "reference_not_found")
        assert refused.json()["errors"][0]["pointer"] == "#/participant_id"
    for day in ("2017-12-06", "2018-10-01"):
        early = admin.post(path, _body(row, starts_on=day))
        assert early.json()["errors"][0]["pointer"] == "#/starts_on"
    gone = make_participant(session, programme=world.programme, left_on=date(2018, 1, 31))
    left = admin.post(path, _body(gone))
    assert (left.status_code, left.json()["code"]) == (409, "enrolment_not_active")
    admin.delete(f"/participants/{row.id}")
    assert admin.post(path, _body(row)).json()["code"] == "archived"


@pytest.mark.parametrize("days", [-10_000, 2])
def test_when_a_membership_can_end(call: Call, world: World, row: Enrolment, days: int) -> None:
    admin = call(world.admin)
    made = admin.create(f"/teams/{world.team.id}/members", _body(row))
    day = utc_now().date() + timedelta(days=days)
    refused = admin.post(f"/team-members/{made['id']}/end", {"ends_on": day.isoformat()})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/ends_on"


def test_an_archived_team_takes_nobody(call: Call, world: World, row: Enrolment) -> None:
    admin = call(world.admin)
    admin.delete(f"/teams/{world.team.id}")
    refused = admin.post(f"/teams/{world.team.id}/members", _body(row))
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")


@pytest.mark.parametrize("role", list(Role))
def test_who_may(call: Call, world: World, session: Session, row: Enrolment, role: Role) -> None:
    caller = call(world.people[role])
    writers = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR, Role.TEAM_LEAD}
    made = caller.post(f"/teams/{world.team.id}/members", _body(row))
    assert made.status_code == (201 if role in writers else 403)
    other = make_participant(session, programme=world.programme)
    elsewhere = caller.post(f"/teams/{world.other_team.id}/members", _body(other))
    assert elsewhere.status_code == (201 if role in writers - {Role.TEAM_LEAD} else 403)
    blind = {Role.COMMISSIONER, Role.INTEGRATION}
    third = make_participant(session, programme=world.programme)
    member = call(world.admin).create(f"/teams/{world.team.id}/members", _body(third))
    path = f"/team-members/{member['id']}"
    assert caller.get(path).status_code == (404 if role in blind else 200)
    refusal = 404 if role in blind else 403
    changed = caller.patch(path, {"is_lead": True})
    assert changed.status_code == (200 if role in writers else refusal)
    ended = caller.post(f"{path}/end", {"ends_on": "2018-01-31"})
    assert ended.status_code == (200 if role in writers else refusal)


def test_a_list_costs_the_same_for_one_and_for_many(
    call: Call,
    world: World,
    session: Session,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    caller, path = call(world.member), f"/teams/{world.team.id}/members"
    make_participant(session, programme=world.programme, team=world.team)
    with count_queries() as few:
        assert len(caller.ok(path)["items"]) == 1
    for _ in range(3):
        make_participant(session, programme=world.programme, team=world.team)
    session.expire_all()
    with count_queries() as many:
        names = [item["family_name"] for item in caller.ok(path)["items"]]
    assert names == sorted(names)
    assert (len(names), len(many)) == (4, len(few))
    assert len(many) <= 4
