"""The breaker, pausing and disabling: what an endpoint that fails or rests does to its lane."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import col, select

from app.events.models import Event
from app.identity.models import User
from app.jobs.handlers import Done, Outcome, Retry, Work
from app.jobs.models import Job
from app.kit.mail import Letter
from app.webhooks import lanes
from app.webhooks.keeping import hold_paused
from app.webhooks.letters import LETTERS
from app.webhooks.models import DeliveryState, EndpointState, WebhookEndpoint
from app.webhooks.parcels import Waiting
from app.webhooks.verdicts import GONE_REASON, LASTING_REASON
from tests.calling import Caller
from tests.jobs.draining import waiting
from tests.looping import run_to_end
from tests.webhooks.receiving import OK, Post, Receiver, status

WEBHOOK = "webhook.deliver"


def _run_at(post: Post, endpoint: WebhookEndpoint) -> list[int]:
    lane = lanes.lane_of(endpoint.id)
    statement = select(Job.run_at).where(Job.lane == lane).order_by(col(Job.run_at))
    return list(post.session.exec(statement))


def _mail(post: Post) -> list[Job]:
    statement = select(Job).where(Job.kind == "mail.send").order_by(col(Job.id))
    return list(post.session.exec(statement))


def _failing(post: Post, receiver: Receiver, events: int = 5) -> WebhookEndpoint:
    """An endpoint with as many messages, each of which failed once."""
    endpoint, _ = post.endpoint(receiver.url)
    receiver.answers(status(500))
    for _ in range(events):
        post.happen(endpoint)
    post.deliver()
    assert len(receiver.received) == events
    return post.again(endpoint)


def test_after_five_failures_the_lane_rests_and_one_probe_goes_first(
    post: Post, receiver: Receiver
) -> None:
    endpoint = _failing(post, receiver)
    until = post.now + timedelta(seconds=30)
    assert (endpoint.failures, endpoint.open_until) == (5, until)
    assert endpoint.failing_since == post.now
    first, *rest = _run_at(post, endpoint)
    assert first == int(until.timestamp() * 1000)
    assert {run_at - first for run_at in rest} == {lanes.PROBE_SECONDS * 1000}
    assert post.deliver(after=29) == []
    post.deliver(after=2)
    assert len(receiver.received) == 6


def test_while_it_rests_no_attempts_are_used_up(post: Post, receiver: Receiver) -> None:
    endpoint = _failing(post, receiver)
    for job in post.session.exec(select(Job).where(Job.kind == WEBHOOK)):
        job.run_at = 0  # as if claimed just before the breaker opened
    post.session.commit()
    outcomes = post.deliver(after=1)
    assert len(outcomes) == 5
    assert all(isinstance(each, Retry) and not each.counts for each in outcomes)
    assert len(receiver.received) == 5
    assert {delivery.attempts for delivery in post.deliveries(endpoint)} == {1}
    assert {job.attempt for job in post.session.exec(select(Job).where(Job.kind == WEBHOOK))} == {0}


def test_a_probe_that_fails_makes_the_rest_longer_and_nothing_else_is_sent(
    post: Post, receiver: Receiver
) -> None:
    endpoint = _failing(post, receiver)
    post.deliver(after=51)  # also those behind the probe are due
    assert len(receiver.received) == 6
    endpoint = post.again(endpoint)
    assert (endpoint.failures, endpoint.open_until) == (6, post.now + timedelta(seconds=60))


def test_a_probe_that_succeeds_closes_the_breaker(post: Post, receiver: Receiver) -> None:
    endpoint = _failing(post, receiver)
    receiver.answers(OK)
    post.deliver(after=31)
    endpoint = post.again(endpoint)
    assert (endpoint.failures, endpoint.failing_since, endpoint.open_until) == (0, None, None)
    post.deliver()  # those behind the probe wait no longer
    assert {each.state for each in post.deliveries(endpoint)} == {DeliveryState.SUCCEEDED}
    assert waiting(post.database, WEBHOOK) == 0


def test_a_ping_is_sent_while_the_lane_rests_and_ends_the_rest(
    post: Post, receiver: Receiver, call: Callable[..., Caller]
) -> None:
    endpoint = _failing(post, receiver)
    receiver.answers(OK)
    owner = post.session.get_one(User, endpoint.owner_id)
    assert call(owner).post(f"/webhook-endpoints/{endpoint.id}/ping").status_code == 202
    post.deliver(after=1)
    pinged = [b"webhook_endpoint.pinged" in each.body for each in receiver.received]
    assert pinged == [False] * 5 + [True] + [False] * 5
    assert post.again(endpoint).open_until is None
    assert {each.state for each in post.deliveries(endpoint)} == {DeliveryState.SUCCEEDED}


def test_a_ping_that_fails_while_the_lane_rests_changes_nothing(
    post: Post, receiver: Receiver, call: Callable[..., Caller]
) -> None:
    endpoint = _failing(post, receiver)
    until = endpoint.open_until
    owner = post.session.get_one(User, endpoint.owner_id)
    call(owner).post(f"/webhook-endpoints/{endpoint.id}/ping")
    post.deliver(after=1)
    endpoint = post.again(endpoint)
    assert (len(receiver.received), endpoint.failures, endpoint.open_until) == (6, 5, until)


def test_what_waits_for_its_own_time_is_not_woken_by_a_recovery(
    post: Post, receiver: Receiver
) -> None:
    endpoint = _failing(post, receiver)
    receiver.answers(OK)
    last = post.session.exec(
        select(Job).where(Job.kind == WEBHOOK).order_by(col(Job.id).desc())
    ).first()
    assert last is not None
    last.run_at = post.instant + 3_600_000
    post.session.commit()
    post.deliver(after=31)
    post.deliver()
    assert _run_at(post, endpoint) == [last.run_at]


def test_one_probe_at_a_time_also_of_batches_that_run_together(
    post: Post, receiver: Receiver
) -> None:
    endpoint = _failing(post, receiver)
    post.now += timedelta(minutes=1)
    jobs = post.session.exec(select(Job).where(Job.kind == WEBHOOK).limit(2)).all()
    works = [Work(job.id or 0, job.kind, job.lane, job.args, 1, 0) for job in jobs]
    handler = post.handler()

    async def run_together() -> list[Outcome]:
        runs = []
        for work in works:
            with post.database.reading() as session:
                runs.append(handler.run(work, handler.load(session, [work])[work.id]))
        return await asyncio.gather(*runs)

    probed, put_off = run_to_end(run_together())
    assert isinstance(probed, Retry)
    assert probed.effect is not None
    assert isinstance(put_off, Retry)
    assert put_off.error == "Another delivery is trying the receiver."
    assert not put_off.counts
    assert len(receiver.received) == 6
    assert post.again(endpoint).failures == 5  # nothing is stored before it is settled


def test_how_it_fares_leaves_the_revision_alone(post: Post, receiver: Receiver) -> None:
    endpoint = _failing(post, receiver)
    assert endpoint.revision == 1


def test_a_claimed_delivery_of_a_paused_endpoint_waits_and_holds_its_lane(
    post: Post, receiver: Receiver
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    post.happen(endpoint)
    endpoint.state = EndpointState.PAUSED
    late = post.session.exec(select(Job).where(Job.kind == WEBHOOK).limit(1)).one()
    late.run_at += 120_000
    post.session.commit()
    (outcome,) = post.deliver()
    assert isinstance(outcome, Retry)
    assert not outcome.counts
    held = int((post.now + lanes.HELD_FOR).timestamp() * 1000)
    assert _run_at(post, endpoint) == [held, held]
    assert receiver.received == []
    assert {each.state for each in post.deliveries(endpoint)} == {DeliveryState.PENDING}


def test_who_was_claimed_while_it_was_enabled_again_goes_on_at_once(
    post: Post, receiver: Receiver
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    late = Waiting(endpoint.id, "The endpoint is paused.", post.now + lanes.HELD_FOR, True)
    lanes.hold(post.session, endpoint_id=endpoint.id, until=late.until)
    hold_paused(post.session, [late])
    post.session.commit()
    post.deliver()
    assert len(receiver.received) == 1


@pytest.mark.parametrize(
    ("over", "reason"),
    [
        ({"state": EndpointState.DISABLED}, "The endpoint is disabled."),
        ({"archived_at": True}, "The endpoint was archived."),
    ],
)
def test_a_claimed_delivery_of_an_ended_endpoint_is_cancelled(
    post: Post, receiver: Receiver, over: dict[str, object], reason: str
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    for name, value in over.items():
        setattr(endpoint, name, post.now if value is True else value)
    post.session.commit()
    assert isinstance(post.deliver()[0], Done)
    (delivery,) = post.deliveries(endpoint)
    assert (delivery.state, delivery.last_error) == (DeliveryState.CANCELLED, reason)
    assert receiver.received == []
    assert waiting(post.database, WEBHOOK) == 0


def test_a_job_whose_delivery_has_ended_does_nothing(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    post.deliveries(endpoint)[0].state = DeliveryState.CANCELLED
    post.session.commit()
    assert post.deliver() == [Done()]
    assert receiver.received == []


def _events(post: Post, endpoint: WebhookEndpoint) -> list[Event]:
    statement = select(Event).where(
        Event.resource_id == endpoint.id, Event.type == "webhook_endpoint.state_changed"
    )
    return list(post.session.exec(statement))


def test_gone_disables_at_once_and_cancels_what_is_pending(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url, description="Platform")
    receiver.answers(status(500), status(410))
    post.happen(endpoint)
    post.deliver()
    post.happen(endpoint)
    post.deliver()
    first, second = post.deliveries(endpoint)
    assert (first.state, first.last_error) == (DeliveryState.CANCELLED, GONE_REASON)
    assert (second.state, second.last_status) == (DeliveryState.FAILED, 410)
    assert waiting(post.database, WEBHOOK) == 0
    endpoint = post.again(endpoint)
    assert (endpoint.state, endpoint.revision) == (EndpointState.DISABLED, 2)
    assert endpoint.disabled_reason == GONE_REASON
    (event,) = _events(post, endpoint)
    assert (event.actor_id, event.revision) == (None, 2)
    assert event.changes["state"] == ["enabled", "disabled"]
    assert '"state":"disabled"' in event.payload
    (job,) = _mail(post)
    assert set(job.args) == {"letter", "ids"}
    to, subject, text = _letter(post, job)
    owner = post.session.get_one(User, endpoint.owner_id)
    assert (to, subject) == (owner.email, "Webhook endpoint Platform was disabled")
    assert GONE_REASON in text
    assert "/replays" in text


def _letter(post: Post, job: Job) -> Letter:
    letter = LETTERS[job.args["letter"]](post.session, job.args["ids"])
    assert letter is not None
    return letter


def test_the_first_message_given_up_is_told_to_the_owner_once(
    post: Post, receiver: Receiver
) -> None:
    post.waits = (5.0,)
    endpoint, _ = post.endpoint(receiver.url + "?token=hidden", description="")
    receiver.answers(status(500))
    post.happen(endpoint)
    post.happen(endpoint)
    post.deliver()
    post.deliver(after=6)
    assert post.again(endpoint).exhausted == 2
    (job,) = _mail(post)
    to, subject, text = _letter(post, job)
    assert (to, subject) == (
        post.session.get_one(User, endpoint.owner_id).email,
        "Webhook deliveries to 127.0.0.1 fail",
    )
    assert "hidden" not in text
    assert f"endpoint_id={endpoint.id}" in text


def test_after_five_days_without_a_success_it_is_disabled(post: Post, receiver: Receiver) -> None:
    post.waits = (5.0,)
    endpoint, _ = post.endpoint(receiver.url)
    receiver.answers(status(500))
    for _ in range(9):
        post.happen(endpoint)
        post.deliver()
        post.deliver(after=86_400 * 0.6)
        if post.again(endpoint).state is EndpointState.DISABLED:
            break
    endpoint = post.again(endpoint)
    assert endpoint.disabled_reason == LASTING_REASON
    assert endpoint.failing_since is not None
    assert post.now - endpoint.failing_since >= timedelta(days=5)
    assert len(_events(post, endpoint)) == 1
    assert [job.args["letter"] for job in _mail(post)] == [
        "webhook_endpoint_failing",
        "webhook_endpoint_disabled",
    ]
    before = len(receiver.received)
    post.happen(endpoint)
    post.deliver(after=86_400)
    assert len(receiver.received) == before
    assert waiting(post.database, WEBHOOK) == 0


def test_an_answer_that_comes_after_the_endpoint_was_archived_is_kept_as_it_was(
    post: Post, receiver: Receiver
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    post.happen(endpoint)
    deliveries = post.deliveries(endpoint)
    taken, refused = (delivery.id for delivery in deliveries)

    def archived_meanwhile(request: object) -> None:
        for delivery in deliveries:
            delivery.state = DeliveryState.CANCELLED
        endpoint.archived_at = post.now
        post.session.commit()
        status(204 if len(receiver.received) == 1 else 500)(request)  # type: ignore[arg-type]

    receiver.answers(archived_meanwhile)
    post.deliver()
    states = {delivery.id: delivery.state for delivery in post.deliveries(endpoint)}
    assert states == {taken: DeliveryState.SUCCEEDED, refused: DeliveryState.CANCELLED}
