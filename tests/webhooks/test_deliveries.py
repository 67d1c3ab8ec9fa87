"""Deliveries over HTTP: lists, attempts, sending one again, sending many again."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col

from app.access.models import Membership
from app.access.permissions import Role
from app.events.catalogue import Resource
from app.events.models import Event
from app.events.outbox import Origin
from app.kit.clock import unix_ms, utc_now
from app.kit.db import Database
from app.operations.models import Operation
from app.operations.running import operator
from app.webhooks.deliveries.actions import REPLAY
from app.webhooks.deliveries.replays import replay_deliveries
from app.webhooks.deliveries.runner import _Replay, run_replay
from app.webhooks.deliveries.schemas import Span
from app.webhooks.models import DeliveryState, EndpointState, WebhookAttempt, WebhookEndpoint
from tests.calling import Caller
from tests.exchange import make_event, make_webhook_delivery, make_webhook_endpoint
from tests.jobs.draining import drain, waiting
from tests.webhooks.receiving import OK, Post, Receiver, status
from tests.world import World

Call = Callable[..., Caller]
PATH = "/webhook-deliveries"
URL = "http://127.0.0.1:9/hooks"
SUCCEEDED, FAILED = DeliveryState.SUCCEEDED, DeliveryState.FAILED


@pytest.fixture
def endpoint(post: Post, world: World) -> WebhookEndpoint:
    return post.endpoint(URL, programme=world.programme)[0]


@pytest.fixture
def caller(call: Call, world: World) -> Caller:
    return call(world.facilitator)


def _text(instant: datetime) -> str:
    return instant.isoformat()


def test_lists_are_filtered(
    caller: Caller, endpoint: WebhookEndpoint, session: Session, post: Post
) -> None:
    old = make_webhook_delivery(
        session, endpoint=endpoint, state=FAILED, created_at=post.now - timedelta(days=2)
    )
    new = make_webhook_delivery(session, endpoint=endpoint, event_type="measure.updated")
    make_webhook_delivery(session)

    def ids(**filters: Any) -> list[str]:
        return [each["id"] for each in caller.ok(PATH, **filters)["items"]]

    assert ids() == [str(new.id), str(old.id)]
    assert ids(sort="created_at") == [str(old.id), str(new.id)]
    assert ids(state="failed") == ids(event_id=str(old.event_id)) == [str(old.id)]
    assert ids(event_type="measure.updated") == [str(new.id)]
    day_ago = _text(post.now - timedelta(days=1))
    assert ids(created_since=day_ago) == [str(new.id)]
    assert ids(created_until=day_ago) == [str(old.id)]
    assert len(ids(endpoint_id=str(endpoint.id), programme_id=str(endpoint.programme_id))) == 2
    assert ids(endpoint_id=str(new.id)) == []
    assert caller.get(PATH, event_type="; drop").status_code == 422


def test_a_delivery_tells_of_its_attempts(
    caller: Caller, post: Post, world: World, receiver: Receiver
) -> None:
    endpoint, _ = post.endpoint(receiver.url, programme=world.programme)
    receiver.answers(status(500, b"broken"), OK)
    event = post.happen(endpoint)
    post.deliver()
    post.deliver(after=6)
    (row,) = post.deliveries(endpoint)
    read = caller.ok(f"{PATH}/{row.id}")
    assert (read["state"], read["attempts"], read["next_at"]) == ("succeeded", 2, None)
    assert read["webhook_id"] == f"evt_{event.id.hex}"
    attempts = caller.ok(f"{PATH}/{row.id}/attempts")["items"]
    assert [(each["number"], each["status"]) for each in attempts] == [(1, 500), (2, 204)]
    assert attempts[0]["response_head"] == "broken"
    assert attempts[0]["error"] == "The receiver answered 500."


def test_attempts_are_paged(caller: Caller, endpoint: WebhookEndpoint, session: Session) -> None:
    row = make_webhook_delivery(session, endpoint=endpoint)
    for number in (1, 2, 3):
        session.add(WebhookAttempt(delivery_id=row.id, number=number, at=utc_now(), milliseconds=1))
    session.commit()
    page = caller.ok(f"{PATH}/{row.id}/attempts", limit=2)
    assert [each["number"] for each in page["items"]] == [1, 2]
    rest = caller.ok(f"{PATH}/{row.id}/attempts", limit=2, cursor=page["next_cursor"])
    assert [each["number"] for each in rest["items"]] == [3]


def test_one_is_sent_again_under_the_same_name(
    caller: Caller, post: Post, world: World, receiver: Receiver
) -> None:
    endpoint, secret = post.endpoint(receiver.url, programme=world.programme)
    post.happen(endpoint)
    (row,) = post.deliveries(endpoint)
    pending = caller.post(f"{PATH}/{row.id}/redeliver")
    assert (pending.status_code, pending.json()["code"]) == (409, "webhook_delivery_pending")
    post.deliver()
    answer = caller.post(f"{PATH}/{row.id}/redeliver")
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1{PATH}/{made['id']}"
    assert (made["replay"], made["state"], made["attempts"]) == (1, "pending", 0)
    assert caller.post(f"{PATH}/{row.id}/redeliver").status_code == 409
    post.deliver(after=60)
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == made["webhook_id"]
    assert first.verified(secret) == second.verified(secret)
    assert caller.post(f"{PATH}/{made['id']}/redeliver").json()["replay"] == 2


def test_nothing_is_sent_again_to_what_is_disabled(
    caller: Caller, endpoint: WebhookEndpoint, session: Session
) -> None:
    row = make_webhook_delivery(session, endpoint=endpoint, state=FAILED)
    endpoint.state = EndpointState.DISABLED
    session.commit()
    answer = caller.post(f"{PATH}/{row.id}/redeliver")
    assert (answer.status_code, answer.json()["code"]) == (409, "webhook_endpoint_disabled")
    path = f"/webhook-endpoints/{endpoint.id}/replays"
    answer = caller.post(path, {"failed_since": _text(endpoint.created_at)})
    assert answer.json()["code"] == "webhook_endpoint_disabled"


def _history(post: Post, endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Events that were got, given up, never sent (it was disabled), and wait to be sent."""
    endpoint.created_at = post.now - timedelta(hours=1)
    post.session.commit()
    events: dict[str, Event] = {}
    for fate in ("got", "failed", "waiting", "missed", "echo", "early", "other"):
        at = post.now - timedelta(minutes=90 if fate == "early" else 10)
        over: dict[str, Any] = {"echo": {"origin": Origin(source="life")}}.get(fate, {})
        over |= {"noun": Resource.MEASURE} if fate == "other" else {}
        event = make_event(post.session, programme_id=endpoint.programme_id, now=at, **over)
        event.seq = 1_000_000 + len(events)
        events[fate] = event
    post.session.commit()
    for fate, state in [("got", SUCCEEDED), ("failed", FAILED), ("waiting", DeliveryState.PENDING)]:
        make_webhook_delivery(
            post.session, endpoint=endpoint, event_id=events[fate].id, state=state
        )
    return events


def _made(post: Post, endpoint: WebhookEndpoint, events: dict[str, Any]) -> dict[str, int]:
    names = {event.id: fate for fate, event in events.items()}
    rows = [row for row in post.deliveries(endpoint) if row.created_at > endpoint.created_at]
    return {names[row.event_id]: row.replay for row in rows[3:]}


def work_off(database: Database, after: int = 0) -> None:
    """Run what was asked for, so many seconds from now."""
    now = unix_ms(utc_now()) + after * 1000 + 1
    drain(database, [operator({REPLAY: run_replay}, database=database)], now=now)


def replayed(caller: Caller, path: str, body: dict[str, str], post: Post) -> int:
    """How many deliveries a replay made, as its operation says."""
    answer = caller.post(path, body)
    assert answer.status_code == 202, answer.text
    work_off(post.database)
    read = caller.ok(answer.headers["Location"])
    assert (read["state"], read["kind"]) == ("succeeded", "webhooks.replay")
    made: int = read["result"]["deliveries"]
    assert (read["progress"]["done"], read["progress"]["total"]) == (made, made)
    return made


@pytest.fixture
def listening(post: Post, world: World) -> WebhookEndpoint:
    row, _ = post.endpoint(URL, programme=world.programme, event_types=["team.*"], not_from="life")
    return row


def test_what_was_missed_since_an_instant_is_sent_again(
    caller: Caller, listening: WebhookEndpoint, post: Post
) -> None:
    events = _history(post, listening)
    path = f"/webhook-endpoints/{listening.id}/replays"
    since = _text(post.now - timedelta(hours=3))
    assert replayed(caller, path, {"failed_since": since}, post) == 2
    assert _made(post, listening, events) == {"failed": 1, "missed": 0}
    assert waiting(post.database, "webhook.deliver") == 2
    assert replayed(caller, path, {"failed_since": since}, post) == 0


def test_a_span_is_sent_again_whole(caller: Caller, listening: WebhookEndpoint, post: Post) -> None:
    events = _history(post, listening)
    path = f"/webhook-endpoints/{listening.id}/replays"
    body = {
        "from": _text(post.now - timedelta(hours=2)),
        "to": _text(post.now - timedelta(minutes=5)),
    }
    assert replayed(caller, path, body, post) == 4
    assert _made(post, listening, events) == {"got": 1, "failed": 1, "missed": 0, "early": 0}


def test_many_are_replayed_in_chunks_that_resume(listening: WebhookEndpoint, post: Post) -> None:
    for number in range(5):
        event = make_event(post.session, programme_id=listening.programme_id)
        event.seq = 2_000_000 + number
    post.session.commit()
    now = utc_now()
    span = Span(now - timedelta(hours=1), now, only_missed=False)

    def go_on(after: Any = None) -> Any:
        return replay_deliveries(
            post.session, endpoint=listening, span=span, now=now, after=after, chunk=2
        )

    first = go_on()
    assert first.made == 2
    second = go_on(first.after)
    third = go_on(second.after)
    assert (second.made, third.made, third.after) == (2, 1, None)
    post.session.commit()
    assert len(post.deliveries(listening)) == waiting(post.database, "webhook.deliver") == 5


def test_a_replay_that_is_killed_sends_nothing_twice(
    caller: Caller, listening: WebhookEndpoint, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = _history(post, listening)
    path = f"/webhook-endpoints/{listening.id}/replays"
    address = caller.post(path, {"from": _text(post.now - timedelta(hours=2))}).headers["Location"]
    ends = _Replay.conclude
    monkeypatch.setattr(_Replay, "conclude", None)  # it dies after its last chunk
    work_off(post.database)
    assert caller.ok(address)["state"] == "running"
    monkeypatch.setattr(_Replay, "conclude", ends)
    work_off(post.database, after=3600)
    read = caller.ok(address)
    assert (read["state"], read["result"]) == ("succeeded", {"deliveries": 4})
    assert _made(post, listening, events) == {"got": 1, "failed": 1, "missed": 0, "early": 0}


def test_a_replay_ends_where_its_asker_may_no_longer(
    call: Callable[..., Caller], world: World, listening: WebhookEndpoint, post: Post
) -> None:
    _history(post, listening)
    asker = call(world.facilitator)
    body = {"from": _text(post.now - timedelta(hours=2))}
    answer = asker.post(f"/webhook-endpoints/{listening.id}/replays", body)
    post.session.execute(
        sa.delete(Membership).where(col(Membership.user_id) == world.facilitator.id)
    )
    post.session.commit()
    work_off(post.database)
    row = post.session.get_one(Operation, uuid.UUID(answer.json()["id"]))
    post.session.refresh(row)
    assert (row.state, (row.error or {})["code"]) == ("failed", "forbidden")
    assert waiting(post.database, "webhook.deliver") == 0


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ({}, "replay_span", "#"),
        ({"failed_since": "2018-01-01T00:00:00Z"}, "replay_too_old", "#/failed_since"),
        ({"from": "2018-01-01T00:00:00Z"}, "replay_too_old", "#/from"),
        (
            {"from": "2018-01-02T00:00:00Z", "to": "2018-01-01T00:00:00Z"},
            "replay_span",
            "#",
        ),
        ({"to": "2018-01-02T00:00:00Z"}, "replay_span", "#"),
        (
            {"failed_since": "2018-01-02T00:00:00Z", "from": "2018-01-02T00:00:00Z"},
            "replay_span",
            "#",
        ),
        ({"from": "2018-01-02T00:00:00"}, "timezone_aware", "#/from"),
    ],
)
def test_a_span_must_make_sense(
    caller: Caller, endpoint: WebhookEndpoint, body: dict[str, str], code: str, place: str
) -> None:
    answer = caller.post(f"/webhook-endpoints/{endpoint.id}/replays", body)
    assert answer.status_code == 422
    assert [(each["code"], each["pointer"]) for each in answer.json()["errors"]] == [(code, place)]


def test_what_the_owner_may_not_read_is_not_replayed(
    caller: Caller, post: Post, world: World
) -> None:
    row = make_webhook_endpoint(
        post.session, programme=world.programme, owner_id=world.people[Role.COMMISSIONER].id
    )
    row.created_at = post.now - timedelta(hours=1)
    for noun in (Resource.TEAM, Resource.MEASURE):
        event = make_event(post.session, programme_id=world.programme.id, noun=noun)
        event.seq = 3_000_000 + len(noun)
    post.session.commit()
    body = {"failed_since": _text(post.now - timedelta(hours=1))}
    assert replayed(caller, f"/webhook-endpoints/{row.id}/replays", body, post) == 1
    assert [each.event_type for each in post.deliveries(row)] == ["team.created"]
