"""Signed messages between servers, as Standard Webhooks 1.0 describes them (symmetric, `v1`)."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
TOLERANCE_SECONDS = 300  # what the specification's libraries allow a clock and a network
_KEY_BYTES = 32


class Unverified(Exception):
    """The message was not signed with a secret of ours, or too long ago. Which one is not told."""


def make_secret() -> str:
    """A new secret: `whsec_` and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether this is a secret of the standard's form, of 24 to 64 bytes."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return text.startswith(PREFIX) and 24 <= len(key) <= 64


def _signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def sign(
    secrets_held: Sequence[str], *, message_id: str, timestamp: int, body: bytes
) -> dict[str, str]:
    """The three headers of a message; while secrets rotate, one signature with each.

    timestamp: Unix seconds of this attempt. message_id: the same in every attempt, no full stop.
    """
    signatures = [_signature(secret, message_id, timestamp, body) for secret in secrets_held]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signatures),
    }


def verify(
    secrets_held: Sequence[str],
    *,
    message_id: str,
    timestamp: str,
    signature: str,
    body: bytes,
    now: float,
) -> int:
    """The instant (Unix seconds) of a message that one of the secrets signed.

    Raises `Unverified` for any other, and outside the tolerance of five minutes either way.
    """
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Unverified
    at = int(timestamp)
    if abs(now - at) > TOLERANCE_SECONDS:
        raise Unverified
    # Unknown versions are skipped, as the standard asks.
    given = [part.encode() for part in signature.split(" ") if part.startswith("v1,")]
    expected = [_signature(each, message_id, at, body).encode() for each in secrets_held]
    if not any(hmac.compare_digest(one, other) for one in given for other in expected):
        raise Unverified
    return at
