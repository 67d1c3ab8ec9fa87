"""`/me`, one's own password, and the role table."""

from collections.abc import Callable

import pytest
from sqlmodel import Session, select

from app.access.permissions import ROLES, SCOPES, Permission, Role
from app.events.models import Event
from app.identity.models import LoginAttempt, User
from app.main import OpenQI
from tests.builders import make_membership, make_user
from tests.calling import Caller
from tests.world import World

OLD, NEW = "four quiet herons wading", "eleven patient otters at dusk"


@pytest.fixture
def ada(app: OpenQI, session: Session) -> User:
    stored = app.state.passwords.hash(OLD)
    return make_user(session, email="ada.example@example.org", password_hash=stored)


def _change(caller: Caller, current: str = OLD, new: str = NEW, **more: object) -> int:
    body = {"current_password": current, "new_password": new, **more}
    return caller.post("/me/password", body).status_code


def test_me_tells_roles_and_what_they_allow(call: Callable[..., Caller], world: World) -> None:
    me = call(world.member).ok("/me")
    programme, team = str(world.programme.id), str(world.team.id)
    assert (me["id"], me["email"]) == (str(world.member.id), world.member.email)
    assert me["memberships"] == [{"role": "member", "programme_id": programme, "team_id": team}]
    assert me["token"] is None
    everywhere, at_team = me["places"]
    assert (everywhere["programme_id"], everywhere["team_id"]) == (programme, None)
    assert (at_team["programme_id"], at_team["team_id"]) == (programme, team)
    assert "project:read" not in everywhere["permissions"]
    assert set(at_team["permissions"]) == set(ROLES[Role.MEMBER])
    assert set(everywhere["permissions"]) < set(at_team["permissions"])


def test_an_administrator_has_all_permissions_everywhere(
    call: Callable[..., Caller], world: World
) -> None:
    (place,) = call(world.admin).ok("/me")["places"]
    assert (place["programme_id"], place["team_id"]) == (None, None)
    assert place["permissions"] == list(Permission)


def test_me_through_a_token(call: Callable[..., Caller], world: World, session: Session) -> None:
    make_membership(session, user=world.member, role=Role.OBSERVER, programme=world.other_programme)
    token = call(world.member).with_token("project:read", programme_id=world.programme.id)
    me = token.ok("/me")
    assert me["token"]["scopes"] == ["project:read"]
    assert me["token"]["programme_id"] == str(world.programme.id)
    assert [held["role"] for held in me["memberships"]] == ["member"]
    assert {place["programme_id"] for place in me["places"]} == {str(world.programme.id)}
    assert [place["permissions"] for place in me["places"]] == [[], ["project:read"]]


def test_me_of_an_administrators_bound_token(call: Callable[..., Caller], world: World) -> None:
    token = call(world.admin).with_token("team:read", "admin", programme_id=world.programme.id)
    places = {place["programme_id"]: place["permissions"] for place in token.ok("/me")["places"]}
    assert places == {
        str(world.programme.id): ["team:read", "membership:read", "membership:grant"],
    }


def test_somebody_without_a_role(call: Callable[..., Caller], world: World) -> None:
    me = call(world.stranger).ok("/me")
    assert (me["memberships"], me["places"]) == ([], [])


def test_change_my_password(call: Callable[..., Caller], ada: User, session: Session) -> None:
    here, elsewhere = call(ada), call(ada)
    token = here.with_token("team:read")
    assert _change(here) == 204
    assert here.get("/me").status_code == 200
    assert elsewhere.get("/me").status_code == 401
    assert token.get("/me").status_code == 200
    logins = {"username": ada.email, "password": OLD}, {"username": ada.email, "password": NEW}
    assert [here.client.post("/api/v1/auth/token", data=form).status_code for form in logins] == [
        400,
        200,
    ]
    event = session.exec(select(Event).where(Event.type == "user.password_changed")).one()
    assert (event.actor_id, event.resource_id) == (ada.id, ada.id)
    assert event.changes == {"password_hash": ["[redacted]", "[redacted]"]}
    assert "argon2" not in event.model_dump_json()


def test_other_logins_can_go_on(call: Callable[..., Caller], ada: User) -> None:
    here, elsewhere = call(ada), call(ada)
    assert _change(here, end_other_sessions=False) == 204
    assert elsewhere.get("/me").status_code == 200


def test_a_wrong_present_password_is_422_and_counts(
    call: Callable[..., Caller], ada: User, session: Session
) -> None:
    caller = call(ada)
    refused = caller.post("/me/password", {"current_password": "a guess", "new_password": NEW})
    assert refused.status_code == 422
    assert refused.json()["code"] == "wrong_password"
    assert refused.json()["errors"][0]["pointer"] == "#/current_password"
    for _ in range(9):
        assert _change(caller, current="a guess") == 422
    throttled = caller.post("/me/password", {"current_password": OLD, "new_password": NEW})
    assert throttled.status_code == 429
    assert throttled.json()["code"] == "too_many_failures"
    assert throttled.headers["Retry-After"] == "900"
    assert len(session.exec(select(LoginAttempt)).all()) == 10
    session.refresh(ada)
    assert ada.revision == 1


@pytest.mark.parametrize(
    ("new", "code"),
    [
        ("hens", "too_short"),
        ("x" * 257, "too_long"),
        ("password12345", "weak_password"),
        ("ada.example 2", "weak_password"),
        ("eleven\x00otters at dusk", "unstorable_text"),
        (None, "string_type"),
        (123456789012345, "string_type"),
    ],
)
def test_unfit_new_passwords(
    call: Callable[..., Caller], ada: User, new: object, code: str
) -> None:
    answer = call(ada).post("/me/password", {"current_password": OLD, "new_password": new})
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("#/new_password", code)
    assert str(new) not in answer.text or new is None


def test_half_a_character_is_no_password(call: Callable[..., Caller], ada: User) -> None:
    raw = f'{{"current_password": "{OLD}", "new_password": "eleven\\ud800otters at dusk"}}'
    headers = {"Content-Type": "application/json"}
    answer = call(ada)("POST", "/me/password", content=raw, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "unstorable_text"


def test_a_token_cannot_change_passwords_nor_repeat(call: Callable[..., Caller], ada: User) -> None:
    caller = call(ada)
    body = {"current_password": OLD, "new_password": NEW}
    refused = caller.with_token("admin").post("/me/password", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "login_required")
    keyed = caller.post("/me/password", body, **{"Idempotency-Key": "one"})
    assert (keyed.status_code, keyed.json()["code"]) == (400, "idempotency_key_refused")
    assert _change(caller) == 204


def test_the_role_table(call: Callable[..., Caller], world: World) -> None:
    table = call(world.stranger).ok("/roles")
    roles = {entry["role"]: entry for entry in table["roles"]}
    assert set(roles) == set(Role)
    assert roles["member"]["place"] == "team"
    assert {"permission": "project:read", "reach": "team"} in roles["member"]["permissions"]
    assert roles["platform_admin"]["place"] == "platform"
    assert "facilitator" not in roles["facilitator"]["grants"]
    assert {entry["scope"] for entry in table["scopes"]} == SCOPES
    assert {name for entry in table["scopes"] for name in entry["permissions"]} == set(Permission)
    assert Caller(call(world.member).client).get("/roles").status_code == 401
