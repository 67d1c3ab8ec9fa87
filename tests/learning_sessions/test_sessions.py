"""Sessions over HTTP: plan, date, move on, and the programme's first day."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.main import OpenQI
from tests.builders import make_programme, make_session
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]
BODY = {"title": "Aims", "starts_at": "2018-01-09T13:30:00Z", "ends_at": "2018-01-09T17:00:00Z"}


def _times(day: str, start: str = "13:30", end: str = "17:00") -> dict[str, str]:
    return {"starts_at": f"{day}T{start}:00Z", "ends_at": f"{day}T{end}:00Z"}


def _move(caller: Caller, made: dict[str, Any], to: str, **more: Any) -> Any:
    return caller.post(f"/sessions/{made['id']}/transitions", {"to": to, **more})


@pytest.fixture
def parent(world: World) -> str:
    return f"/programmes/{world.programme.id}/sessions"


def test_life(call: Call, world: World, session: Session, parent: str) -> None:
    facilitator = call(world.facilitator)
    response = facilitator.post(parent, BODY)
    assert response.status_code == 201, response.text
    made, path = response.json(), response.headers["Location"]
    assert path == f"/api/v1/sessions/{made['id']}"
    assert (made["number"], made["status"], made["duration_minutes"]) == (1, "planned", 210)
    assert facilitator.ok(path) == made
    assert facilitator("PATCH", path, json={"title": "X"}).status_code == 428
    changed = facilitator.patch(path, {"venue": "Library", "faculty": ["Dr Fictional"]}, '"1"')
    assert changed.json().items() >= {"venue": "Library", "faculty": ["Dr Fictional"]}.items()
    assert changed.headers["ETag"] == '"2"'
    assert facilitator.delete(path).status_code == 204
    assert facilitator.delete(path).status_code == 204
    assert facilitator.patch(path, {"title": "X"}).json()["code"] == "archived"
    assert _move(facilitator, made, "confirmed").json()["code"] == "archived"
    assert facilitator.ok(parent)["items"] == []
    assert facilitator.post(f"{path}/restore").json()["archived_at"] is None
    statement = select(Event).where(Event.resource_type == "session").order_by(col(Event.id))
    assert [event.type for event in session.exec(statement)] == [
        "session.created",
        "session.updated",
        "session.archived",
        "session.restored",
    ]


def test_numbers(call: Call, world: World, parent: str) -> None:
    admin = call(world.admin)
    assert admin.create(parent, {"title": "Fifth", "number": 5})["number"] == 5
    sixth = admin.create(parent, {"title": "Sixth"})
    assert (sixth["number"], sixth["starts_at"], sixth["duration_minutes"]) == (6, None, None)
    taken = admin.post(parent, {"title": "Again", "number": 5})
    assert (taken.status_code, taken.json()["errors"][0]["pointer"]) == (409, "#/number")
    assert admin.patch(f"/sessions/{sixth['id']}", {"number": 5}).status_code == 409
    assert admin.patch(f"/sessions/{sixth['id']}", {"number": 1}).json()["number"] == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (_times("2018-01-09", "13:30", "13:59"), "ends_at"),
        (_times("2018-01-09", "13:30", "12:00"), "ends_at"),
        (_times("2018-01-09", "01:00", "13:01"), "ends_at"),
        ({"starts_at": "2018-01-09T13:30:00Z"}, "ends_at"),
        ({"ends_at": "2018-01-09T13:30:00Z"}, "ends_at"),
        ({"starts_at": "2018-01-09T13:30:00"}, "starts_at"),
        ({"starts_at": 1515504600}, "starts_at"),
        ({"starts_at": "9999-12-31T23:00:00Z"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "starts_at"),
        ({"number": 0}, "number"),
        ({"number": 99_999_999_999}, "number"),
        ({"title": "\x00"}, "title"),
        ({"url": "javascript:alert(1)"}, "url"),
        ({"status": "held"}, "status"),
    ],
)
def test_bad_fields_are_422(
    call: Call, world: World, parent: str, body: dict[str, Any], field: str
) -> None:
    refused = call(world.admin).post(parent, {"title": "T"} | body)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["pointer"] == f"#/{field}"


def test_a_patch_is_checked_as_a_whole(call: Call, world: World, parent: str) -> None:
    admin = call(world.admin)
    made = admin.create(parent, BODY)
    refused = admin.patch(f"/sessions/{made['id']}", {"starts_at": "2018-01-09T16:45:00Z"})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "#/ends_at"


def test_no_overlap_within_a_programme(call: Call, world: World, parent: str) -> None:
    admin = call(world.admin)
    first = admin.create(parent, BODY)
    inside = {"title": "T", **_times("2018-01-09", "16:00", "18:00")}
    refused = admin.post(parent, inside)
    assert (refused.status_code, refused.json()["code"]) == (409, "session_overlap")
    after = admin.create(parent, {"title": "T", **_times("2018-01-09", "17:00", "18:00")})
    moved = admin.patch(f"/sessions/{after['id']}", {"starts_at": "2018-01-09T16:59:00Z"})
    assert moved.json()["code"] == "session_overlap"
    assert admin.post(f"/programmes/{world.other_programme.id}/sessions", BODY).status_code == 201
    _move(admin, after, "cancelled", reason="Snow")
    assert _move(admin, first, "confirmed").status_code == 200
    admin.delete(f"/sessions/{first['id']}")
    admin.create(parent, inside)
    assert admin.post(f"/sessions/{first['id']}/restore").json()["code"] == "session_overlap"


def test_the_steps(app: OpenQI, call: Call, world: World, session: Session, parent: str) -> None:
    admin = call(world.admin)
    made = admin.create(parent, BODY)
    refused = _move(admin, made, "held")
    assert (refused.status_code, refused.json()["code"]) == (409, "invalid_state_transition")
    assert refused.json()["allowed"] == ["cancelled", "confirmed", "rescheduled"]
    assert _move(admin, made, "confirmed").json()["status"] == "confirmed"
    assert _move(admin, made, "rescheduled", reason="Flu").json()["status"] == "rescheduled"
    app.state.clock = lambda: datetime(2018, 1, 9, 13, 29, tzinfo=UTC)
    early = _move(admin, made, "held")
    assert (early.status_code, early.json()["code"]) == (409, "transition_blocked")
    assert early.json()["missing"] == ["starts_at in the past"]
    app.state.clock = lambda: datetime(2018, 1, 9, 13, 30, tzinfo=UTC)
    held = _move(admin, made, "held")
    assert (held.json()["status"], held.json()["revision"]) == ("held", 5 - 1)
    assert _move(admin, made, "cancelled", reason="x").json()["allowed"] == []
    later = admin.patch(f"/sessions/{made['id']}", _times("2018-02-09"))
    assert later.json()["errors"][0]["code"] == "held_in_future"
    events = session.exec(select(Event).where(Event.type == "session.state_changed")).all()
    assert len(events) == 3
    assert '"from":"rescheduled","to":"held"' in events[-1].payload


def test_an_undated_session_cannot_have_been_held(call: Call, world: World, parent: str) -> None:
    admin = call(world.admin)
    made = admin.create(parent, {"title": "Some day"})
    _move(admin, made, "confirmed")
    assert _move(admin, made, "held").json()["missing"] == ["starts_at"]


def test_cancelling_needs_a_reason(call: Call, world: World, parent: str) -> None:
    admin = call(world.admin)
    made = admin.create(parent, BODY)
    refused = _move(admin, made, "cancelled")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "#/reason")
    stale = admin.post(
        f"/sessions/{made['id']}/transitions", {"to": "confirmed"}, **{"If-Match": '"9"'}
    )
    assert stale.status_code == 412
    done = _move(admin, made, "cancelled", reason="Snow closed the venue.")
    assert (done.json()["status"], done.json()["cancel_reason"]) == (
        "cancelled",
        "Snow closed the venue.",
    )


def test_the_programmes_first_day(call: Call, world: World, parent: str) -> None:
    admin, path = call(world.admin), f"/programmes/{world.programme.id}"

    def first() -> tuple[str | None, int]:
        programme = admin.ok(path)
        return programme["first_session_on"], programme["revision"]

    later = admin.create(parent, BODY)
    assert first() == ("2018-01-09", 2)
    admin.create(parent, {"title": "Undated"})
    assert first() == ("2018-01-09", 2)
    earlier = admin.create(parent, {"title": "T", **_times("2017-12-07")})
    assert first() == ("2017-12-07", 3)
    admin.patch(f"/sessions/{earlier['id']}", {"title": "Launch"})
    assert first() == ("2017-12-07", 3)
    admin.patch(f"/sessions/{earlier['id']}", _times("2017-12-14"))
    assert first() == ("2017-12-14", 4)
    _move(admin, earlier, "cancelled", reason="Snow")
    assert first() == ("2018-01-09", 5)
    admin.delete(f"/sessions/{later['id']}")
    assert first() == (None, 6)
    admin.post(f"/sessions/{later['id']}/restore")
    assert first() == ("2018-01-09", 7)


def test_the_first_day_is_that_of_the_programmes_time_zone(
    call: Call, world: World, session: Session
) -> None:
    admin = call(world.admin)
    far = make_programme(session, timezone="Pacific/Auckland")
    admin.create(f"/programmes/{far.id}/sessions", BODY)
    assert admin.ok(f"/programmes/{far.id}")["first_session_on"] == "2018-01-10"


def test_filters_and_sorts(call: Call, world: World, session: Session, parent: str) -> None:
    admin = call(world.admin)
    admin.create(parent, BODY | {"kind": "coaching"})
    admin.create(parent, {"title": "Undated"})
    confirmed = admin.create(parent, {"title": "Second", **_times("2018-02-01")})
    _move(admin, confirmed, "confirmed")
    cases: list[tuple[dict[str, str], list[int]]] = [
        ({}, [1, 2, 3]),
        ({"sort": "-starts_at"}, [3, 1, 2]),
        ({"kind": "coaching"}, [1]),
        ({"status": "confirmed"}, [3]),
        ({"q": "und"}, [2]),
        ({"starts_from": "2018-01-09T13:30:00Z", "starts_to": "2018-02-01T13:30:00Z"}, [1]),
        ({"archived": "true"}, []),
    ]
    for filters, numbers in cases:
        page = admin.ok(parent, with_total="true", **filters)
        assert [item["number"] for item in page["items"]] == numbers, filters
        assert page["total"] == len(numbers)
    assert admin.get(parent, starts_from="2018-01-09").status_code == 422
    assert admin.get(parent, sort="venue").status_code == 422


@pytest.mark.parametrize("role", list(Role))
def test_who_may(call: Call, world: World, session: Session, parent: str, role: Role) -> None:
    caller = call(world.people[role])
    may = role in {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR}
    path = f"/sessions/{make_session(session, programme=world.programme).id}"
    foreign = make_session(session, programme=world.other_programme)
    assert len(caller.ok(parent)["items"]) == 1
    assert caller.get(path).status_code == 200
    assert caller.post(parent, {"title": "T"}).status_code == (201 if may else 403)
    assert caller.patch(path, {"title": "T"}).status_code == (200 if may else 403)
    step = caller.post(f"{path}/transitions", {"to": "confirmed"})
    assert step.status_code == (200 if may else 403)
    assert caller.delete(path).status_code == (204 if may else 403)
    assert caller.post(f"{path}/restore").status_code == (200 if may else 403)
    is_admin = role is Role.PLATFORM_ADMIN
    assert caller.get(f"/sessions/{foreign.id}").status_code == (200 if is_admin else 404)


def test_an_archived_programme_is_frozen(
    call: Call, world: World, session: Session, parent: str
) -> None:
    admin = call(world.admin)
    row = make_session(session, programme=world.programme)
    path = f"/sessions/{row.id}"
    admin.delete(f"/programmes/{world.programme.id}")
    for answer in (
        admin.post(parent, BODY),
        admin.patch(path, {"title": "B"}),
        admin.post(f"{path}/transitions", {"to": "confirmed"}),
        admin.put(f"{path}/attendance", {"items": []}),
        admin.delete(path),
        admin.post(f"{path}/restore"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "archived")
