"""Webhook endpoints over HTTP: who may subscribe to what, secrets, states, the test message."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.identity.models import PersonalToken
from app.jobs.models import Job
from app.kit.db import Database
from app.kit.outbound import Policy
from app.kit.signing import is_secret
from app.main import OpenQI
from app.webhooks import lanes
from app.webhooks.actions import MOST_ENDPOINTS
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery, WebhookEndpoint
from tests.builders import (
    make_membership,
    make_user,
    make_webhook_delivery,
    make_webhook_endpoint,
)
from tests.calling import Caller
from tests.jobs.draining import waiting
from tests.webhooks.receiving import LOOPBACK, Post, Receiver
from tests.world import World

Call = Callable[..., Caller]
PATH = "/webhook-endpoints"
URL = "https://platform.example.org/hooks"


@pytest.fixture
def post(app: OpenQI, post: Post) -> Post:
    """The sealer of the application, which may call this machine."""
    policy = replace(LOOPBACK, hosts=app.state.parts.policy.hosts)
    app.state.parts = replace(app.state.parts, policy=policy)
    post.sealer = app.state.parts.sealer
    return post


def _body(world: World, **over: Any) -> dict[str, Any]:
    return {"programme_id": str(world.programme.id), "url": URL, **over}


def _created(caller: Caller, world: World, **over: Any) -> dict[str, Any]:
    return caller.create(PATH, _body(world, **over))


def _codes(answer: Any) -> list[tuple[str, str | None]]:
    return [(each["code"], each.get("pointer")) for each in answer.json().get("errors", [])]


def _row(session: Session, endpoint: dict[str, Any]) -> WebhookEndpoint:
    session.expire_all()
    return session.get_one(WebhookEndpoint, uuid.UUID(endpoint["id"]))


def test_the_secret_is_shown_once_and_kept_sealed(
    world: World, call: Call, app: OpenQI, session: Session
) -> None:
    caller = call(world.facilitator)
    answer = caller.post(PATH, _body(world, event_types=["team.*"], description=" Platform "))
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1{PATH}/{made['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_secret(made["secret"])
    assert (made["description"], made["state"]) == ("Platform", "enabled")
    assert (made["owner_id"], made["scopes"]) == (str(world.facilitator.id), None)
    read = caller.ok(f"{PATH}/{made['id']}")
    assert read == {name: value for name, value in made.items() if name != "secret"}
    row = _row(session, made)
    assert made["secret"] not in row.secret
    opened = app.state.parts.sealer.open(row.secret, bound_to=row.sealed_for)
    assert opened == made["secret"]
    event = session.exec(select(Event).where(Event.resource_id == row.id)).one()
    assert event.type == "webhook_endpoint.created"
    assert URL not in event.payload


def test_no_idempotency_key_is_taken_with_a_secret(world: World, call: Call) -> None:
    answer = call(world.facilitator).post(PATH, _body(world), **{"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_refused")


def test_an_unknown_type_is_answered_with_what_was_meant(world: World, call: Call) -> None:
    body = _body(world, event_types=["team.created", "measure.update", "user.created"])
    answer = call(world.facilitator).post(PATH, body)
    assert answer.status_code == 422
    assert _codes(answer) == [
        ("unknown_event_type", "#/event_types/1"),
        ("unknown_event_type", "#/event_types/2"),
    ]
    assert "measure.updated" in answer.json()["errors"][0]["detail"]


def test_a_type_that_the_caller_may_not_read_is_refused_by_name(world: World, call: Call) -> None:
    caller = call(world.people[Role.INTEGRATION])
    body = _body(world, event_types=["measure.*", "participant.created", "*"])
    answer = caller.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "event_type_forbidden")
    assert _codes(answer) == [("event_type_forbidden", "#/event_types/1")]
    assert "participant:read" in answer.json()["errors"][0]["detail"]
    assert _created(caller, world, event_types=["measure.*", "*"])["state"] == "enabled"


@pytest.mark.parametrize(
    "url",
    [
        "http://platform.example.org/hooks",
        "https://127.0.0.1/hooks",
        "https://[::1]/hooks",
        "https://localhost/hooks",
        "https://169.254.169.254/latest",
        "https://user:secret@platform.example.org/",
        "https://platform.example.org:22/",
        "https://platform.example.org/#part",
    ],
)
def test_an_address_that_may_not_be_called_is_refused_and_never_resolved_for_the_caller(
    world: World, call: Call, url: str
) -> None:
    caller = call(world.facilitator)
    made = _created(caller, world)
    for answer in (
        caller.post(PATH, _body(world, url=url)),
        caller.patch(f"{PATH}/{made['id']}", {"url": url}),
    ):
        assert answer.status_code == 422, answer.text
        assert _codes(answer) == [("address_not_allowed", "#/url")]
        assert "127.0.0.1" not in answer.text
        assert "::1" not in answer.text


def test_somebody_who_can_have_no_endpoint_has_no_name_looked_up(
    app: OpenQI, world: World, call: Call
) -> None:
    app.state.parts = replace(app.state.parts, policy=Policy())
    answer = call(world.member).post(PATH, _body(world, url="https://localhost/"))
    assert answer.status_code == 403


def test_the_programme_must_be_visible_live_and_the_callers(
    world: World, call: Call, session: Session
) -> None:
    caller = call(world.facilitator)
    elsewhere = caller.post(PATH, _body(world) | {"programme_id": str(world.other_programme.id)})
    assert _codes(elsewhere) == [("reference_not_found", "#/programme_id")]
    make_membership(
        session, user=world.facilitator, role=Role.OBSERVER, programme=world.other_programme
    )
    visible = caller.post(PATH, _body(world) | {"programme_id": str(world.other_programme.id)})
    assert (visible.status_code, visible.json()["code"]) == (403, "forbidden")
    unknown = call(world.admin).post(PATH, _body(world) | {"programme_id": str(world.team.id)})
    assert _codes(unknown) == [("reference_not_found", "#/programme_id")]
    world.programme.archived_at = world.programme.created_at
    session.commit()
    assert caller.post(PATH, _body(world)).json()["code"] == "archived"


def test_a_programme_has_twenty_live_endpoints_at_most(
    world: World, call: Call, session: Session
) -> None:
    rows = [
        make_webhook_endpoint(session, programme=world.programme) for _ in range(MOST_ENDPOINTS)
    ]
    caller = call(world.facilitator)
    answer = caller.post(PATH, _body(world))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhook_endpoints")
    assert caller.delete(f"{PATH}/{rows[0].id}").status_code == 204
    assert caller.post(PATH, _body(world)).status_code == 201


def test_a_token_narrows_for_good_and_ends_with_its_revocation(
    world: World, call: Call, session: Session
) -> None:
    person = call(world.facilitator)
    token = person.with_token("webhook:write", "webhook:read", "measure:read")
    refused = token.post(PATH, _body(world, event_types=["team.created"]))
    assert refused.json()["code"] == "event_type_forbidden"
    made = _created(token, world, event_types=["measure.*"])
    assert made["scopes"] == ["measure:read", "webhook:read", "webhook:write"]
    row = _row(session, made)
    own = select(PersonalToken).where(PersonalToken.user_id == world.facilitator.id)
    assert row.token_id == session.exec(own).one().id
    changed = person.patch(f"{PATH}/{made['id']}", {"event_types": ["*"]}).json()
    assert changed["scopes"] == made["scopes"]
    assert _row(session, made).token_id is None


def test_who_redirects_an_endpoint_owns_it_with_no_more_than_both_rights(
    world: World, call: Call, session: Session
) -> None:
    """Else an integration could have what a facilitator hears sent to a place of its own."""
    made = _created(call(world.facilitator), world, event_types=["participant.*"])
    path = f"{PATH}/{made['id']}"
    integration = call(world.people[Role.INTEGRATION])
    refused = integration.patch(path, {"url": URL + "/mine"})
    assert (refused.status_code, refused.json()["code"]) == (403, "event_type_forbidden")
    renamed = integration.patch(path, {"description": "Mine"}).json()
    assert renamed["owner_id"] == str(world.facilitator.id)
    taken = integration.patch(path, {"url": URL + "/mine", "event_types": ["*"]}).json()
    assert taken["owner_id"] == str(world.people[Role.INTEGRATION].id)
    narrow = integration.with_token("webhook:write", "webhook:read", "measure:read")
    assert narrow.patch(path, {"url": URL}).json()["scopes"] == [
        "measure:read",
        "webhook:read",
        "webhook:write",
    ]
    wider = integration.with_token("webhook:write", "webhook:read", "team:read")
    assert wider.patch(path, {"not_from": "life"}).json()["scopes"] == [
        "webhook:read",
        "webhook:write",
    ]


def test_a_new_address_starts_afresh(world: World, call: Call, session: Session) -> None:
    row = make_webhook_endpoint(
        session,
        programme=world.programme,
        failures=9,
        exhausted=2,
        open_until=world.programme.created_at,
    )
    changed = call(world.facilitator).patch(f"{PATH}/{row.id}", {"url": URL}, if_match='"1"').json()
    assert (changed["failures"], changed["open_until"], changed["revision"]) == (0, None, 2)


def test_a_change_asks_for_the_present_revision(world: World, call: Call) -> None:
    caller = call(world.facilitator)
    made = _created(caller, world)
    path = f"{PATH}/{made['id']}"
    assert caller.patch(path, {"description": "New"}, if_match='"7"').status_code == 412
    assert caller("PATCH", path, json={"description": "New"}).status_code == 428
    assert caller.patch(path, {"url": None}).status_code == 422


def test_archiving_cancels_what_is_pending_and_hides_it(
    world: World, call: Call, session: Session, post: Post
) -> None:
    caller = call(world.facilitator)
    made = _created(caller, world, event_types=["team.*"])
    row = _row(session, made)
    post.happen(row)
    assert waiting(post.database, "webhook.deliver") == 1
    for _ in range(2):
        assert caller.delete(f"{PATH}/{row.id}").status_code == 204
    (delivery,) = post.deliveries(row)
    assert (delivery.state, delivery.last_error) == (
        DeliveryState.CANCELLED,
        "The endpoint was archived.",
    )
    assert waiting(post.database, "webhook.deliver") == 0
    assert caller.ok(f"{PATH}/{row.id}")["archived_at"] is not None
    assert caller.ok(PATH, programme_id=str(world.programme.id))["items"] == []
    for method, step, body in [
        ("PATCH", "", {"description": "x"}),
        ("POST", "/transitions", {"to": "paused"}),
        ("POST", "/rotate-secret", {}),
        ("POST", "/ping", None),
        ("POST", "/replays", {"failed_since": post.now.isoformat()}),
        ("DELETE", "/old-secret", None),
    ]:
        answer = caller(method, f"{PATH}/{row.id}{step}", json=body, headers={"If-Match": "*"})
        assert (answer.status_code, answer.json()["code"]) == (409, "archived"), step


def test_lists_are_filtered(world: World, call: Call, session: Session) -> None:
    mine = make_webhook_endpoint(session, programme=world.programme)
    paused = make_webhook_endpoint(session, programme=world.programme, state=EndpointState.PAUSED)
    make_webhook_endpoint(session, programme=world.other_programme)
    caller = call(world.facilitator)
    assert {each["id"] for each in caller.ok(PATH)["items"]} == {str(mine.id), str(paused.id)}
    found = caller.ok(PATH, state="paused", programme_id=str(world.programme.id))["items"]
    assert [each["id"] for each in found] == [str(paused.id)]
    assert caller.ok(PATH, programme_id=str(world.other_programme.id))["items"] == []
    assert call(world.member).ok(PATH)["items"] == []


def _run_at(session: Session, row: WebhookEndpoint) -> list[int]:
    session.expire_all()
    return list(session.exec(select(Job.run_at).where(Job.lane == lanes.lane_of(row.id))))


def test_paused_it_keeps_its_deliveries_and_enabled_it_sends_them(
    world: World, call: Call, session: Session, post: Post, receiver: Receiver
) -> None:
    caller = call(world.facilitator)
    made = _created(caller, world, url=receiver.url, event_types=["team.*"])
    row, path = _row(session, made), f"{PATH}/{made['id']}/transitions"
    post.happen(row)
    assert caller.post(path, {"to": "paused"}).json()["state"] == "paused"
    post.happen(row)
    assert post.deliver() == []
    again = caller.post(path, {"to": "paused"})
    assert (again.status_code, again.json()["allowed"]) == (409, ["enabled"])
    assert caller.post(path, {"to": "enabled"}).json()["state"] == "enabled"
    post.deliver(after=60)
    assert len(receiver.received) == 2
    assert {each.state for each in post.deliveries(row)} == {DeliveryState.SUCCEEDED}
    events = session.exec(select(Event.type).where(Event.resource_id == row.id)).all()
    assert events.count("webhook_endpoint.state_changed") == 2


def test_enabling_what_was_disabled_says_from_when_on_to_recover(
    world: World, call: Call, session: Session, post: Post
) -> None:
    since = post.now - timedelta(days=6)
    row = make_webhook_endpoint(
        session,
        programme=world.programme,
        state=EndpointState.DISABLED,
        disabled_reason="No delivery succeeded for 5 days.",
        failures=12,
        exhausted=3,
        failing_since=since,
        open_until=post.now + timedelta(minutes=15),
    )
    caller, path = call(world.facilitator), f"{PATH}/{row.id}"
    assert caller.post(f"{path}/transitions", {"to": "paused"}).json()["allowed"] == ["enabled"]
    assert caller.post(f"{path}/transitions", {"to": "disabled"}).status_code == 422
    assert caller.post(f"{path}/ping").json()["code"] == "webhook_endpoint_disabled"
    enabled = caller.post(f"{path}/transitions", {"to": "enabled"}).json()
    assert (enabled["state"], enabled["disabled_reason"]) == ("enabled", None)
    assert (enabled["failures"], enabled["open_until"]) == (0, None)
    assert enabled["failing_since"] == since.isoformat().replace("+00:00", "Z")
    assert _row(session, enabled).exhausted == 0


def test_a_new_secret_leaves_the_old_one_a_day(
    world: World, call: Call, app: OpenQI, session: Session
) -> None:
    caller = call(world.facilitator)
    made = _created(caller, world)
    path = f"{PATH}/{made['id']}"
    answer = caller.post(f"{path}/rotate-secret", {})
    rotated = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_secret(rotated["secret"])
    assert rotated["secret"] != made["secret"]
    row = _row(session, made)
    assert row.old_secret is not None
    assert row.old_secret_until is not None
    assert row.old_secret_until - row.updated_at == timedelta(hours=24)
    sealer = app.state.parts.sealer
    assert sealer.open(row.old_secret, bound_to=row.sealed_for) == made["secret"]
    assert caller.delete(f"{path}/old-secret").status_code == 204
    assert _row(session, made).old_secret is None
    assert caller.delete(f"{path}/old-secret").status_code == 204


def test_a_secret_that_leaked_ends_at_once(world: World, call: Call, session: Session) -> None:
    caller = call(world.facilitator)
    made = _created(caller, world)
    rotated = caller.post(f"{PATH}/{made['id']}/rotate-secret", {"expire_old": True}).json()
    assert rotated["old_secret_until"] is None
    row = _row(session, made)
    assert row.old_secret is None
    changes = session.exec(select(Event.changes).where(Event.resource_id == row.id)).all()
    assert row.secret not in str(changes)
    assert "[redacted]" in str(changes)


def test_a_ping_takes_the_same_path_to_this_endpoint_alone(
    world: World, call: Call, session: Session, post: Post, receiver: Receiver
) -> None:
    caller = call(world.facilitator).with_token("webhook:write", "webhook:read")
    made = _created(caller, world, url=receiver.url)
    make_webhook_endpoint(session, programme=world.programme, url=receiver.url)
    answer = caller.post(f"{PATH}/{made['id']}/ping")
    assert answer.status_code == 202
    delivery = answer.json()
    assert answer.headers["Location"] == f"/api/v1/webhook-deliveries/{delivery['id']}"
    assert delivery["event_type"] == "webhook_endpoint.pinged"
    post.dispatch()
    pings = select(WebhookDelivery).where(
        col(WebhookDelivery.event_type) == "webhook_endpoint.pinged"
    )
    assert [str(each.id) for each in session.exec(pings)] == [delivery["id"]]
    post.deliver(after=1)
    named = [
        each for each in receiver.received if each.headers["webhook-id"] == delivery["webhook_id"]
    ]
    assert len(named) == 1
    assert named[0].verified(made["secret"])["type"] == "webhook_endpoint.pinged"
    assert caller.ok(f"/webhook-deliveries/{delivery['id']}")["state"] == "succeeded"


def test_the_address_is_looked_up_before_a_transaction_has_its_turn(
    world: World, call: Call, app: OpenQI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow name server must not keep every other write waiting (SQLite has one writer)."""
    free = database.write_turns.value
    seen: list[int] = []
    monkeypatch.setattr(
        "app.webhooks.dependencies.check_target",
        lambda url, policy: seen.append(database.write_turns.value),
    )
    caller = call(world.facilitator)
    made = _created(caller, world)
    caller.patch(f"{PATH}/{made['id']}", {"url": URL + "/2"})
    assert seen == [free, free]


def test_an_endpoint_of_another_programme_is_not_there(
    world: World, call: Call, session: Session
) -> None:
    row = make_webhook_endpoint(session, programme=world.other_programme)
    delivery = make_webhook_delivery(session, endpoint=row)
    caller = call(world.facilitator)
    assert caller.get(f"{PATH}/{row.id}").status_code == 404
    assert caller.post(f"{PATH}/{row.id}/ping").status_code == 404
    assert caller.get(f"/webhook-deliveries/{delivery.id}").status_code == 404
    assert call(make_user(session)).get(f"{PATH}/{row.id}").status_code == 404
