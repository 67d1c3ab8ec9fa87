"""Webhook endpoints over HTTP: who may subscribe to what, secrets, states, the test message."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlmodel import Session, select

from app.access.permissions import Role
from app.events.models import Event
from app.identity.models import PersonalToken
from app.kit.db import Database
from app.kit.outbound import Policy
from app.kit.signing import is_secret
from app.main import OpenQI
from app.webhooks.actions import MOST_ENDPOINTS
from app.webhooks.models import DeliveryState, EndpointState
from tests.builders import make_membership, make_user
from tests.calling import Caller
from tests.exchange import make_webhook_delivery, make_webhook_endpoint
from tests.jobs.draining import waiting
from tests.webhooks.bodies import PATH, URL, codes, created, endpoint_body, row_of
from tests.webhooks.receiving import Post
from tests.world import World

Call = Callable[..., Caller]


def test_the_secret_is_shown_once_and_kept_sealed(
    world: World, call: Call, app: OpenQI, session: Session
) -> None:
    caller = call(world.facilitator)
    answer = caller.post(
        PATH, endpoint_body(world, event_types=["team.*"], description=" Platform ")
    )
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1{PATH}/{made['id']}"
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_secret(made["secret"])
    assert (made["description"], made["state"]) == ("Platform", "enabled")
    assert (made["owner_id"], made["scopes"]) == (str(world.facilitator.id), None)
    read = caller.ok(f"{PATH}/{made['id']}")
    assert read == {name: value for name, value in made.items() if name != "secret"}
    row = row_of(session, made)
    assert made["secret"] not in row.secret
    opened = app.state.parts.sealer.open(row.secret, bound_to=row.sealed_for)
    assert opened == made["secret"]
    event = session.exec(select(Event).where(Event.resource_id == row.id)).one()
    assert event.type == "webhook_endpoint.created"
    assert URL not in event.payload


def test_no_idempotency_key_is_taken_with_a_secret(world: World, call: Call) -> None:
    answer = call(world.facilitator).post(PATH, endpoint_body(world), **{"Idempotency-Key": "once"})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_refused")


def test_an_unknown_type_is_answered_with_what_was_meant(world: World, call: Call) -> None:
    body = endpoint_body(world, event_types=["team.created", "measure.update", "user.created"])
    answer = call(world.facilitator).post(PATH, body)
    assert answer.status_code == 422
    assert codes(answer) == [
        ("unknown_event_type", "#/event_types/1"),
        ("unknown_event_type", "#/event_types/2"),
    ]
    assert "measure.updated" in answer.json()["errors"][0]["detail"]


def test_a_type_that_the_caller_may_not_read_is_refused_by_name(world: World, call: Call) -> None:
    caller = call(world.people[Role.INTEGRATION])
    body = endpoint_body(world, event_types=["measure.*", "participant.created", "*"])
    answer = caller.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "event_type_forbidden")
    assert codes(answer) == [("event_type_forbidden", "#/event_types/1")]
    assert "participant:read" in answer.json()["errors"][0]["detail"]
    assert created(caller, world, event_types=["measure.*", "*"])["state"] == "enabled"


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
    made = created(caller, world)
    for answer in (
        caller.post(PATH, endpoint_body(world, url=url)),
        caller.patch(f"{PATH}/{made['id']}", {"url": url}),
    ):
        assert answer.status_code == 422, answer.text
        assert codes(answer) == [("address_not_allowed", "#/url")]
        assert "127.0.0.1" not in answer.text
        assert "::1" not in answer.text


def test_somebody_who_can_have_no_endpoint_has_no_name_looked_up(
    app: OpenQI, world: World, call: Call
) -> None:
    app.state.parts = replace(app.state.parts, policy=Policy())
    answer = call(world.member).post(PATH, endpoint_body(world, url="https://localhost/"))
    assert answer.status_code == 403


def test_the_programme_must_be_visible_live_and_the_callers(
    world: World, call: Call, session: Session
) -> None:
    caller = call(world.facilitator)
    elsewhere = caller.post(
        PATH, endpoint_body(world) | {"programme_id": str(world.other_programme.id)}
    )
    assert codes(elsewhere) == [("reference_not_found", "#/programme_id")]
    make_membership(
        session, user=world.facilitator, role=Role.OBSERVER, programme=world.other_programme
    )
    visible = caller.post(
        PATH, endpoint_body(world) | {"programme_id": str(world.other_programme.id)}
    )
    assert (visible.status_code, visible.json()["code"]) == (403, "forbidden")
    unknown = call(world.admin).post(
        PATH, endpoint_body(world) | {"programme_id": str(world.team.id)}
    )
    assert codes(unknown) == [("reference_not_found", "#/programme_id")]
    world.programme.archived_at = world.programme.created_at
    session.commit()
    assert caller.post(PATH, endpoint_body(world)).json()["code"] == "archived"


def test_a_programme_has_twenty_live_endpoints_at_most(
    world: World, call: Call, session: Session
) -> None:
    rows = [
        make_webhook_endpoint(session, programme=world.programme) for _ in range(MOST_ENDPOINTS)
    ]
    caller = call(world.facilitator)
    answer = caller.post(PATH, endpoint_body(world))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhook_endpoints")
    assert caller.delete(f"{PATH}/{rows[0].id}").status_code == 204
    assert caller.post(PATH, endpoint_body(world)).status_code == 201


def test_a_token_narrows_for_good_and_ends_with_its_revocation(
    world: World, call: Call, session: Session
) -> None:
    person = call(world.facilitator)
    token = person.with_token("webhook:write", "webhook:read", "measure:read")
    refused = token.post(PATH, endpoint_body(world, event_types=["team.created"]))
    assert refused.json()["code"] == "event_type_forbidden"
    made = created(token, world, event_types=["measure.*"])
    assert made["scopes"] == ["measure:read", "webhook:read", "webhook:write"]
    row = row_of(session, made)
    own = select(PersonalToken).where(PersonalToken.user_id == world.facilitator.id)
    assert row.token_id == session.exec(own).one().id
    changed = person.patch(f"{PATH}/{made['id']}", {"event_types": ["*"]}).json()
    assert changed["scopes"] == made["scopes"]
    assert row_of(session, made).token_id is None


def test_who_redirects_an_endpoint_owns_it_with_no_more_than_both_rights(
    world: World, call: Call, session: Session
) -> None:
    """Else an integration could have what a facilitator hears sent to a place of its own."""
    made = created(call(world.facilitator), world, event_types=["participant.*"])
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
    made = created(caller, world)
    path = f"{PATH}/{made['id']}"
    assert caller.patch(path, {"description": "New"}, if_match='"7"').status_code == 412
    assert caller("PATCH", path, json={"description": "New"}).status_code == 428
    assert caller.patch(path, {"url": None}).status_code == 422


def test_archiving_cancels_what_is_pending_and_hides_it(
    world: World, call: Call, session: Session, own_post: Post
) -> None:
    caller = call(world.facilitator)
    made = created(caller, world, event_types=["team.*"])
    row = row_of(session, made)
    own_post.happen(row)
    assert waiting(own_post.database, "webhook.deliver") == 1
    for _ in range(2):
        assert caller.delete(f"{PATH}/{row.id}").status_code == 204
    (delivery,) = own_post.deliveries(row)
    assert (delivery.state, delivery.last_error) == (
        DeliveryState.CANCELLED,
        "The endpoint was archived.",
    )
    assert waiting(own_post.database, "webhook.deliver") == 0
    assert caller.ok(f"{PATH}/{row.id}")["archived_at"] is not None
    assert caller.ok(PATH, programme_id=str(world.programme.id))["items"] == []
    for method, step, body in [
        ("PATCH", "", {"description": "x"}),
        ("POST", "/transitions", {"to": "paused"}),
        ("POST", "/rotate-secret", {}),
        ("POST", "/ping", None),
        ("POST", "/replays", {"failed_since": own_post.now.isoformat()}),
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


def test_the_address_is_looked_up_before_a_transaction_has_its_turn(
    world: World, call: Call, app: OpenQI, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow name server must not keep every other write waiting (SQLite has one writer)."""
    free = database.write_turns.value
    seen: list[int] = []
    monkeypatch.setattr(
        "app.access.dependencies.check_target",
        lambda url, policy: seen.append(database.write_turns.value),
    )
    caller = call(world.facilitator)
    made = created(caller, world)
    caller.patch(f"{PATH}/{made['id']}", {"url": URL + "/2"})
    assert seen == [free, free]


def test_the_address_of_another_server_loses_its_last_slash(world: World, call: Call) -> None:
    """So that it is the origin that the changes from there bear."""
    caller = call(world.facilitator)
    made = created(caller, world, not_from="https://other.example/qi/")
    assert made["not_from"] == "https://other.example/qi"
    changed = caller.patch(f"{PATH}/{made['id']}", {"not_from": "lifeqi"}).json()
    assert changed["not_from"] == "lifeqi"


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
