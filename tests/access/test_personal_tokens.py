"""Personal tokens: shown once, narrowed by scopes and programme, void at once when revoked."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from app.access.permissions import SCOPES, Role
from app.events.models import Event
from app.identity.models import PersonalToken
from app.kit.secrets import digest, is_well_formed, make_secret
from app.main import OpenQI
from tests.builders import make_membership
from tests.calling import Caller
from tests.world import World

BODY = {"name": "Export", "scopes": ["team:read", "project:read"], "expires_in_days": 30}
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def clock(app: OpenQI) -> Iterator[list[datetime]]:
    """The instant of every request, to be moved by a test."""
    instant = [NOW]
    app.state.clock = lambda: instant[0]
    yield instant
    del app.state.clock


def test_a_secret_is_shown_once(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    member = call(world.member)
    answer = member.post("/auth/tokens", BODY, **{"X-Request-ID": "token-0001"})
    assert answer.status_code == 201, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    made = answer.json()
    secret = made.pop("secret")
    assert answer.headers["Location"] == f"/api/v1/auth/tokens/{made['id']}"
    assert is_well_formed(secret, "qipat")
    assert made["hint"] == secret[-4:]
    assert made["scopes"] == ["project:read", "team:read"]
    assert member.ok(f"/auth/tokens/{made['id']}") == made
    assert member.ok("/auth/tokens")["items"] == [made]
    row = session.exec(select(PersonalToken)).one()
    assert row.secret_hash == digest(secret)
    assert secret not in row.model_dump_json()
    told = session.exec(select(Event).where(Event.type == "personal_token.created")).one()
    assert (told.actor_id, told.request_id) == (world.member.id, "token-0001")
    for hidden in (secret, row.secret_hash):
        assert hidden not in told.model_dump_json()
    token = Caller(member.client, secret)
    assert token.ok("/me")["token"]["id"] == made["id"]


@pytest.mark.parametrize(
    ("over", "place"),
    [
        ({"scopes": ["team:read", "team:delete"]}, "#/scopes/1"),
        ({"scopes": []}, "#/scopes"),
        ({"scopes": ["team:read"] * 50}, "#/scopes"),
        ({"expires_in_days": 0}, "#/expires_in_days"),
        ({"expires_in_days": 366}, "#/expires_in_days"),
        ({"expires_in_days": None}, "#/expires_in_days"),
        ({"expires_in_days": "30"}, "#/expires_in_days"),
        ({"name": " "}, "#/name"),
        ({"name": "a\x00"}, "#/name"),
        ({"user_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"}, "#/user_id"),
        ({"programme_id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d3e"}, "#/programme_id"),
    ],
)
def test_unfit_tokens(
    call: Callable[..., Caller], world: World, over: dict[str, Any], place: str
) -> None:
    answer = call(world.member).post("/auth/tokens", BODY | over)
    assert answer.status_code == 422, answer.text
    assert [fault["pointer"] for fault in answer.json()["errors"]] == [place]


def test_an_expiry_is_needed_and_unknown_scopes_name_the_known(
    call: Callable[..., Caller], world: World
) -> None:
    member = call(world.member)
    lasting = {name: value for name, value in BODY.items() if name != "expires_in_days"}
    assert member.post("/auth/tokens", lasting).status_code == 422
    (fault,) = member.post("/auth/tokens", BODY | {"scopes": ["x"]}).json()["errors"]
    assert fault["code"] == "unknown_scope"
    assert all(scope in fault["detail"] for scope in SCOPES)


def test_a_programme_must_be_visible_to_the_owner(
    call: Callable[..., Caller], world: World
) -> None:
    answer = call(world.member).post(
        "/auth/tokens", BODY | {"programme_id": str(world.other_programme.id)}
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "reference_not_found"


def test_no_answer_with_a_secret_is_stored(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    answer = call(world.member).post("/auth/tokens", BODY, **{"Idempotency-Key": "one"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_refused")
    assert session.exec(select(PersonalToken)).all() == []


def test_a_token_makes_and_sees_no_tokens(call: Callable[..., Caller], world: World) -> None:
    token = call(world.admin).with_token(*SCOPES)
    made = token.ok("/me")["token"]["id"]
    answers = [
        token.post("/auth/tokens", BODY),
        token.get("/auth/tokens"),
        token.get(f"/auth/tokens/{made}"),
        token.delete(f"/auth/tokens/{made}"),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {
        (403, "login_required")
    }


def test_revoked_at_once_and_for_good(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    member, admin = call(world.member), call(world.admin)
    made = member.create("/auth/tokens", BODY)
    token, path = Caller(member.client, made["secret"]), f"/auth/tokens/{made['id']}"
    assert admin.get(path).status_code == 404
    assert admin.delete(path).status_code == 404
    assert token.get("/me").status_code == 200
    assert member.delete(path).status_code == 204
    assert token.get("/me").json()["code"] == "invalid_token"
    assert member.delete(path).status_code == 204
    assert member.ok(path)["revoked_at"] is not None
    assert member.ok("/auth/tokens")["items"] == []
    for state in ("ended", "any"):
        assert [item["id"] for item in member.ok("/auth/tokens", state=state)["items"]] == [
            made["id"]
        ]
    told = session.exec(select(Event).where(Event.type == "personal_token.ended")).one()
    assert told.changes.keys() == {"revoked_at"}


def test_an_administrator_revokes_all_tokens_of_a_person(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    member, admin = call(world.member), call(world.admin)
    tokens, kept = [member.with_token("team:read") for _ in range(2)], admin.with_token("admin")
    path = f"/users/{world.member.id}/tokens"
    assert admin.delete(path).status_code == 204
    assert [token.get("/me").status_code for token in tokens] == [401, 401]
    assert kept.get("/me").status_code == 200
    assert admin.delete(path).status_code == 204
    told = session.exec(select(Event).where(Event.type == "personal_token.ended")).all()
    assert [item.actor_id for item in told] == [world.admin.id] * 2
    assert kept.delete(f"/users/{world.admin.id}/tokens").status_code == 204
    assert kept.get("/me").status_code == 401
    by_token = session.exec(select(Event).where(Event.token_id != None)).all()  # noqa: E711
    assert [item.type for item in by_token] == ["personal_token.ended"]


def test_a_token_expires(call: Callable[..., Caller], world: World, clock: list[datetime]) -> None:
    member = call(world.member)
    made = member.create("/auth/tokens", BODY | {"expires_in_days": 1})
    token = Caller(member.client, made["secret"])
    clock[0] = NOW + timedelta(days=1) - timedelta(seconds=1)
    assert token.get("/me").status_code == 200
    clock[0] = NOW + timedelta(days=1)
    assert token.get("/me").status_code == 401
    assert member.ok("/auth/tokens")["items"] == []
    assert len(member.ok("/auth/tokens", state="ended")["items"]) == 1


def test_its_last_use_is_noted_now_and_then(
    call: Callable[..., Caller], world: World, clock: list[datetime]
) -> None:
    member = call(world.member)
    made = member.create("/auth/tokens", BODY)
    token, path = Caller(member.client, made["secret"]), f"/auth/tokens/{made['id']}"

    def noted(after: timedelta) -> str:
        clock[0] = NOW + after
        token.ok("/me")
        read = member.ok(path)
        assert read["revision"] == 1
        return str(read["last_used_at"])

    assert member.ok(path)["last_used_at"] is None
    first = noted(timedelta())
    assert noted(timedelta(minutes=10)) == first
    assert noted(timedelta(minutes=10, seconds=1)) > first


@pytest.mark.parametrize(
    "secret",
    ["qipat_", "qipat_x", make_secret("qipat"), make_secret("qisvc"), "qipat_" + "0" * 49],
    ids=["empty", "short", "never issued", "of another kind", "wrong checksum"],
)
def test_unknown_and_mistyped_tokens_are_401(
    call: Callable[..., Caller], world: World, secret: str
) -> None:
    answer = Caller(call(world.member).client, secret).get("/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


def test_scopes_are_checked_on_every_route(call: Callable[..., Caller], world: World) -> None:
    owner = call(world.admin)
    readings = {
        "/organisations": "organisation:read",
        "/programmes": "programme:read",
        f"/programmes/{world.programme.id}": "programme:read",
        "/users": "admin",
        f"/programmes/{world.programme.id}/memberships": "admin",
    }
    for path, scope in readings.items():
        holder, other = owner.with_token(scope, "programme:read"), owner.with_token("measure:read")
        assert holder.get(path).status_code == 200, path
        refused = other.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "scope_insufficient"), path
    reader = owner.with_token("programme:read", "organisation:read")
    writes = [
        reader.patch(f"/programmes/{world.programme.id}", {"capacity": 3}),
        reader.delete(f"/programmes/{world.programme.id}"),
        reader.post("/organisations", {"name": "X", "kind": "other"}),
    ]
    assert {answer.json()["code"] for answer in writes} == {"scope_insufficient"}


def test_a_binding_hides_other_programmes(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    make_membership(
        session, user=world.facilitator, role=Role.FACILITATOR, programme=world.other_programme
    )
    for owner in (world.facilitator, world.admin):
        scopes = ("programme:read", "programme:write", "organisation:read")
        free = call(owner).with_token(*scopes)
        bound = call(owner).with_token(*scopes, programme_id=world.programme.id)
        seen = {item["id"] for item in bound.ok("/programmes")["items"]}
        assert seen == {str(world.programme.id)}
        assert len(free.ok("/programmes")["items"]) == 2
        away = f"/programmes/{world.other_programme.id}"
        assert free.get(away).status_code == 200
        assert bound.get(away).status_code == 404
        assert bound.patch(away, {"capacity": 3}).status_code == 404
        assert bound.patch(f"/programmes/{world.programme.id}", {"capacity": 3}).is_success


def test_a_token_follows_its_owners_roles(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    scopes = ("programme:read", "programme:write", "organisation:read")
    token = call(world.facilitator).with_token(*scopes)
    path = f"/programmes/{world.programme.id}"
    assert token.patch(path, {"capacity": 3}).status_code == 200
    admin = call(world.admin)
    rows = admin.ok(f"/users/{world.facilitator.id}/memberships")["items"]
    admin.post(f"/memberships/{rows[0]['id']}/end", {})
    make_membership(session, user=world.facilitator, role=Role.OBSERVER, programme=world.programme)
    assert token.patch(path, {"capacity": 4}).json()["code"] == "forbidden"
    assert token.get(path).status_code == 200


def test_a_token_does_not_replay_its_owners_answers(
    call: Callable[..., Caller], world: World
) -> None:
    owner = call(world.admin)
    body, key = {"name": "Elmtree Surgery", "kind": "other"}, {"Idempotency-Key": "one"}
    assert owner.post("/organisations", body, **key).status_code == 201
    token = owner.with_token("organisation:read")
    assert token.post("/organisations", body, **key).json()["code"] == "scope_insufficient"
