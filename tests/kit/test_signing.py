"""Signed messages: an independent library of the standard accepts ours and refuses what we do."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app.kit.signing import TOLERANCE_SECONDS, Unverified, is_secret, make_secret, sign, verify

NOW = int(datetime(2018, 1, 8, 9, 30, tzinfo=UTC).timestamp())
BODY = json.dumps({"type": "project.updated", "data": {"id": "é"}}).encode()
OLD, NEW, OTHER = make_secret(), make_secret(), make_secret()


def _verify(headers: dict[str, str], body: bytes = BODY, *held: str, now: float = NOW) -> int:
    return verify(
        held or (NEW,),
        message_id=headers["webhook-id"],
        timestamp=headers["webhook-timestamp"],
        signature=headers["webhook-signature"],
        body=body,
        now=now,
    )


def test_the_library_accepts_ours_also_while_secrets_rotate() -> None:
    now = int(datetime.now(UTC).timestamp())  # the library looks at the clock
    headers = sign([NEW, OLD], message_id="evt_1", timestamp=now, body=BODY)
    for secret in NEW, OLD:
        assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(BODY, headers | {"webhook-id": "evt_2"})


def test_we_accept_the_library_s() -> None:
    at = datetime.fromtimestamp(NOW, UTC)
    signature = Webhook(NEW).sign("msg_1", at, BODY.decode())
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": f"v1a,AAAA {signature} nonsense",
    }
    assert _verify(headers) == NOW
    assert _verify(headers, BODY, OTHER, NEW) == NOW


@pytest.mark.parametrize(
    ("change", "now"),
    [
        ({"webhook-id": "evt_2"}, NOW),
        ({"webhook-timestamp": str(NOW + 1)}, NOW),
        ({"webhook-timestamp": "soon"}, NOW),
        ({"webhook-timestamp": "-5"}, NOW),
        ({"webhook-timestamp": "٣"}, NOW),
        ({"webhook-timestamp": "9" * 400}, NOW),
        ({"webhook-signature": ""}, NOW),
        ({"webhook-signature": "v1"}, NOW),
        ({"webhook-signature": "v1,é"}, NOW),
        ({"webhook-signature": "v2,AAAA"}, NOW),
        ({}, NOW + TOLERANCE_SECONDS + 1),
        ({}, NOW - TOLERANCE_SECONDS - 1),
    ],
)
def test_refused(change: dict[str, str], now: float) -> None:
    headers = sign([NEW], message_id="evt_1", timestamp=NOW, body=BODY)
    assert _verify(headers) == NOW
    with pytest.raises(Unverified):
        _verify(headers | change, now=now)


def test_another_secret_or_body_is_refused() -> None:
    headers = sign([OLD], message_id="evt_1", timestamp=NOW, body=BODY)
    with pytest.raises(Unverified):
        _verify(headers, BODY, NEW, OTHER)
    with pytest.raises(Unverified):
        _verify(headers, BODY + b"\n", OLD)


@given(st.binary(max_size=200), st.text("abcdef0123456789_", min_size=1, max_size=40))
def test_what_is_signed_verifies(body: bytes, message_id: str) -> None:
    headers = sign([OLD, NEW], message_id=message_id, timestamp=NOW, body=body)
    assert _verify(headers, body, NEW) == NOW


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(make_secret(), True, id="made"),
        ("whsec_" + base64.b64encode(bytes(24)).decode(), True),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), False),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), False),
        (base64.b64encode(bytes(32)).decode(), False),
        ("whsec_***", False),
        ("whsec_é", False),
    ],
)
def test_form_of_a_secret(text: str, expected: Any) -> None:
    assert is_secret(text) is expected
