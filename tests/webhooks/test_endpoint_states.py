"""States, secrets and the test message of webhook endpoints, over HTTP and to a real receiver."""

from collections.abc import Callable
from datetime import timedelta

from sqlmodel import Session, col, select

from app.events.models import Event
from app.kit.signing import is_secret
from app.main import OpenQI
from app.webhooks.models import DeliveryState, EndpointState, WebhookDelivery
from tests.calling import Caller
from tests.exchange import make_webhook_endpoint
from tests.webhooks.bodies import PATH, created, row_of
from tests.webhooks.receiving import Post, Receiver
from tests.world import World

Call = Callable[..., Caller]


def test_paused_it_keeps_its_deliveries_and_enabled_it_sends_them(
    world: World, call: Call, session: Session, own_post: Post, receiver: Receiver
) -> None:
    caller = call(world.facilitator)
    made = created(caller, world, url=receiver.url, event_types=["team.*"])
    row, path = row_of(session, made), f"{PATH}/{made['id']}/transitions"
    own_post.happen(row)
    assert caller.post(path, {"to": "paused"}).json()["state"] == "paused"
    own_post.happen(row)
    assert own_post.deliver() == []
    again = caller.post(path, {"to": "paused"})
    assert (again.status_code, again.json()["allowed"]) == (409, ["enabled"])
    assert caller.post(path, {"to": "enabled"}).json()["state"] == "enabled"
    own_post.deliver(after=60)
    assert len(receiver.received) == 2
    assert {each.state for each in own_post.deliveries(row)} == {DeliveryState.SUCCEEDED}
    events = session.exec(select(Event.type).where(Event.resource_id == row.id)).all()
    assert events.count("webhook_endpoint.state_changed") == 2


def test_enabling_what_was_disabled_says_from_when_on_to_recover(
    world: World, call: Call, session: Session, own_post: Post
) -> None:
    since = own_post.now - timedelta(days=6)
    row = make_webhook_endpoint(
        session,
        programme=world.programme,
        state=EndpointState.DISABLED,
        disabled_reason="No delivery succeeded for 5 days.",
        failures=12,
        exhausted=3,
        failing_since=since,
        open_until=own_post.now + timedelta(minutes=15),
    )
    caller, path = call(world.facilitator), f"{PATH}/{row.id}"
    assert caller.post(f"{path}/transitions", {"to": "paused"}).json()["allowed"] == ["enabled"]
    assert caller.post(f"{path}/transitions", {"to": "disabled"}).status_code == 422
    assert caller.post(f"{path}/ping").json()["code"] == "webhook_endpoint_disabled"
    enabled = caller.post(f"{path}/transitions", {"to": "enabled"}).json()
    assert (enabled["state"], enabled["disabled_reason"]) == ("enabled", None)
    assert (enabled["failures"], enabled["open_until"]) == (0, None)
    assert enabled["failing_since"] == since.isoformat().replace("+00:00", "Z")
    assert row_of(session, enabled).exhausted == 0


def test_a_new_secret_leaves_the_old_one_a_day(
    world: World, call: Call, app: OpenQI, session: Session
) -> None:
    caller = call(world.facilitator)
    made = created(caller, world)
    path = f"{PATH}/{made['id']}"
    answer = caller.post(f"{path}/rotate-secret", {})
    rotated = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert is_secret(rotated["secret"])
    assert rotated["secret"] != made["secret"]
    row = row_of(session, made)
    assert row.old_secret is not None
    assert row.old_secret_until is not None
    assert row.old_secret_until - row.updated_at == timedelta(hours=24)
    sealer = app.state.parts.sealer
    assert sealer.open(row.old_secret, bound_to=row.sealed_for) == made["secret"]
    assert caller.delete(f"{path}/old-secret").status_code == 204
    assert row_of(session, made).old_secret is None
    assert caller.delete(f"{path}/old-secret").status_code == 204


def test_a_secret_that_leaked_ends_at_once(world: World, call: Call, session: Session) -> None:
    caller = call(world.facilitator)
    made = created(caller, world)
    rotated = caller.post(f"{PATH}/{made['id']}/rotate-secret", {"expire_old": True}).json()
    assert rotated["old_secret_until"] is None
    row = row_of(session, made)
    assert row.old_secret is None
    changes = session.exec(select(Event.changes).where(Event.resource_id == row.id)).all()
    assert row.secret not in str(changes)
    assert "[redacted]" in str(changes)


def test_a_ping_takes_the_same_path_to_this_endpoint_alone(
    world: World, call: Call, session: Session, own_post: Post, receiver: Receiver
) -> None:
    caller = call(world.facilitator).with_token("webhook:write", "webhook:read")
    made = created(caller, world, url=receiver.url)
    make_webhook_endpoint(session, programme=world.programme, url=receiver.url)
    answer = caller.post(f"{PATH}/{made['id']}/ping")
    assert answer.status_code == 202
    delivery = answer.json()
    assert answer.headers["Location"] == f"/api/v1/webhook-deliveries/{delivery['id']}"
    assert delivery["event_type"] == "webhook_endpoint.pinged"
    own_post.dispatch()
    pings = select(WebhookDelivery).where(
        col(WebhookDelivery.event_type) == "webhook_endpoint.pinged"
    )
    assert [str(each.id) for each in session.exec(pings)] == [delivery["id"]]
    own_post.deliver(after=1)
    named = [
        each for each in receiver.received if each.headers["webhook-id"] == delivery["webhook_id"]
    ]
    assert len(named) == 1
    assert named[0].verified(made["secret"])["type"] == "webhook_endpoint.pinged"
    assert caller.ok(f"/webhook-deliveries/{delivery['id']}")["state"] == "succeeded"
