"""Who may read and write participants, and who sees their contact fields."""

from collections.abc import Callable

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.participants.models import Enrolment, Person
from app.programmes.models import Programme
from app.teams.models import Team
from tests.builders import make_participant
from tests.calling import Caller
from tests.participants.enrolling import participant_body
from tests.world import World

Call = Callable[..., Caller]
WRITERS = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR}
BLIND = {Role.COMMISSIONER, Role.INTEGRATION}


def _with_contact(session: Session, programme: Programme, team: Team | None = None) -> Enrolment:
    row = make_participant(session, programme=programme, team=team)
    person = session.get_one(Person, row.person_id)
    person.professional_id = "0000000"
    session.commit()
    return row


@pytest.mark.parametrize("role", list(Role))
def test_reading(call: Call, world: World, session: Session, role: Role) -> None:
    caller = call(world.people[role])
    row = make_participant(session, programme=world.programme)
    foreign = make_participant(session, programme=world.other_programme)
    listed = caller.get(f"/programmes/{world.programme.id}/participants")
    assert listed.status_code == (403 if role in BLIND else 200)
    one = caller.get(f"/participants/{row.id}")
    assert one.status_code == (404 if role in BLIND else 200)
    summary = caller.get(f"/programmes/{world.programme.id}/participants/summary")
    assert summary.status_code == 200
    assert "Sample" not in summary.text
    is_admin = role is Role.PLATFORM_ADMIN
    for path in (f"/programmes/{world.other_programme.id}/participants",):
        assert caller.get(path).status_code == (200 if is_admin else 404)
        assert caller.get(f"{path}/summary").status_code == (200 if is_admin else 404)
    assert caller.get(f"/participants/{foreign.id}").status_code == (200 if is_admin else 404)


@pytest.mark.parametrize("role", list(Role))
def test_writing(call: Call, world: World, session: Session, role: Role) -> None:
    caller = call(world.people[role])
    row = make_participant(session, programme=world.programme, team=world.team)
    path = f"/participants/{row.id}"
    refusal = 404 if role in BLIND else 403
    body = participant_body(session)
    may = role in WRITERS
    made = caller.post(f"/programmes/{world.programme.id}/participants", body)
    assert made.status_code == (201 if may else 403)
    assert caller.patch(path, {"role": "hca"}).status_code == (200 if may else refusal)
    step = caller.post(f"{path}/transitions", {"to": "active"})
    assert step.status_code == (200 if may else refusal)
    assert caller.delete(path).status_code == (204 if may else refusal)
    assert caller.post(f"{path}/restore").status_code == (200 if may else refusal)


@pytest.mark.parametrize("role", sorted(set(Role) - BLIND))
def test_contact_fields(call: Call, world: World, session: Session, role: Role) -> None:
    caller = call(world.people[role])
    ours = _with_contact(session, world.programme, world.team)
    theirs = _with_contact(session, world.programme, world.other_team)
    everywhere, own_team = WRITERS, WRITERS | {Role.COACH, Role.TEAM_LEAD}
    for row, allowed in ((ours, own_team), (theirs, everywhere)):
        one = caller.ok(f"/participants/{row.id}")
        listed = caller.ok(f"/programmes/{world.programme.id}/participants")["items"]
        assert one in listed
        assert one["contact_visible"] is (role in allowed)
        shown = {one["email"] is not None, one["professional_id"] is not None}
        assert shown == {role in allowed}


def test_your_own_contact_fields(call: Call, world: World, session: Session) -> None:
    row = _with_contact(session, world.programme, world.other_team)
    person = session.get_one(Person, row.person_id)
    person.user_id = world.member.id
    session.commit()
    own = call(world.member).ok(f"/participants/{row.id}")
    assert own["contact_visible"] is True
    assert own["email"] == person.email


def test_why_somebody_withdrew_is_not_for_all(call: Call, world: World, session: Session) -> None:
    row = make_participant(session, programme=world.programme)
    path = f"/participants/{row.id}"
    body = {"to": "withdrawn", "left_on": "2018-02-01", "withdrawal_reason": "Invented."}
    left = call(world.facilitator).post(f"{path}/transitions", body)
    assert left.json()["withdrawal_reason"] == "Invented."
    assert call(world.member).ok(path)["withdrawal_reason"] is None


def test_unknown_ids(call: Call, world: World) -> None:
    admin = call(world.admin)
    assert admin.get(f"/participants/{world.team.id}").status_code == 404
    assert admin.get(f"/programmes/{world.team.id}/participants").status_code == 404
    assert admin.get("/participants/summary").status_code == 422
