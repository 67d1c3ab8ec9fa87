"""Statuses of participants and the roles that follow from enrolment, over HTTP."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.models import Membership
from app.access.permissions import Role
from app.events.models import Event
from app.identity.models import User
from app.kit.clock import utc_now
from tests.builders import make_user
from tests.calling import Caller
from tests.participants.enrolling import enrol, participant_body
from tests.world import World

Call = Callable[..., Caller]


def _move(caller: Caller, made: dict[str, Any], **body: Any) -> Any:
    return caller.post(f"/participants/{made['id']}/transitions", body)


def _roles(session: Session, user: User) -> list[tuple[Role, date, date | None]]:
    session.expire_all()
    statement = select(Membership).where(Membership.user_id == user.id)
    rows = session.exec(statement.order_by(col(Membership.id)))
    return [(row.role, row.starts_on, row.ends_on) for row in rows]


def _join(caller: Caller, made: dict[str, Any], world: World, **more: Any) -> dict[str, Any]:
    body = {"participant_id": made["id"], "starts_on": "2017-12-07", **more}
    return caller.create(f"/teams/{world.team.id}/members", body)


def test_the_usual_way(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    assert _move(facilitator, made, to="active").json()["status"] == "active"
    done = _move(facilitator, made, to="completed", left_on="2018-09-30")
    assert done.status_code == 200, done.text
    assert (done.json()["status"], done.json()["left_on"]) == ("completed", "2018-09-30")
    assert done.headers["ETag"] == '"3"'
    events = session.exec(select(Event).where(Event.type == "participant.state_changed")).all()
    assert len(events) == 2
    assert '"from":"enrolled","to":"active"' in events[0].payload
    again = _move(facilitator, made, to="active")
    assert again.status_code == 409
    assert (again.json()["code"], again.json()["allowed"]) == ("invalid_state_transition", [])


def test_steps_that_do_not_exist(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    refused = _move(facilitator, made, to="completed", left_on="2018-09-30")
    assert refused.json()["code"] == "invalid_state_transition"
    assert refused.json()["allowed"] == ["active", "transferred", "withdrawn"]
    assert _move(facilitator, made, to="nowhere").status_code == 422


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": "transferred"}, "left_on"),
        ({"to": "withdrawn", "withdrawal_reason": "x"}, "left_on"),
        ({"to": "withdrawn", "left_on": "2018-02-01"}, "withdrawal_reason"),
        (
            {"to": "withdrawn", "left_on": "2018-02-01", "withdrawal_reason": " "},
            "withdrawal_reason",
        ),
        ({"to": "transferred", "left_on": "2017-12-06"}, "left_on"),
        ({"to": "transferred", "left_on": "2999-01-01"}, "left_on"),
    ],
)
def test_what_leaving_needs(
    call: Call, world: World, session: Session, body: dict[str, Any], field: str
) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    refused = _move(facilitator, made, **body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == f"#/{field}"
    assert facilitator.ok(f"/participants/{made['id']}")["status"] == "enrolled"


def test_a_stale_if_match_is_refused(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    path = f"/participants/{made['id']}/transitions"
    stale = facilitator.post(path, {"to": "active"}, **{"If-Match": '"7"'})
    assert stale.status_code == 412


def test_joining_after_leaving(call: Call, world: World, session: Session) -> None:
    facilitator = call(world.facilitator)
    made = enrol(facilitator, session, world.programme)
    _move(facilitator, made, to="transferred", left_on="2018-01-31")
    refused = facilitator.patch(f"/participants/{made['id']}", {"joined_on": "2018-02-01"})
    assert refused.json()["errors"][0]["code"] == "joined_after_leaving"


def test_leaving_ends_team_and_roles(call: Call, world: World, session: Session) -> None:
    admin, user = call(world.admin), make_user(session)
    made = enrol(admin, session, world.programme, user_id=str(user.id))
    member = _join(admin, made, world)
    assert _roles(session, user) == [(Role.MEMBER, date(2017, 12, 7), None)]
    left = _move(admin, made, to="transferred", left_on="2018-03-01")
    assert left.json()["team_id"] is None
    # The last day counts; the role's end is the first day without it.
    assert _roles(session, user) == [(Role.MEMBER, date(2017, 12, 7), date(2018, 3, 2))]
    ended = admin.ok(f"/team-members/{member['id']}")
    assert (ended["ends_on"], ended["is_live"]) == ("2018-03-02", False)
    assert admin.ok(f"/teams/{world.team.id}")["member_count"] == 0
    types = [event.type for event in session.exec(select(Event).order_by(col(Event.id)))]
    assert types[-2:] == ["participant.state_changed", "membership.ended"]


def test_archiving_takes_the_role_and_restoring_gives_it_back(
    call: Call, world: World, session: Session
) -> None:
    admin, user = call(world.admin), make_user(session)
    made = enrol(admin, session, world.programme, user_id=str(user.id))
    _join(admin, made, world, is_lead=True)
    today = utc_now().date()
    admin.delete(f"/participants/{made['id']}")
    assert _roles(session, user) == [(Role.TEAM_LEAD, date(2017, 12, 7), today)]
    assert call(user).get(f"/programmes/{world.programme.id}").status_code == 404
    assert admin.ok(f"/teams/{world.team.id}")["member_count"] == 0
    back = admin.post(f"/participants/{made['id']}/restore").json()
    assert back["team_id"] == str(world.team.id)
    assert _roles(session, user)[1:] == [(Role.TEAM_LEAD, today, None)]
    assert call(user).get(f"/programmes/{world.programme.id}").status_code == 200
    assert admin.ok(f"/teams/{world.team.id}")["member_count"] == 1


def test_linking_an_account_later_gives_the_role(
    call: Call, world: World, session: Session
) -> None:
    admin, first, second = call(world.admin), make_user(session), make_user(session)
    made = enrol(admin, session, world.programme)
    _join(admin, made, world, is_lead=True)
    path, today = f"/participants/{made['id']}", utc_now().date()
    assert admin.patch(path, {"user_id": str(first.id)}).json()["user_id"] == str(first.id)
    assert _roles(session, first) == [(Role.TEAM_LEAD, today, None)]
    admin.patch(path, {"user_id": str(second.id)})
    assert _roles(session, first) == [(Role.TEAM_LEAD, today, today)]
    assert _roles(session, second) == [(Role.TEAM_LEAD, today, None)]
    admin.patch(path, {"user_id": None})
    assert _roles(session, second) == [(Role.TEAM_LEAD, today, today)]


def test_linking_a_person_who_is_enrolled_elsewhere(
    call: Call, world: World, session: Session
) -> None:
    admin, user = call(world.admin), make_user(session)
    made = enrol(admin, session, world.programme, email="both@example.org")
    _join(admin, made, world)
    enrol(admin, session, world.other_programme, email="both@example.org", user_id=str(user.id))
    assert [role for role, _, _ in _roles(session, user)] == [Role.MEMBER]
    assert admin.ok(f"/participants/{made['id']}")["user_id"] == str(user.id)


def test_who_may_link_accounts(call: Call, world: World, session: Session) -> None:
    facilitator, admin = call(world.facilitator), call(world.admin)
    user = make_user(session)
    path = f"/programmes/{world.programme.id}/participants"
    body = participant_body(session, user_id=str(user.id))
    assert facilitator.post(path, body).status_code == 403
    made = enrol(facilitator, session, world.programme)
    one = f"/participants/{made['id']}"
    assert facilitator.patch(one, {"user_id": str(user.id)}).status_code == 403
    unknown = admin.patch(one, {"user_id": str(world.programme.id)})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "reference_not_found")
    assert admin.patch(one, {"user_id": str(user.id)}).status_code == 200
    assert facilitator.patch(one, {"user_id": None}).status_code == 403
    assert facilitator.patch(one, {"role": "hca"}).status_code == 200
    other = enrol(facilitator, session, world.programme)
    taken = admin.patch(f"/participants/{other['id']}", {"user_id": str(user.id)})
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "#/user_id")
    elsewhere = participant_body(session, email=made["email"], user_id=str(make_user(session).id))
    linked = admin.post(f"/programmes/{world.other_programme.id}/participants", elsewhere)
    assert (linked.status_code, linked.json()["code"]) == (409, "already_exists")


def test_left_on_may_be_today(call: Call, world: World, session: Session) -> None:
    admin = call(world.admin)
    today = utc_now().date()
    world.programme.ends_on = today + timedelta(days=30)
    session.commit()
    made = enrol(admin, session, world.programme)
    left = _move(admin, made, to="transferred", left_on=today.isoformat())
    assert left.status_code == 200, left.text
