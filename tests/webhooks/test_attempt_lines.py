"""Each attempt of a delivery is one line of the log: what was tried, what came of it, no more."""

import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from app.webhooks import delivering
from app.webhooks.models import WebhookEndpoint
from tests.webhooks.receiving import OK, Post, Receiver, status


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The suite logs errors only; most of these lines are of less import."""
    bound = structlog.make_filtering_bound_logger(logging.INFO)
    monkeypatch.setattr(delivering, "log", structlog.wrap_logger(None, wrapper_class=bound))
    with capture_logs() as logged:
        yield logged


def _ids(post: Post, endpoint: WebhookEndpoint, event_id: uuid.UUID) -> dict[str, str]:
    (delivery,) = post.deliveries(endpoint)
    return {
        "event_id": str(event_id),
        "endpoint_id": str(endpoint.id),
        "delivery_id": str(delivery.id),
    }


def test_every_attempt_is_one_line(post: Post, receiver: Receiver, lines: list[Any]) -> None:
    receiver.answers(status(503), OK)
    endpoint, _ = post.endpoint(receiver.url)
    ids = _ids(post, endpoint, post.happen(endpoint).id)
    post.deliver()
    post.deliver(after=120)
    failed, succeeded = lines
    assert failed.pop("ms") >= 0
    assert succeeded.pop("ms") >= 0
    told = {"event": "webhook_attempt", **ids, "failure": None}
    assert failed == told | {"log_level": "warning", "n": 1, "status": 503, "outcome": "retry"}
    assert succeeded == told | {"log_level": "info", "n": 2, "status": 204, "outcome": "succeeded"}


def test_the_last_attempt_says_that_it_was_the_last(
    post: Post, receiver: Receiver, lines: list[Any]
) -> None:
    receiver.answers(status(410))
    endpoint, _ = post.endpoint(receiver.url)
    post.happen(endpoint)
    post.deliver()
    (line,) = lines
    assert (line["log_level"], line["status"], line["outcome"]) == ("warning", 410, "failed")


def test_where_nobody_answers_the_line_says_what_failed(post: Post, lines: list[Any]) -> None:
    endpoint, _ = post.endpoint("http://127.0.0.1:1/hooks")
    post.happen(endpoint)
    post.deliver()
    (line,) = lines
    assert (line["status"], line["failure"], line["outcome"]) == (None, "not_allowed", "retry")


def test_no_address_no_body_and_no_secret_is_told(
    post: Post, receiver: Receiver, lines: list[Any]
) -> None:
    receiver.answers(status(500, b"the answer names Ada"))
    endpoint, secret = post.endpoint(f"{receiver.url}/ada?key=of-the-receiver")
    event = post.happen(endpoint)
    post.deliver()
    (line,) = lines
    assert len(receiver.received) == 1
    for private in (receiver.url, "hooks", "/ada", "of-the-receiver", "Ada", secret, event.payload):
        assert private not in str(line)
