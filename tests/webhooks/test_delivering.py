"""Deliveries to a real receiver: signed, retried, refused, and never more than is due."""

from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
from sqlmodel import Session, col, select
from standardwebhooks import Webhook, WebhookVerificationError

from app.jobs.handlers import Done, Retry
from app.kit.outbound import Policy
from app.webhooks.models import DeliveryState, WebhookAttempt
from tests.jobs.draining import waiting
from tests.webhooks.receiving import OK, Post, Receiver, garbage, status


def _attempts(session: Session) -> list[WebhookAttempt]:
    return list(session.exec(select(WebhookAttempt).order_by(col(WebhookAttempt.id))))


def test_a_delivery_is_signed_so_that_the_standards_own_library_accepts_it(
    post: Post, receiver: Receiver
) -> None:
    endpoint, secret = post.endpoint(receiver.url)
    event = post.happen(endpoint)
    post.deliver()
    (received,) = receiver.received
    payload = received.verified(secret)
    assert payload["id"] == received.headers["webhook-id"] == f"evt_{event.id.hex}"
    post.session.refresh(event)
    assert received.body.decode() == event.payload
    assert received.headers["content-type"] == "application/json"
    (delivery,) = post.deliveries(endpoint)
    assert (delivery.state, delivery.attempts) == (DeliveryState.SUCCEEDED, 1)
    assert (delivery.last_status, delivery.finished_at) == (204, post.now)
    assert waiting(post.database, "webhook.deliver") == 0
    assert post.again(endpoint).last_success_at == post.now


def test_what_was_tampered_with_is_refused(post: Post, receiver: Receiver) -> None:
    endpoint, secret = post.endpoint(receiver.url)
    post.happen(endpoint)
    post.deliver()
    (received,) = receiver.received
    received.body = received.body.replace(b"team.created", b"team.updated")
    with pytest.raises(WebhookVerificationError):
        received.verified(secret)


def test_while_secrets_rotate_both_keys_verify_and_later_the_new_one_alone(
    post: Post, receiver: Receiver
) -> None:
    endpoint, old = post.endpoint(receiver.url)
    _, new = post.endpoint(receiver.url)
    endpoint.old_secret, endpoint.old_secret_until = (
        endpoint.secret,
        post.now + timedelta(hours=24),
    )
    endpoint.secret = post.sealer.seal(new, bound_to=endpoint.sealed_for)
    post.session.commit()
    post.happen(endpoint)
    post.deliver()
    post.happen(endpoint)
    first = receiver.received[0]
    assert first.verified(new) == first.verified(old)
    post.now += timedelta(hours=24)
    endpoint.old_secret_until = post.now
    post.session.commit()
    post.deliver()
    second = receiver.received[1]
    at = datetime.fromtimestamp(int(second.headers["webhook-timestamp"]), UTC)
    name, body = second.headers["webhook-id"], second.body.decode()
    assert second.headers["webhook-signature"] == Webhook(new).sign(name, at, body)


@pytest.mark.parametrize(
    ("behaviour", "code", "error"),
    [
        (status(500, b"broken"), 500, "The receiver answered 500."),
        (status(404), 404, "The receiver answered 404."),
        (
            status(302, Location="http://127.0.0.1:1/"),
            302,
            "The receiver answered 302; redirects are not followed.",
        ),
        (garbage, None, "The answer was not HTTP."),
    ],
)
def test_a_failure_is_noted_and_tried_again(
    post: Post, receiver: Receiver, behaviour: object, code: int | None, error: str
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    receiver.answers(behaviour, OK)  # type: ignore[arg-type]
    post.happen(endpoint)
    (outcome,) = post.deliver()
    assert isinstance(outcome, Retry)
    (delivery,) = post.deliveries(endpoint)
    assert (delivery.state, delivery.last_status) == (DeliveryState.PENDING, code)
    assert (delivery.last_error, delivery.next_at) == (error, post.now + timedelta(seconds=5))
    assert post.deliver(after=4) == []
    assert isinstance(post.deliver(after=2)[0], Done)
    assert len({each.headers["webhook-id"] for each in receiver.received}) == 1
    stamps = [int(each.headers["webhook-timestamp"]) for each in receiver.received]
    assert stamps[1] - stamps[0] == 6
    first, second = _attempts(post.session)
    assert (first.number, first.error, second.number, second.status) == (1, error, 2, 204)


def test_the_beginning_of_an_answer_is_kept_also_of_a_huge_one_with_nul(
    post: Post, receiver: Receiver
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    receiver.answers(status(200, b"a\x00" + b"b" * 10_000_000))
    post.happen(endpoint)
    post.deliver()
    (delivery,) = post.deliveries(endpoint)
    assert delivery.state is DeliveryState.SUCCEEDED
    (attempt,) = _attempts(post.session)
    assert attempt.response_head == "a\ufffd" + "b" * 1022
    assert attempt.remote_address == "127.0.0.1"


@pytest.mark.parametrize("drips", [True, False])
def test_who_drips_or_hangs_is_cut_off_and_left_alone_for_a_minute(
    post: Post, receiver: Receiver, drips: bool
) -> None:
    def dawdle(request: BaseHTTPRequestHandler) -> None:
        if drips:
            request.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\n")
        while drips and not receiver.released.wait(0.02):
            request.wfile.write(b".")
        receiver.released.wait(10)

    endpoint, _ = post.endpoint(receiver.url)
    receiver.answers(dawdle)
    post.seconds = 0.3
    post.happen(endpoint)
    post.deliver()
    (delivery,) = post.deliveries(endpoint)
    assert delivery.last_error == "No complete answer came in time."
    assert delivery.next_at == post.now + timedelta(seconds=60)
    assert _attempts(post.session)[0].milliseconds < 2_000


def test_retry_after_is_heeded_within_an_hour(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    receiver.answers(status(429, Retry_After="900"))
    post.happen(endpoint)
    post.deliver()
    (delivery,) = post.deliveries(endpoint)
    assert delivery.next_at == post.now + timedelta(seconds=900)


def test_after_the_last_attempt_it_has_failed(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    receiver.answers(status(500))
    post.happen(endpoint)
    for wait in (0, *post.waits):
        post.deliver(after=wait + 1)
    (delivery,) = post.deliveries(endpoint)
    assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, 4)
    assert (delivery.next_at, delivery.finished_at) == (None, post.now)
    assert waiting(post.database, "webhook.deliver") == 0
    assert post.deliver(after=100_000) == []
    assert len(receiver.received) == 4


def test_a_blocked_address_is_a_failure_without_a_call(post: Post, receiver: Receiver) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    post.policy = Policy(allow_http=True)
    post.happen(endpoint)
    post.deliver()
    (delivery,) = post.deliveries(endpoint)
    assert (delivery.state, delivery.last_status) == (DeliveryState.PENDING, None)
    assert delivery.last_error == "The address is not allowed."
    (attempt,) = _attempts(post.session)
    assert (attempt.remote_address, attempt.response_head) == (None, None)
    assert receiver.received == []


def test_a_secret_that_cannot_be_read_is_a_failure_and_no_crash(
    post: Post, receiver: Receiver
) -> None:
    endpoint, _ = post.endpoint(receiver.url)
    endpoint.secret = "sealed by another key"
    post.session.commit()
    post.happen(endpoint)
    post.deliver()
    (delivery,) = post.deliveries(endpoint)
    assert delivery.last_error == "The stored secret cannot be read; rotate it."
    assert receiver.received == []
