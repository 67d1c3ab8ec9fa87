"""Roles are given and ended by those who may, at their place, from one day until another."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlmodel import Session, select

from app.access.permissions import GRANTABLE, TEAM_ROLES, Role
from app.events.models import Event
from app.identity.models import User
from app.kit.clock import utc_now
from tests.builders import make_membership, make_user
from tests.calling import Caller
from tests.world import World


@pytest.fixture
def ada(session: Session) -> User:
    return make_user(session, email="ada@example.org")


def _body(world: World, user: User, role: Role, **over: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"user_id": str(user.id), "role": role}
    if role is not Role.PLATFORM_ADMIN:
        body["programme_id"] = str(world.programme.id)
    if role in TEAM_ROLES:
        body["team_id"] = str(world.team.id)
    return body | over


def _today() -> date:
    return utc_now().date()


def test_give_a_role(
    call: Callable[..., Caller], world: World, ada: User, session: Session
) -> None:
    facilitator, her = call(world.facilitator), call(ada)
    assert her.get(f"/programmes/{world.programme.id}").status_code == 404
    body = _body(world, ada, Role.MEMBER)
    answer = facilitator.post("/memberships", body, **{"X-Request-ID": "grant-0001"})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1/memberships/{made['id']}"
    assert (made["role"], made["starts_on"], made["ends_on"]) == ("member", str(_today()), None)
    assert made["user"] == {
        "id": str(ada.id),
        "email": "ada@example.org",
        "display_name": ada.display_name,
    }
    assert her.get(f"/programmes/{world.programme.id}").status_code == 200
    assert facilitator.ok(f"/memberships/{made['id']}") == made
    told = session.exec(select(Event).where(Event.type == "membership.created")).one()
    assert (told.actor_id, told.request_id) == (world.facilitator.id, "grant-0001")
    assert told.programme_id == world.programme.id
    assert '"role":"member"' in told.payload
    assert ada.display_name not in told.payload
    assert "@" not in told.payload


def test_a_person_is_named_by_address_or_id(
    call: Callable[..., Caller], world: World, ada: User
) -> None:
    facilitator = call(world.facilitator)
    body = _body(world, ada, Role.OBSERVER)
    del body["user_id"]
    made = facilitator.create("/memberships", body | {"email": "ADA@example.org"})
    assert made["user_id"] == str(ada.id)
    for who in ({}, {"email": "ada@example.org", "user_id": str(ada.id)}):
        assert facilitator.post("/memberships", body | who).status_code == 422
    for who in ({"email": "nobody@example.org"}, {"user_id": str(world.team.id)}):
        unknown = facilitator.post("/memberships", body | who)
        assert unknown.status_code == 422
        assert unknown.json()["errors"][0]["code"] == "reference_not_found"
        assert unknown.json()["errors"][0]["pointer"] == f"#/{next(iter(who))}"


@pytest.mark.parametrize("giver", Role)
@pytest.mark.parametrize("role", Role)
def test_who_may_give_which_role(
    call: Callable[..., Caller], world: World, ada: User, giver: Role, role: Role
) -> None:
    answer = call(world.people[giver]).post("/memberships", _body(world, ada, role))
    is_allowed = role in GRANTABLE.get(giver, frozenset())
    assert answer.status_code == (201 if is_allowed else 403), answer.text


def test_roles_are_given_in_ones_own_programme_only(
    call: Callable[..., Caller], world: World, ada: User, session: Session
) -> None:
    facilitator = call(world.facilitator)
    away = {"programme_id": str(world.other_programme.id)}
    invisible = facilitator.post("/memberships", _body(world, ada, Role.OBSERVER, **away))
    assert invisible.status_code == 422
    assert invisible.json()["errors"][0]["pointer"] == "#/programme_id"
    make_membership(
        session, user=world.facilitator, role=Role.OBSERVER, programme=world.other_programme
    )
    visible = facilitator.post("/memberships", _body(world, ada, Role.OBSERVER, **away))
    assert visible.status_code == 403
    foreign = _body(world, ada, Role.MEMBER, team_id=str(world.foreign_team.id))
    answer = call(world.admin).post("/memberships", foreign)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/team_id"


@pytest.mark.parametrize(
    ("role", "drop", "add", "places"),
    [
        (Role.PLATFORM_ADMIN, [], ["programme_id"], ["#/programme_id"]),
        (Role.PLATFORM_ADMIN, [], ["programme_id", "team_id"], ["#/programme_id", "#/team_id"]),
        (Role.MEMBER, ["team_id"], [], ["#/team_id"]),
        (Role.COACH, ["team_id", "programme_id"], [], ["#/programme_id", "#/team_id"]),
        (Role.TEAM_LEAD, ["programme_id"], [], ["#/programme_id"]),
        (Role.OBSERVER, [], ["team_id"], ["#/team_id"]),
        (Role.FACILITATOR, ["programme_id"], [], ["#/programme_id"]),
    ],
)
def test_where_a_role_points(
    call: Callable[..., Caller],
    world: World,
    ada: User,
    role: Role,
    drop: list[str],
    add: list[str],
    places: list[str],
) -> None:
    here = {"programme_id": str(world.programme.id), "team_id": str(world.team.id)}
    body = _body(world, ada, role) | {name: here[name] for name in add}
    answer = call(world.admin).post(
        "/memberships", {name: value for name, value in body.items() if name not in drop}
    )
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == places


def test_the_same_role_is_held_once_on_a_day(
    call: Callable[..., Caller], world: World, ada: User
) -> None:
    facilitator = call(world.facilitator)
    spring = {"starts_on": "2030-03-01", "ends_on": "2030-06-01"}
    body = _body(world, ada, Role.MEMBER)
    facilitator.create("/memberships", body | spring)
    overlapping = [
        {},
        spring,
        {"starts_on": "2030-05-31"},
        {"starts_on": "2030-01-01", "ends_on": "2030-03-02"},
    ]
    for days in overlapping:
        twin = facilitator.post("/memberships", body | days)
        assert (twin.status_code, twin.json()["code"]) == (409, "already_exists")
    beside = [
        {"starts_on": "2030-06-01"},
        {"starts_on": "2030-01-01", "ends_on": "2030-03-01"},
        {"team_id": str(world.other_team.id)},
        {"role": "coach"},
    ]
    for over in beside:
        assert facilitator.post("/memberships", body | over).status_code == 201


def test_an_administrator_is_one_once(call: Callable[..., Caller], world: World) -> None:
    answer = call(world.admin).post(
        "/memberships", {"user_id": str(world.admin.id), "role": "platform_admin"}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "already_exists")


@pytest.mark.parametrize("ends_on", ["2017-12-06", "2017-12-07"])
def test_an_end_lies_after_the_start(
    call: Callable[..., Caller], world: World, ada: User, ends_on: str
) -> None:
    days = {"starts_on": "2017-12-07", "ends_on": ends_on}
    answer = call(world.admin).post("/memberships", _body(world, ada, Role.OBSERVER, **days))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/ends_on"


@pytest.mark.parametrize("archived", ["team", "programme"])
def test_no_role_in_what_is_archived_but_its_end(
    call: Callable[..., Caller], world: World, ada: User, session: Session, archived: str
) -> None:
    admin = call(world.admin)
    held = admin.create("/memberships", _body(world, ada, Role.MEMBER))
    row = getattr(world, archived)
    row.archived_at = utc_now()
    session.add(row)
    session.commit()
    answer = admin.post("/memberships", _body(world, ada, Role.COACH))
    assert (answer.status_code, answer.json()["code"]) == (409, "archived")
    assert admin.post(f"/memberships/{held['id']}/end", {}).status_code == 200


def test_a_role_ends_at_once(
    call: Callable[..., Caller], world: World, ada: User, session: Session
) -> None:
    facilitator, her = call(world.facilitator), call(ada)
    made = facilitator.create("/memberships", _body(world, ada, Role.MEMBER))
    path = f"/memberships/{made['id']}/end"
    ended = facilitator.post(path, {})
    assert ended.status_code == 200, ended.text
    assert (ended.json()["ends_on"], ended.headers["ETag"]) == (str(_today()), '"2"')
    assert her.ok("/me")["memberships"] == []
    assert her.get(f"/teams/{world.team.id}").status_code == 404
    again = facilitator.post(path, {"ends_on": "2999-01-01"})
    assert (again.status_code, again.json()["revision"]) == (200, 2)
    told = session.exec(select(Event).where(Event.type == "membership.ended")).one()
    assert told.changes == {"ends_on": [None, str(_today())]}
    assert told.actor_id == world.facilitator.id
    assert facilitator.post("/memberships", _body(world, ada, Role.MEMBER)).status_code == 201


def test_a_role_ends_on_a_day_to_come(call: Callable[..., Caller], world: World, ada: User) -> None:
    facilitator, her = call(world.facilitator), call(ada)
    made = facilitator.create("/memberships", _body(world, ada, Role.MEMBER))
    path = f"/memberships/{made['id']}/end"
    week, day = timedelta(days=7), timedelta(days=1)
    assert facilitator.post(path, {"ends_on": str(_today() + week)}).status_code == 200
    assert len(her.ok("/me")["memberships"]) == 1
    for wrong in (_today() - day, _today() + week + day):
        answer = facilitator.post(path, {"ends_on": str(wrong)})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "#/ends_on"
    sooner = facilitator.post(path, {"ends_on": str(_today() + day)})
    assert sooner.json()["ends_on"] == str(_today() + day)


def test_a_role_that_has_not_begun_never_begins(
    call: Callable[..., Caller], world: World, ada: User
) -> None:
    facilitator = call(world.facilitator)
    body = _body(world, ada, Role.MEMBER, starts_on="2999-01-01")
    made = facilitator.create("/memberships", body)
    ended = facilitator.post(f"/memberships/{made['id']}/end", {}).json()
    assert ended["ends_on"] == ended["starts_on"]
    assert facilitator.post(f"/memberships/{made['id']}/end", {}).json()["revision"] == 2
    assert facilitator.post("/memberships", body).status_code == 201


def test_only_a_role_that_one_could_give_can_be_ended(
    call: Callable[..., Caller], world: World
) -> None:
    facilitator = call(world.facilitator)
    rows = facilitator.ok(f"/programmes/{world.programme.id}/memberships", limit=200)["items"]
    codes = {
        row["role"]: facilitator.post(f"/memberships/{row['id']}/end", {}).status_code
        for row in rows
    }
    may_end = GRANTABLE[Role.FACILITATOR]
    assert codes == {
        role: 200 if role in may_end else 403 for role in Role if role is not Role.PLATFORM_ADMIN
    }


def test_the_last_administrator_stays(
    call: Callable[..., Caller], world: World, ada: User, session: Session
) -> None:
    admin = call(world.admin)
    (own,) = admin.ok(f"/users/{world.admin.id}/memberships")["items"]
    path = f"/memberships/{own['id']}/end"
    for body in ({}, {"ends_on": "2999-01-01"}):
        last = admin.post(path, body)
        assert (last.status_code, last.json()["code"]) == (409, "last_platform_admin")
    admin.create("/memberships", _body(world, ada, Role.PLATFORM_ADMIN))
    ada.disabled_at = utc_now()
    session.add(ada)
    session.commit()
    assert admin.post(path, {}).status_code == 409
    ada.disabled_at = None
    session.add(ada)
    session.commit()
    assert admin.post(path, {}).status_code == 200
    assert admin.get("/users").status_code == 403


def test_disabling_the_last_other_administrator_is_allowed_and_the_last_is_not(
    call: Callable[..., Caller], world: World, ada: User, session: Session
) -> None:
    """Somebody with the role until tomorrow disables the only lasting one, and is then the last."""
    make_membership(
        session, user=ada, role=Role.PLATFORM_ADMIN, ends_on=_today() + timedelta(days=1)
    )
    hers = call(ada)
    assert hers.post(f"/users/{world.admin.id}/transitions", {"to": "disabled"}).is_success
    (own,) = hers.ok(f"/users/{ada.id}/memberships")["items"]
    assert hers.post(f"/memberships/{own['id']}/end", {}).status_code == 409


def test_a_token_cannot_make_administrators(
    call: Callable[..., Caller], world: World, ada: User
) -> None:
    token = call(world.admin).with_token("admin", "programme:read", "team:read")
    answer = token.post("/memberships", _body(world, ada, Role.PLATFORM_ADMIN))
    assert (answer.status_code, answer.json()["code"]) == (403, "login_required")
    assert token.post("/memberships", _body(world, ada, Role.MEMBER)).status_code == 201


def test_a_bound_token_grants_in_its_programme_only(
    call: Callable[..., Caller], world: World, ada: User
) -> None:
    scopes = ("admin", "programme:read", "team:read")
    token = call(world.admin).with_token(*scopes, programme_id=world.programme.id)
    away = {"programme_id": str(world.other_programme.id)}
    refused = token.post("/memberships", _body(world, ada, Role.OBSERVER, **away))
    assert refused.status_code == 422
    assert token.post("/memberships", _body(world, ada, Role.PLATFORM_ADMIN)).status_code == 403
    assert token.post("/memberships", _body(world, ada, Role.OBSERVER)).status_code == 201


def test_who_may_read_memberships(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    path = f"/programmes/{world.programme.id}/memberships"
    readers = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR}
    row = call(world.admin).ok(path, role="member")["items"][0]
    for role, user in world.people.items():
        may = role in readers
        assert call(user).get(path).status_code == (200 if may else 403)
        one = call(user).get(f"/memberships/{row['id']}").status_code
        assert one == (200 if may else 404)
    assert call(world.stranger).get(path).status_code == 404
    away = make_membership(
        session,
        user=world.stranger or world.admin,
        role=Role.OBSERVER,
        programme=world.other_programme,
    )
    facilitator = call(world.facilitator)
    assert facilitator.get(f"/memberships/{away.id}").status_code == 404
    assert facilitator.post(f"/memberships/{away.id}/end", {}).status_code == 404
    other = f"/programmes/{world.other_programme.id}/memberships"
    assert facilitator.get(other).status_code == 404


def test_lists_are_filtered(call: Callable[..., Caller], world: World, ada: User) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/memberships"
    made = facilitator.create(
        "/memberships", _body(world, ada, Role.MEMBER, starts_on="2030-01-01")
    )

    def ids(**query: Any) -> set[str]:
        return {row["id"] for row in facilitator.ok(path, **query)["items"]}

    assert len(ids()) == len(Role)
    assert ids(user_id=str(ada.id)) == {made["id"]}
    assert len(ids(role=["member", "coach"])) == 3
    assert len(ids(team_id=str(world.team.id))) == 4
    assert made["id"] not in ids(held_on="2029-12-31")
    assert made["id"] in ids(held_on="2030-01-01")
    assert facilitator.ok(path, sort="-starts_on")["items"][0]["id"] == made["id"]
    assert facilitator.get(path, role="king").status_code == 422
    assert facilitator.get(path, held_on="soon").status_code == 422


def test_ones_own_roles_can_be_listed(call: Callable[..., Caller], world: World) -> None:
    member = call(world.member)
    path = f"/users/{world.member.id}/memberships"
    (own,) = member.ok(path)["items"]
    assert own["role"] == "member"
    assert member.get(f"/users/{world.admin.id}/memberships").status_code == 403
    assert member.with_token("team:read").get(path).json()["code"] == "scope_insufficient"
    assert [row["id"] for row in call(world.admin).ok(path)["items"]] == [own["id"]]


def test_a_list_costs_the_same_for_many(
    call: Callable[..., Caller], world: World, session: Session, connection: Connection
) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/memberships"
    statements: list[str] = []
    event.listen(connection, "before_cursor_execute", lambda *args: statements.append(args[2]))

    def cost() -> int:
        statements.clear()
        facilitator.ok(path)
        return len([text for text in statements if text.startswith("SELECT")])

    before = cost()
    for _ in range(5):
        make_membership(
            session, user=make_user(session), role=Role.OBSERVER, programme=world.programme
        )
    assert cost() == before == 4
