"""Connections: who may make them, what a mapping may say, secrets, states, the log, trials."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.integrations.models import Integration
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.outbound import Policy
from app.main import OpenQI
from tests.calling import Caller
from tests.integrations.sending import MAPPING, Platform, body, connect, measure, points, project
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def reachable(app: OpenQI) -> None:
    """Names that need no resolving, for nothing is called here."""
    policy = Policy(hosts=frozenset({"other.example", "third.example"}))
    app.state.parts = replace(app.state.parts, policy=policy)


def openqi(world: World, **over: Any) -> dict[str, Any]:
    made = {"platform": "openqi", "system": "barnet", "base_url": "https://other.example/"}
    return body(world.programme.id, mapping=None) | made | over


def test_life_of_a_connection(call: Call, world: World, facilitator: Caller) -> None:
    response = facilitator.post("/integrations", body(world.programme.id))
    assert response.status_code == 201
    assert response.headers["Cache-Control"] == "no-store"
    made = response.json()
    assert made["secret"].startswith("whsec_")
    assert made["owner_id"] == str(world.facilitator.id)
    assert made["mapping"]["rules"][1]["fields"]["tags"] == {
        "pointer": None,
        "constant": ["from-lifeqi"],
        "translate": None,
    }
    path = f"/integrations/{made['id']}"
    assert response.headers["Location"] == f"/api/v1{path}"
    read = facilitator.ok(path)
    assert read == {name: value for name, value in made.items() if name != "secret"}
    listed = facilitator.ok("/integrations", programme_id=str(world.programme.id))["items"]
    assert listed == [read]
    again = facilitator.patch(path, {"mapping": read["mapping"]})
    assert again.json()["revision"] == 1
    renamed = facilitator.patch(path, {"name": "LifeQI"}, '"1"').json()
    assert (renamed["name"], renamed["revision"]) == ("LifeQI", 2)
    assert renamed["mapping"] == read["mapping"]
    assert facilitator.patch(path, {"name": "Late"}, '"1"').status_code == 412
    assert facilitator.delete(path).status_code == 204
    assert facilitator.delete(path).status_code == 204
    assert facilitator.ok(path)["archived_at"] is not None
    assert facilitator.ok("/integrations")["items"] == []
    for refused in (
        facilitator.patch(path, {"name": "a"}),
        facilitator.post(f"{path}/rotate-secret", {}),
        facilitator.post(f"{path}/transitions", {"to": "paused"}),
    ):
        assert refused.status_code == 409
        assert refused.json()["code"] == "archived"


def test_states(platform: Platform, facilitator: Caller) -> None:
    path = f"{platform.path}/transitions"
    refused = facilitator.post(path, {"to": "enabled"})
    assert refused.status_code == 409
    assert refused.json()["allowed"] == ["paused"]
    assert facilitator.post(path, {"to": "paused"}).json()["state"] == "paused"
    assert facilitator.ok("/integrations", state="paused")["items"]
    assert facilitator.ok("/integrations", state="enabled")["items"] == []


def test_events_tell_of_it_and_hold_no_secret(
    platform: Platform, facilitator: Caller, session: Session
) -> None:
    facilitator.post(f"{platform.path}/rotate-secret", {})
    facilitator.post(f"{platform.path}/transitions", {"to": "paused"})
    facilitator.delete(platform.path)
    events = session.exec(
        select(Event)
        .where(col(Event.resource_type) == "integration")
        .order_by(col(Event.created_at), col(Event.id))
    ).all()
    assert [event.type for event in events] == [
        "integration.created",
        "integration.updated",
        "integration.state_changed",
        "integration.archived",
    ]
    assert events[1].changes["secret"] == ["[redacted]", "[redacted]"]
    (row,) = session.exec(select(Integration)).all()
    for event in events:
        assert row.secret not in event.payload + str(event.changes)
    assert platform.integration["secret"] not in row.secret


def test_who_may(call: Call, world: World, platform: Platform) -> None:
    for role, status in (
        (Role.PROVIDER_ADMIN, 200),
        (Role.COACH, 404),
        (Role.TEAM_LEAD, 404),
        (Role.OBSERVER, 404),
        (Role.INTEGRATION, 404),
    ):
        caller = call(world.people[role])
        assert caller.get(platform.path).status_code == status, role
        made = caller.post("/integrations", body(world.programme.id))
        assert made.status_code == (201 if status == 200 else 403), role
    foreign = call(world.facilitator).post("/integrations", body(world.other_programme.id))
    assert foreign.status_code == 422
    assert foreign.json()["errors"][0]["pointer"] == "#/programme_id"


def test_another_openqi(call: Call, world: World, facilitator: Caller, reachable: None) -> None:
    made = facilitator.create("/integrations", openqi(world, token="qipat_" + "a" * 43))
    assert made["base_url"] == "https://other.example"
    assert made["mapping"] is None
    assert made["has_token"] is True
    assert "token" not in made
    path = f"/integrations/{made['id']}"
    changed = facilitator.patch(path, {"base_url": "https://third.example", "token": None})
    assert changed.json()["base_url"] == "https://third.example"
    assert changed.json()["has_token"] is False


def test_a_token_does_not_follow_the_address(
    call: Call, world: World, facilitator: Caller, reachable: None
) -> None:
    """Whoever may change the connection need not be whose token it is."""
    made = facilitator.create("/integrations", openqi(world, token="qipat_" + "a" * 43))
    path, colleague = f"/integrations/{made['id']}", call(world.people[Role.PROVIDER_ADMIN])
    refused = colleague.patch(path, {"base_url": "https://third.example"})
    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert (fault["code"], fault["pointer"]) == ("token_needed", "#/token")
    read = facilitator.ok(path)
    assert (read["base_url"], read["has_token"]) == ("https://other.example", True)
    for allowed in (
        {"base_url": "https://other.example/"},
        {"base_url": "https://third.example", "token": "qipat_" + "b" * 43},
        {"base_url": "https://other.example", "token": None},
        {"base_url": "https://third.example"},
    ):
        assert colleague.patch(path, allowed).status_code == 200


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"base_url": None}, "#/base_url"),
        ({"mapping": MAPPING}, "#/mapping"),
        ({"platform": "generic"}, "#/base_url"),
        ({"platform": "generic", "base_url": None, "token": "a" * 20}, "#/token"),
        ({"secret": "whsec_short"}, "#/secret"),
        ({"secret": "x" * 101}, "#/secret"),
        ({"system": "Life QI"}, "#/system"),
        ({"token": "with blank"}, "#/token"),
        ({"base_url": "ftp://other.example"}, "#/base_url"),
        ({"base_url": "https://other.example/" + "a" * 200}, "#/base_url"),
    ],
)
def test_what_a_connection_may_not_say(
    facilitator: Caller, world: World, reachable: None, change: dict[str, Any], place: str
) -> None:
    response = facilitator.post("/integrations", openqi(world, **change))
    assert response.status_code == 422
    assert place in {fault["pointer"] for fault in response.json()["errors"]}


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1", "http://other.example", "https://user@other.example", "https://[::1]"],
)
def test_addresses_that_may_not_be_called(
    facilitator: Caller, world: World, reachable: None, address: str
) -> None:
    made = facilitator.create("/integrations", openqi(world))
    for response in (
        facilitator.post("/integrations", openqi(world, base_url=address)),
        facilitator.patch(f"/integrations/{made['id']}", {"base_url": address}),
    ):
        assert response.status_code == 422
        (fault,) = response.json()["errors"]
        assert (fault["code"], fault["pointer"]) == ("address_not_allowed", "#/base_url")


def test_the_address_is_looked_up_before_a_transaction_has_its_turn(
    facilitator: Caller, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow name server must not keep every other write waiting (SQLite has one writer)."""
    free = database.write_turns.value
    seen: list[int] = []
    monkeypatch.setattr(
        "app.access.dependencies.check_target",
        lambda url, policy: seen.append(database.write_turns.value),
    )
    made = facilitator.create("/integrations", openqi(world))
    facilitator.patch(f"/integrations/{made['id']}", {"base_url": "https://third.example"})
    facilitator.patch(f"/integrations/{made['id']}", {"name": "Barnet"})
    assert seen == [free, free]


def test_for_somebody_who_can_have_no_connection_no_name_is_looked_up(
    call: Call, world: World
) -> None:
    answer = call(world.member).post("/integrations", openqi(world, base_url="https://localhost"))
    assert answer.status_code == 403


def _rule(**over: Any) -> dict[str, Any]:
    rule: dict[str, Any] = copy.deepcopy(MAPPING["rules"][1])
    return rule | over


FAULTY: list[tuple[dict[str, Any], str]] = [
    (_rule(action="upsert_team"), "/action"),
    (_rule(event_type="project.*.x"), "/event_type"),
    (_rule(event_type=""), "/event_type"),
    (_rule(external_id=None), "/external_id"),
    (_rule(external_id="project/id"), "/external_id"),
    (_rule(external_id="/a~2"), "/external_id"),
    (_rule(items="/rows"), "/items"),
    (_rule(action="upsert_measure", parent_external_id=None, fields={}), "/parent_external_id"),
    (_rule(action="ignore", fields={}, parent_external_id=None), "/external_id"),
    (
        _rule(action="record_data_points", parent_external_id=None, fields={}),
        "/fields/period_start",
    ),
    (_rule(fields={"titel": {"pointer": "/a"}}), "/fields/titel"),
    (_rule(fields={"state": {"constant": "completed"}}), "/fields/state"),
    (_rule(fields={"title": {}}), "/fields/title"),
    (_rule(fields={"title": {"pointer": "/a", "constant": "b"}}), "/fields/title"),
    (_rule(fields={"title": {"constant": ""}}), "/fields/title/constant"),
    (_rule(fields={"title": {"constant": None}}), "/fields/title/constant"),
    (_rule(fields={"tags": {"constant": "a"}}), "/fields/tags/constant"),
    (_rule(fields={"title": {"constant": "a\x00"}}), "/fields/title/constant"),
    (
        _rule(fields={"title": {"constant": "a", "translate": {"a": "b"}}}),
        "/fields/title/translate",
    ),
    (_rule(fields={"title": {"pointer": "no"}}), "/fields/title/pointer"),
    (_rule(fields={"aim": {"constant": {"a": [[[[[[[[[[1]]]]]]]]]]}}}), "/fields/aim/constant"),
    (_rule(fields={"aim": {"constant": {"target_value": 1e16}}}), "/fields/aim/constant"),
    (_rule(fields={"aim": {"constant": {"a\x00": 1}}}), "/fields/aim/constant"),
    (_rule(fields={"title": {"from": "/a"}}), "/fields/title/from"),
    (_rule(surprise=1), "/surprise"),
]


@pytest.mark.parametrize(("rule", "place"), FAULTY)
def test_a_faulty_rule_is_told_with_its_place(
    facilitator: Caller, world: World, platform: Platform, rule: dict[str, Any], place: str
) -> None:
    mapping = {"type": "/event", "rules": [MAPPING["rules"][0], rule]}
    for response in (
        facilitator.post("/integrations", body(world.programme.id, mapping=mapping)),
        facilitator.patch(platform.path, {"mapping": mapping}),
        facilitator.post(f"{platform.path}/mapping-tests", {"message": {}, "mapping": mapping}),
    ):
        assert response.status_code == 422
        places = [fault["pointer"] for fault in response.json()["errors"]]
        assert f"#/mapping/rules/1{place}" in places


def test_too_many_rules(facilitator: Caller, world: World) -> None:
    mapping = {"rules": [MAPPING["rules"][0]] * 51}
    response = facilitator.post("/integrations", body(world.programme.id, mapping=mapping))
    assert response.status_code == 422


def test_a_trial_writes_nothing(platform: Platform, facilitator: Caller, session: Session) -> None:
    path = f"{platform.path}/mapping-tests"
    before = len(session.exec(select(Event)).all())
    tried = facilitator.post(path, {"message": project()})
    assert tried.status_code == 200
    assert tried.json() == {
        "type": "project.saved",
        "rule": 1,
        "action": "upsert_project",
        "values": [
            {"title": "Same-day access", "problem": "People wait.", "tags": ["from-lifeqi"]}
        ],
        "outcome": "applied",
        "code": None,
        "detail": None,
        "resource_type": "project",
        "resource_id": None,
    }
    assert len(session.exec(select(Event)).all()) == before
    assert facilitator.ok("/projects", external_ref="lifeqi:7")["items"] == []
    assert facilitator.ok(f"{platform.path}/events")["items"] == []
    platform.send(project())
    known = facilitator.post(path, {"message": project()}).json()
    assert known["outcome"] == "unchanged"
    assert known["resource_id"] is not None


def test_a_trial_of_another_mapping(platform: Platform, facilitator: Caller) -> None:
    path = f"{platform.path}/mapping-tests"
    mapping = {"type": "/event", "rules": [MAPPING["rules"][0]]}
    tried = facilitator.post(path, {"message": project(), "mapping": mapping}).json()
    assert (tried["rule"], tried["outcome"], tried["code"]) == (None, "ignored", "no_rule")
    refused = facilitator.post(path, {"message": points({"date": "2018-01-01", "n": 1, "d": 2})})
    assert refused.json()["code"] == "reference_not_found"
    assert refused.json()["values"] == [
        {"period_start": "2018-01-01", "numerator": 1, "denominator": 2}
    ]
    assert len(facilitator.ok(platform.path)["mapping"]["rules"]) == len(MAPPING["rules"])


def test_a_trial_tells_why_nothing_can_be_read(
    platform: Platform, facilitator: Caller, session: Session, world: World, call: Call
) -> None:
    path = f"{platform.path}/mapping-tests"
    tried = facilitator.post(path, {"message": measure(kind="Cost")}).json()
    assert (tried["code"], tried["values"]) == ("untranslatable", [])
    world.facilitator.disabled_at = utc_now()
    session.add(world.facilitator)
    session.commit()
    gone = call(world.admin).post(path, {"message": project()}).json()
    assert (gone["outcome"], gone["code"]) == ("refused", "owner_gone")


def test_a_trial_needs_the_permission(platform: Platform, facilitator: Caller) -> None:
    path = f"{platform.path}/mapping-tests"
    reader = facilitator.with_token("integration:read")
    assert reader.get(platform.path).status_code == 200
    assert reader.post(path, {"message": {}}).status_code == 403


def test_the_log(platform: Platform, facilitator: Caller, call: Call, world: World) -> None:
    platform.send(project(), message_id="first")
    platform.send({"event": "user.created"}, message_id="second")
    path = f"{platform.path}/events"
    latest, first = facilitator.ok(path)["items"]
    assert (latest["sender_id"], latest["outcome"]) == ("second", "ignored")
    assert (first["type"], first["resource_type"]) == ("project.saved", "project")
    assert len(first["digest"]) == 64
    assert facilitator.ok(path, outcome=["applied", "failed"])["items"] == [first]
    assert facilitator.ok(path, type="user.created")["items"] == [latest]
    assert facilitator.ok(path, since=latest["received_at"])["items"] == [latest]
    assert facilitator.ok(path, sort="received_at")["items"] == [first, latest]
    line = f"/inbound-events/{first['id']}"
    assert facilitator.ok(line) == first
    assert call(world.people[Role.OBSERVER]).get(line).status_code == 404
    assert call(world.people[Role.OBSERVER]).get(path).status_code == 404
    assert facilitator.delete(platform.path).status_code == 204
    assert facilitator.ok(line) == first


def test_secrets_take_no_idempotency_key(
    platform: Platform, facilitator: Caller, world: World
) -> None:
    key = {"Idempotency-Key": "k"}
    for response in (
        facilitator.post("/integrations", body(world.programme.id), **key),
        facilitator.post(f"{platform.path}/rotate-secret", {}, **key),
    ):
        assert response.status_code == 400
        assert response.json()["code"] == "idempotency_key_refused"


def test_in_an_archived_programme(
    platform: Platform, facilitator: Caller, call: Call, world: World
) -> None:
    assert call(world.admin).delete(f"/programmes/{world.programme.id}").status_code == 204
    for response in (
        facilitator.post("/integrations", body(world.programme.id)),
        facilitator.patch(platform.path, {"name": "a"}),
        facilitator.post(f"{platform.path}/rotate-secret", {}),
    ):
        assert response.status_code == 409
        assert response.json()["code"] == "archived"


def test_two_connections_of_one_platform(call: Call, facilitator: Caller, world: World) -> None:
    """They share its names: what one created, the other changes."""
    one, other = (connect(facilitator, call(None), world.programme.id) for _ in range(2))
    assert one.outcome(project()) == ("applied", None)
    assert other.outcome(project()) == ("unchanged", None)
