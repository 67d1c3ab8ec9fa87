"""People who can log in, as administrators see them."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlmodel import Session, select

from app.access.actor import Actor, Grant
from app.access.memberships.actions import LastPlatformAdmin
from app.access.permissions import Role
from app.access.users.actions import transition_user
from app.events.models import Event
from app.identity.models import UserState
from app.kit.clock import utc_now
from app.kit.ids import new_id
from tests.builders import make_organisation, make_user
from tests.calling import Caller
from tests.world import World

PASSWORD = "four quiet herons wading"
BODY = {"email": "Ada@Example.org", "display_name": " Ada Example ", "password": PASSWORD}


def _events(session: Session, kind: str) -> list[Event]:
    return list(session.exec(select(Event).where(Event.type == kind).order_by(Event.id)))  # type: ignore[arg-type]


def _log_in(caller: Caller, email: str, password: str = PASSWORD) -> int:
    form = {"username": email, "password": password}
    return caller.client.post("/api/v1/auth/token", data=form).status_code


def test_add_a_person(call: Callable[..., Caller], world: World, session: Session) -> None:
    admin = call(world.admin)
    answer = admin.post("/users", BODY, **{"X-Request-ID": "users-0001"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1/users/{made['id']}"
    assert answer.headers["ETag"] == '"1"'
    assert (made["email"], made["display_name"]) == ("ada@example.org", "Ada Example")
    assert (made["state"], made["disabled_at"]) == ("active", None)
    assert "password" not in answer.text
    assert admin.ok(f"/users/{made['id']}") == made
    assert _log_in(admin, "ada@example.org") == 200
    (told,) = _events(session, "user.created")
    assert (told.actor_id, told.request_id) == (world.admin.id, "users-0001")
    assert str(told.resource_id) == made["id"]
    assert "argon2" not in told.model_dump_json()
    assert "ada@" not in told.model_dump_json()
    assert "Ada" not in told.model_dump_json()


def test_an_address_is_unique_in_any_case(call: Callable[..., Caller], world: World) -> None:
    admin = call(world.admin)
    admin.create("/users", BODY)
    twin = admin.post("/users", BODY | {"email": "ADA@example.ORG"})
    assert (twin.status_code, twin.json()["code"]) == (409, "already_exists")
    assert twin.json()["errors"][0]["pointer"] == "#/email"
    renamed = admin.patch(f"/users/{world.member.id}", {"email": "ada@example.org"})
    assert renamed.status_code == 409


@pytest.mark.parametrize(
    ("over", "place"),
    [
        ({"email": "no address"}, "#/email"),
        ({"email": f"{'x' * 300}@example.org"}, "#/email"),
        ({"email": "a\x00b@example.org"}, "#/email"),
        ({"display_name": "  "}, "#/display_name"),
        ({"display_name": "x" * 201}, "#/display_name"),
        ({"display_name": "a\x00"}, "#/display_name"),
        ({"password": "hens"}, "#/password"),
        ({"password": "ada example 1"}, "#/password"),
        ({"password": None}, "#/password"),
        ({"role": "platform_admin"}, "#/role"),
        ({"id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"}, "#/id"),
    ],
)
def test_unfit_people(
    call: Callable[..., Caller], world: World, over: dict[str, Any], place: str
) -> None:
    answer = call(world.admin).post("/users", BODY | over)
    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [place]
    assert PASSWORD not in answer.text


def test_lists_are_searched_filtered_sorted_and_paged(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    admin = call(world.admin)
    for name in ("Zoe Example", "Yan Example"):
        make_user(session, display_name=name)
    gone = admin.create("/users", BODY)
    admin.post(f"/users/{gone['id']}/transitions", {"to": "disabled"})
    found = admin.ok("/users", q="example", sort="display_name", with_total=True)
    names = [user["display_name"] for user in found["items"]]
    assert names[0] == "Ada Example"
    assert {"Zoe Example", "Yan Example"} <= set(names)
    assert found["total"] == len(names)
    assert admin.ok("/users", q="zoe ex")["items"][0]["display_name"] == "Zoe Example"
    assert admin.ok("/users", q="%")["items"] == []
    (off,) = admin.ok("/users", is_active="false")["items"]
    assert (off["id"], off["state"]) == (gone["id"], "disabled")
    first = admin.ok("/users", limit=2, sort="-created_at")
    second = admin.ok("/users", limit=2, sort="-created_at", cursor=first["next_cursor"])
    assert len({user["id"] for page in (first, second) for user in page["items"]}) == 4
    assert admin.get("/users", sort="password_hash").status_code == 422
    assert admin.get("/users", q="\x00").status_code == 422
    assert admin.get("/users", updated_since="yesterday").status_code == 422


def test_a_list_costs_the_same_for_many(
    call: Callable[..., Caller], world: World, session: Session, connection: Connection
) -> None:
    admin = call(world.admin)
    statements: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))
    admin.ok("/users")
    few = len(statements)
    for _ in range(5):
        make_user(session)
    statements.clear()
    admin.ok("/users")
    assert len([text for text in statements if text.startswith("SELECT")]) <= few


def test_change_a_person(call: Callable[..., Caller], world: World, session: Session) -> None:
    admin, path = call(world.admin), f"/users/{world.member.id}"
    tag = admin.get(path).headers["ETag"]
    assert admin("PATCH", path, json={"display_name": "New"}).status_code == 428
    assert admin.patch(path, {"display_name": "New"}, '"9"').status_code == 412
    changed = admin.patch(path, {"display_name": "New", "email": "NEW@example.org"}, tag)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["display_name"], changed.json()["email"]) == ("New", "new@example.org")
    assert changed.headers["ETag"] == '"2"'
    assert admin.patch(path, {"display_name": "New"}, '"2"').json()["revision"] == 2
    for patch in ({"email": None}, {"state": "disabled"}, {"password": PASSWORD}):
        assert admin.patch(path, patch).status_code == 422
    (told,) = _events(session, "user.updated")
    assert told.changes == {name: ["[redacted]"] * 2 for name in ("email", "display_name")}
    assert "new" not in told.model_dump_json().lower()


def test_disabling_ends_everything_at_once(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    admin, member = call(world.admin), call(world.member)
    token = member.with_token("team:read")
    path = f"/users/{world.member.id}/transitions"
    off = admin.post(path, {"to": "disabled"})
    assert off.status_code == 200, off.text
    assert off.json()["state"] == "disabled"
    assert off.json()["disabled_at"] is not None
    assert member.get("/me").status_code == 401
    assert token.get("/me").status_code == 401
    twice = admin.post(path, {"to": "disabled"})
    assert (twice.status_code, twice.json()["code"]) == (409, "invalid_state_transition")
    assert twice.json()["allowed"] == ["active"]
    assert admin.post(path, {"to": "active"}).json()["state"] == "active"
    assert member.get("/me").status_code == 401
    assert token.get("/me").status_code == 200
    assert admin.post(path, {"to": "archived"}).status_code == 422
    told = _events(session, "user.state_changed")
    assert [list(item.changes) for item in told] == [["disabled_at"], ["disabled_at"]]
    assert [item.actor_id for item in told] == [world.admin.id] * 2
    assert len(_events(session, "login_session.ended")) == 1


def test_nobody_disables_themselves(call: Callable[..., Caller], world: World) -> None:
    own = call(world.admin).post(f"/users/{world.admin.id}/transitions", {"to": "disabled"})
    assert (own.status_code, own.json()["code"]) == (409, "own_account")


def test_the_last_administrator_cannot_be_disabled_by_one_who_was(
    world: World, session: Session
) -> None:
    """Two who disable each other at once: the second was let in before the first was through."""
    was = Actor(new_id(), "was@example.org", "Was Admin", (Grant(Role.PLATFORM_ADMIN, None, None),))
    with pytest.raises(LastPlatformAdmin):
        transition_user(
            session, actor=was, user_id=world.admin.id, to=UserState.DISABLED, now=utc_now()
        )


def test_set_somebodys_password(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    admin, member = call(world.admin), call(world.member)
    path = f"/users/{world.member.id}/password"
    answer = admin.post(path, {"password": PASSWORD})
    assert (answer.status_code, answer.content) == (204, b"")
    assert member.get("/me").status_code == 401
    assert _log_in(admin, world.member.email) == 200
    (told,) = _events(session, "user.password_changed")
    assert (told.actor_id, told.resource_id) == (world.admin.id, world.member.id)
    assert "argon2" not in told.model_dump_json()
    assert admin.post(path, {"password": "password12345"}).json()["code"] == "weak_password"
    own = admin.post(f"/users/{world.admin.id}/password", {"password": PASSWORD})
    assert (own.status_code, own.json()["code"]) == (409, "own_account")
    token = admin.with_token("admin").post(path, {"password": PASSWORD})
    assert (token.status_code, token.json()["code"]) == (403, "login_required")


@pytest.mark.parametrize("path", ["/users", "/users/{}/password"])
def test_routes_with_secrets_refuse_idempotency_keys(
    call: Callable[..., Caller], world: World, path: str
) -> None:
    answer = call(world.admin).post(
        path.format(world.member.id), BODY, **{"Idempotency-Key": "one"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_refused")


def test_unknown_people_are_404(call: Callable[..., Caller], world: World) -> None:
    admin, gone = call(world.admin), f"/users/{world.team.id}"
    answers = [
        admin.get(gone),
        admin.get(f"{gone}/memberships"),
        admin.patch(gone, {"display_name": "x"}),
        admin.post(f"{gone}/transitions", {"to": "disabled"}),
        admin.post(f"{gone}/password", {"password": PASSWORD}),
        admin.delete(f"{gone}/sessions"),
        admin.delete(f"{gone}/tokens"),
    ]
    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert admin.get("/users/1").status_code == 422


@pytest.mark.parametrize("role", set(Role) - {Role.PLATFORM_ADMIN})
def test_all_others_are_403(call: Callable[..., Caller], world: World, role: Role) -> None:
    other, path = call(world.people[role]), f"/users/{world.admin.id}"
    answers = [
        other.get("/users"),
        other.get(path),
        other.get(f"/users/{world.people[role].id}"),
        other.get(f"{path}/memberships"),
        other.post("/users", BODY),
        other.patch(path, {"display_name": "x"}),
        other.post(f"{path}/transitions", {"to": "disabled"}),
        other.post(f"{path}/password", {"password": PASSWORD}),
        other.delete(f"{path}/sessions"),
        other.delete(f"{path}/tokens"),
    ]
    assert [answer.status_code for answer in answers] == [403] * len(answers)


def test_a_bound_token_administers_no_people(call: Callable[..., Caller], world: World) -> None:
    admin = call(world.admin)
    bound = admin.with_token("admin", "programme:write", programme_id=world.programme.id)
    assert bound.get("/users").status_code == 403
    assert bound.post("/users", BODY).status_code == 403
    assert bound.post("/programmes", {}).status_code in (403, 422)
    free = admin.with_token("admin")
    assert free.get("/users").status_code == 200
    made = free.post("/users", BODY)
    assert (made.status_code, made.json()["code"]) == (403, "login_required")


def test_a_bound_token_changes_no_organisation(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    path = f"/organisations/{make_organisation(session).id}"
    scopes = ("organisation:read", "organisation:write")
    bound = call(world.admin).with_token(*scopes, programme_id=world.programme.id)
    assert bound.get(path).status_code == 200
    assert bound.patch(path, {"area": "West"}).status_code == 403
    assert call(world.admin).with_token(*scopes).patch(path, {"area": "West"}).status_code == 200
