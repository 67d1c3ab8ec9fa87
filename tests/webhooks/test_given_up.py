"""Deliveries whose job dies on our side: they end, are told of, and can go again."""

from dataclasses import replace
from typing import Any

from sqlmodel import col, select

from app.jobs.claiming import claim
from app.jobs.handlers import Outcome, Retry, Work
from app.jobs.models import DeadJob, Job
from app.webhooks.deliveries.replays import replay_deliveries
from app.webhooks.deliveries.schemas import Span
from app.webhooks.keeping import GIVEN_UP
from app.webhooks.lanes import DELIVER
from app.webhooks.models import DeliveryState, EndpointState, WebhookEndpoint
from tests.jobs.draining import drain
from tests.webhooks.receiving import Post, Receiver

HOUR_MS = 3_600_000


def _lose_workers(post: Post) -> None:
    """As many workers as there are attempts claim what is due, and never come back."""
    for number in range(DELIVER.attempts):
        instant = post.instant + number * HOUR_MS
        assert claim(post.database, [DELIVER], limit=10, worker="lost", now=instant)


def _give_up(post: Post) -> list[Outcome]:
    _lose_workers(post)
    instant = post.instant + DELIVER.attempts * HOUR_MS
    return drain(post.database, [post.handler()], now=instant)


def _letters(post: Post) -> list[Job]:
    return list(post.session.exec(select(Job).where(Job.kind == "mail.send")))


def _check_ended(post: Post, endpoint: WebhookEndpoint) -> None:
    (delivery,) = post.deliveries(endpoint)
    assert (delivery.state, delivery.last_error) == (DeliveryState.FAILED, GIVEN_UP)
    assert (delivery.next_at, delivery.finished_at) == (None, post.now)
    assert [dead.kind for dead in post.session.exec(select(DeadJob))] == ["webhook.deliver"]
    assert post.session.exec(select(Job).where(col(Job.lease).is_not(None))).all() == []


def test_what_kills_its_worker_each_time_ends(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    _give_up(post)
    assert receiver.received == []
    _check_ended(post, endpoint)


def test_what_fails_here_each_time_ends(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)

    async def run(work: Work, found: Any) -> Outcome:
        return Retry("ValueError at somewhere.py:1")  # as a worker takes an exception

    broken = replace(post.handler(), run=run)
    for number in range(DELIVER.attempts):
        assert post.deliveries(endpoint)[0].state is DeliveryState.PENDING
        drain(post.database, [broken], now=post.instant + number * 24 * HOUR_MS)
    _check_ended(post, endpoint)


def test_the_owner_hears_of_it_once(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    for _ in range(3):
        post.happen(endpoint)
    _give_up(post)
    after = post.again(endpoint)
    assert (after.exhausted, after.failures, after.open_until) == (3, 0, None)
    assert after.state is EndpointState.ENABLED
    assert [each.args["letter"] for each in _letters(post)] == ["webhook_endpoint_failing"]


def test_what_was_cancelled_meanwhile_stays_so(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    (delivery,) = post.deliveries(endpoint)
    delivery.state = DeliveryState.CANCELLED
    post.session.commit()
    _give_up(post)
    assert post.deliveries(endpoint)[0].state is DeliveryState.CANCELLED
    assert post.again(endpoint).exhausted == 0
    assert _letters(post) == []


def test_it_can_be_sent_again(post: Post, receiver: Receiver) -> None:
    endpoint, secret = post.endpoint(receiver.url)
    event = post.happen(endpoint)
    _give_up(post)
    span = Span(since=event.created_at, until=post.now.replace(year=2100), only_missed=True)
    with post.database.transaction() as session:
        replay_deliveries(session, endpoint=session.merge(endpoint), span=span, now=post.now)
    post.deliver(after=1)
    assert [each.state for each in post.deliveries(endpoint)] == [
        DeliveryState.FAILED,
        DeliveryState.SUCCEEDED,
    ]
    assert receiver.received[0].verified(secret)["id"] == f"evt_{event.id.hex}"
