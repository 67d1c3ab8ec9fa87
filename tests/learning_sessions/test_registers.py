"""The register over HTTP: one call records all of it, or nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from app.access.permissions import Role
from app.events.models import Event
from app.learning_sessions.models import Attendance, LearningSession, SessionStatus
from app.main import OpenQI
from app.participants.models import Enrolment
from tests.builders import make_participant, make_session
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def held(session: Session, world: World) -> LearningSession:
    """A session that was held on 7 December 2017."""
    return make_session(session, programme=world.programme, status=SessionStatus.HELD)


@pytest.fixture
def people(session: Session, world: World) -> list[Enrolment]:
    """Two from the launch, one of them in a team, and one who came in January."""
    return [
        make_participant(session, programme=world.programme, team=world.team),
        make_participant(session, programme=world.programme),
        make_participant(session, programme=world.programme, joined_on=date(2018, 1, 18)),
    ]


def _item(row: Enrolment, status: str = "present", **more: Any) -> dict[str, Any]:
    return {"participant_id": str(row.id), "status": status, **more}


def _statuses(register: dict[str, Any]) -> list[str]:
    return [line["status"] for line in register["items"]]


def _path(row: LearningSession) -> str:
    return f"/sessions/{row.id}/attendance"


def test_record_and_replace(
    call: Call, world: World, session: Session, held: LearningSession, people: list[Enrolment]
) -> None:
    facilitator, path = call(world.facilitator), _path(held)
    empty = facilitator.get(path)
    assert empty.status_code == 200
    assert empty.headers["ETag"].startswith('"0-')
    assert _statuses(empty.json()) == ["not_recorded", "not_recorded", "not_applicable"]
    assert empty.json()["session_on"] == "2017-12-07"

    first = facilitator.put(
        path, {"items": [_item(people[0], minutes_attended=200), _item(people[1], "late")]}
    )
    assert first.status_code == 200, first.text
    assert first.headers["ETag"] == '"1"'
    assert _statuses(first.json()) == ["present", "late", "not_applicable"]
    line = first.json()["items"][0]
    assert (line["minutes_attended"], line["method"]) == (200, "facilitator")
    assert line["recorded_at"] is not None
    assert facilitator.ok(path) == first.json()

    second = {"items": [_item(people[0], minutes_attended=100, method="qr")]}
    assert facilitator.put(path, second).status_code == 428
    assert facilitator.put(path, second, **{"If-Match": '"0"'}).status_code == 412
    replaced = facilitator.put(path, second, **{"If-Match": '"1"'})
    assert _statuses(replaced.json()) == ["present", "not_recorded", "not_applicable"]
    assert replaced.headers["ETag"] == '"2"'
    unchanged = facilitator.put(path, second, **{"If-Match": '"2"'})
    assert unchanged.headers["ETag"] == '"2"'

    events = session.exec(select(Event).where(Event.type == "attendance.recorded")).all()
    assert [event.revision for event in events] == [1, 2]
    assert '"counts":{"late":1,"present":1}' in events[0].payload
    assert "Sample" not in events[0].payload
    changes = events[1].changes
    assert changes[str(people[1].id)][1] is None
    assert changes[str(people[0].id)][0]["minutes_attended"] == 200
    assert changes[str(people[0].id)][1]["method"] == "qr"
    assert facilitator.ok(f"/sessions/{held.id}")["register_revision"] == 2


def test_all_faults_at_once_and_nothing_written(
    call: Call, world: World, session: Session, held: LearningSession, people: list[Enrolment]
) -> None:
    foreign = make_participant(session, programme=world.other_programme)
    elsewhere = make_session(session, programme=world.other_programme)
    items = [
        _item(people[0]),
        _item(people[1], "not_applicable"),
        _item(people[2], "absent"),
        _item(foreign),
        _item(people[0]),
        _item(people[1], make_up_of=str(elsewhere.id)),
    ]
    refused = call(world.facilitator).put(_path(held), {"items": items})
    assert (refused.status_code, refused.json()["code"]) == (422, "validation_failed")
    found = {(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]}
    assert found == {
        ("#/items/1/status", "attendance_not_applicable"),
        ("#/items/2/status", "attendance_not_applicable"),
        ("#/items/3/participant_id", "reference_not_found"),
        ("#/items/4/participant_id", "duplicate_participant"),
        ("#/items/5/make_up_of", "reference_not_found"),
        ("#/items/5/participant_id", "duplicate_participant"),
    }
    assert session.exec(select(Attendance)).all() == []


@pytest.mark.parametrize(
    ("index", "status", "code"),
    [
        (2, "present", "attendance_not_applicable"),
        (0, "not_applicable", "attendance_not_applicable"),
    ],
)
def test_one_kind_of_fault_gives_its_code(
    call: Call,
    world: World,
    held: LearningSession,
    people: list[Enrolment],
    index: int,
    status: str,
    code: str,
) -> None:
    body = {"items": [_item(people[index], status)]}
    refused = call(world.facilitator).put(_path(held), body)
    assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_absence_needs_a_day(
    app: OpenQI, call: Call, world: World, held: LearningSession, people: list[Enrolment]
) -> None:
    facilitator, body = call(world.facilitator), {"items": [_item(people[0], "absent")]}
    app.state.clock = lambda: datetime(2017, 12, 8, 16, 59, tzinfo=UTC)
    early = facilitator.put(_path(held), body)
    assert (early.status_code, early.json()["code"]) == (422, "absent_too_early")
    assert early.json()["errors"][0]["pointer"] == "#/items/0/status"
    app.state.clock = lambda: datetime(2017, 12, 8, 17, 0, tzinfo=UTC)
    assert facilitator.put(_path(held), body).status_code == 200


def test_cancelled_and_undated_sessions(
    call: Call, world: World, session: Session, people: list[Enrolment]
) -> None:
    facilitator = call(world.facilitator)
    cancelled = make_session(session, programme=world.programme, status=SessionStatus.CANCELLED)
    assert set(_statuses(facilitator.ok(_path(cancelled)))) == {"not_applicable"}
    refused = facilitator.put(_path(cancelled), {"items": [_item(people[0])]})
    assert refused.json()["code"] == "attendance_not_applicable"
    undated = make_session(session, programme=world.programme, starts_at=None, ends_at=None)
    refused = facilitator.put(_path(undated), {"items": []})
    assert (refused.status_code, refused.json()["code"]) == (409, "session_not_dated")
    facilitator.delete(f"/sessions/{undated.id}")
    assert facilitator.put(_path(undated), {"items": []}).json()["code"] == "archived"


def test_dates_that_move_later_outweigh_what_is_stored(
    call: Call, world: World, session: Session, held: LearningSession, people: list[Enrolment]
) -> None:
    facilitator, path = call(world.facilitator), _path(held)
    body = {"items": [_item(people[0], "absent"), _item(people[1], "absent")]}
    assert facilitator.put(path, body).status_code == 200
    facilitator.patch(f"/participants/{people[0].id}", {"joined_on": "2017-12-08"})
    assert _statuses(facilitator.ok(path))[0] == "not_applicable"
    assert facilitator.ok(path)["items"][0]["recorded_at"] is None
    assert facilitator.ok(f"/participants/{people[0].id}/attendance")["eligible"] == 0
    again = facilitator.put(path, {"items": body["items"][1:]}, **{"If-Match": '"1"'})
    assert again.status_code == 200
    session.expire_all()
    assert [row.enrolment_id for row in session.exec(select(Attendance))] == [people[1].id]


def test_who_left_and_who_is_archived(
    call: Call, world: World, session: Session, held: LearningSession, people: list[Enrolment]
) -> None:
    facilitator, path = call(world.facilitator), _path(held)
    facilitator.put(path, {"items": [_item(row) for row in people[:2]]})
    left = {"to": "transferred", "left_on": "2017-12-07"}
    facilitator.post(f"/participants/{people[0].id}/transitions", left)
    assert _statuses(facilitator.ok(path))[0] == "present"
    after = make_session(
        session,
        programme=world.programme,
        starts_at=datetime(2017, 12, 8, 13, tzinfo=UTC),
        ends_at=datetime(2017, 12, 8, 17, tzinfo=UTC),
    )
    assert _statuses(facilitator.ok(_path(after)))[0] == "not_applicable"
    facilitator.delete(f"/participants/{people[1].id}")
    assert len(facilitator.ok(path)["items"]) == 2
    refused = facilitator.put(path, {"items": [_item(people[1])]}, **{"If-Match": '"1"'})
    assert refused.json()["code"] == "reference_not_found"
    facilitator.put(path, {"items": []}, **{"If-Match": '"1"'})
    facilitator.post(f"/participants/{people[1].id}/restore")
    assert _statuses(facilitator.ok(path))[:2] == ["not_recorded", "present"]


def test_the_day_is_that_of_the_programmes_time_zone(
    call: Call, world: World, session: Session
) -> None:
    world.programme.timezone = "Pacific/Auckland"
    session.commit()
    make_participant(session, programme=world.programme, joined_on=date(2017, 12, 8))
    row = make_session(session, programme=world.programme)  # 13:00 UTC is the next day there
    register = call(world.facilitator).ok(_path(row))
    assert register["session_on"] == "2017-12-08"
    assert _statuses(register) == ["not_recorded"]


@pytest.mark.parametrize("role", list(Role))
def test_who_may(
    call: Call,
    world: World,
    held: LearningSession,
    people: list[Enrolment],
    role: Role,
) -> None:
    caller, path = call(world.people[role]), _path(held)
    own_team = {Role.TEAM_LEAD, Role.MEMBER}
    blind = {Role.COMMISSIONER, Role.INTEGRATION}
    reports = (path, f"/programmes/{world.programme.id}/attendance")
    for report in reports:
        answer = caller.get(report)
        assert answer.status_code == (403 if role in blind else 200)
        if role not in blind:
            seen = [line["participant_id"] for line in answer.json()["items"]]
            assert len(seen) == (1 if role in own_team else 3)
            assert str(people[0].id) in seen
    recorded = caller.put(path, {"items": [_item(people[0])]})
    may = role in {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR}
    assert recorded.status_code == (200 if may else 403)
    mine = caller.get(f"/participants/{people[0].id}/attendance")
    assert mine.status_code == (404 if role in blind else 200)
    theirs = caller.get(f"/participants/{people[1].id}/attendance")
    assert theirs.status_code == (404 if role in blind else 403 if role in own_team else 200)


def test_other_programmes_are_invisible(call: Call, world: World, session: Session) -> None:
    foreign = make_session(session, programme=world.other_programme)
    facilitator = call(world.facilitator)
    assert facilitator.get(_path(foreign)).status_code == 404
    assert facilitator.put(_path(foreign), {"items": []}).status_code == 404
    path = f"/programmes/{world.other_programme.id}/attendance"
    assert facilitator.get(path).status_code == 404


@pytest.mark.parametrize(
    "item", [{"minutes_attended": 1.5}, {"minutes_attended": -1}, {"status": "asleep"}, {"x": 1}]
)
def test_bad_items_are_422(
    call: Call, world: World, held: LearningSession, people: list[Enrolment], item: dict[str, Any]
) -> None:
    body = {"items": [_item(people[0]) | item]}
    refused = call(world.facilitator).put(_path(held), body)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == f"#/items/0/{next(iter(item))}"


def test_registers_cost_the_same_for_one_and_for_many(
    call: Call,
    world: World,
    session: Session,
    held: LearningSession,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    caller = call(world.facilitator)
    row = make_participant(session, programme=world.programme)
    paths = (
        _path(held),
        f"/programmes/{world.programme.id}/attendance",
        f"/participants/{row.id}/attendance",
    )
    costs = []
    for _turn in range(2):
        with count_queries() as statements:
            for path in paths:
                caller.ok(path)
        costs.append(len(statements))
        for _ in range(3):
            make_participant(session, programme=world.programme)
            make_session(session, programme=world.programme)
        session.expire_all()
    assert costs[0] == costs[1] <= 14
