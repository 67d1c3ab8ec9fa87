"""Events as an audit trail: written with the change, rolled back with it, never altered by us."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlmodel import Session, select

from app.events.models import Event
from app.events.queries import list_history
from app.events.schemas import EventRead, HistoryQuery
from app.kit.pagination import Pager
from app.main import OpenQI
from tests.builders import make_programme
from tests.calling import Caller
from tests.world import World

PASSWORD = "four quiet herons wading"


def _busy_day(call: Callable[..., Caller], world: World) -> None:
    """One of every write of users, roles, logins and tokens."""
    admin = call(world.admin)
    body = {"email": "ada@example.org", "display_name": "Ada Example", "password": PASSWORD}
    ada = admin.create("/users", body)
    path = f"/users/{ada['id']}"
    form = {"username": "ada@example.org", "password": PASSWORD}
    hers = Caller(
        admin.client, admin.client.post("/api/v1/auth/token", data=form).json()["access_token"]
    )
    grant = {
        "user_id": ada["id"],
        "role": "observer",
        "programme_id": str(world.programme.id),
    }
    role = admin.create("/memberships", grant)
    token = hers.with_token("programme:read")
    assert token.get(f"/programmes/{world.programme.id}").status_code == 200
    change = {"current_password": PASSWORD, "new_password": "eleven patient otters at dusk"}
    answers = [
        admin.patch(path, {"display_name": "Ada Sample"}),
        hers.post("/me/password", change),
        admin.post(f"/memberships/{role['id']}/end", {}),
        hers.post("/auth/logout"),
        admin.post(f"{path}/password", {"password": PASSWORD}),
        admin.post(f"{path}/transitions", {"to": "disabled"}),
        admin.delete(f"{path}/tokens"),
    ]
    assert all(answer.is_success for answer in answers), [answer.text for answer in answers]


def test_every_write_is_told_once_with_its_actor_and_request(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    _busy_day(call, world)
    events = session.exec(select(Event)).all()
    assert sorted(told.type for told in events) == [
        "login_session.created",
        "login_session.ended",
        "membership.created",
        "membership.ended",
        "personal_token.created",
        "personal_token.ended",
        "user.created",
        "user.password_changed",
        "user.password_changed",
        "user.state_changed",
        "user.updated",
    ]
    for told in events:
        assert told.actor_id is not None, told.type
        assert told.request_id, told.type
        for secret in (PASSWORD, "argon2", "qipat_", "ada@", "Ada "):
            assert secret not in told.payload + str(told.changes), told.type


def test_events_are_only_ever_inserted(
    call: Callable[..., Caller], world: World, connection: Connection
) -> None:
    statements: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
    _busy_day(call, world)
    words = [text.replace('"', "").split() for text in statements]
    assert any(found[:3] == ["INSERT", "INTO", "event"] for found in words)
    assert [found for found in words if found[:2] == ["UPDATE", "event"]] == []
    assert [found for found in words if found[:3] == ["DELETE", "FROM", "event"]] == []


def test_no_route_writes_events(app: OpenQI) -> None:
    writes = [
        (method, path)
        for path, item in app.openapi()["paths"].items()
        for method in item
        if ("event" in path or "history" in path) and method != "get"
    ]
    # What another platform says is a message to be read, not a line of the trail.
    assert writes == [("post", "/api/v1/integrations/{integration_id}/events")]


def test_a_refused_write_leaves_no_event(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    admin = call(world.admin)
    taken = {"email": world.member.email, "display_name": "Twin", "password": PASSWORD}
    assert admin.post("/users", taken).status_code == 409
    assert admin.patch(f"/users/{world.member.id}", {"display_name": "x"}, '"9"').status_code == 412
    assert session.exec(select(Event)).all() == []


def test_a_write_that_changes_nothing_leaves_no_event(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    same = {"display_name": world.member.display_name}
    assert call(world.admin).patch(f"/users/{world.member.id}", same).json()["revision"] == 1
    assert session.exec(select(Event)).all() == []


@pytest.fixture
def pager() -> Pager:
    return Pager(secret=b"x" * 32, binding=lambda: "test", link=lambda _cursor: None)


def test_a_history_tells_one_resource_latest_first(
    call: Callable[..., Caller], world: World, session: Session, pager: Pager
) -> None:
    admin = call(world.admin)
    path = f"/programmes/{world.programme.id}"
    for capacity in (3, 4, 5):
        assert admin.patch(path, {"capacity": capacity}).status_code == 200
    assert admin.patch(f"/programmes/{make_programme(session).id}", {"capacity": 9}).is_success

    def history(**query: object) -> list[EventRead]:
        page = list_history(
            session,
            resource_id=world.programme.id,
            query=HistoryQuery.model_validate(query),
            pager=pager,
        )
        cursors.append(page.next_cursor)
        return [EventRead.model_validate(item) for item in page.items]

    cursors: list[str | None] = []
    assert [told.changes["capacity"][1] for told in history()] == [5, 4, 3]
    assert [told.changes["capacity"] for told in history(sort="created_at", limit=2)] == [
        [None, 3],
        [3, 4],
    ]
    (last,) = history(sort="created_at", limit=2, cursor=cursors[-1])
    assert (last.type, last.revision, last.actor_id) == ("programme.updated", 4, world.admin.id)


def test_the_parts_of_a_resource_stand_in_its_history(session: Session, pager: Pager) -> None:
    whole, part = make_programme(session).id, make_programme(session).id
    values: dict[str, Any] = {
        "type": "data_point.recorded",
        "resource_type": "data_point",
        "resource_id": part,
        "revision": 1,
        "payload": "{}",
        "created_at": make_programme(session).created_at,
    }
    session.add(Event(parent_id=whole, **values))
    session.commit()
    for resource_id in (whole, part):
        page = list_history(session, resource_id=resource_id, query=HistoryQuery(), pager=pager)
        assert [told.resource_id for told in page.items] == [part]
