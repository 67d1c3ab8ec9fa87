"""Only who holds the secret, now, gets in; everybody else learns nothing."""

import base64
import json
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select
from standardwebhooks import Webhook

from app.integrations.models import InboundEvent
from app.kit.clock import utc_now
from app.kit.ids import new_id
from app.kit.sealing import Sealer
from app.kit.signing import make_secret, sign
from app.main import OpenQI, create_app
from app.settings import Settings
from tests.calling import Caller
from tests.integrations.sending import Platform, connect, project
from tests.serving import serving
from tests.world import World


def now() -> int:
    return int(utc_now().timestamp())


def _refused(platform: Platform, session: Session, **options: Any) -> dict[str, Any]:
    response = platform.send(project(), **options)
    assert response.status_code == 401, response.text
    assert response.headers["WWW-Authenticate"] == "WebhookSignature"
    assert session.exec(select(InboundEvent)).all() == []
    problem: dict[str, Any] = response.json()
    assert problem["code"] == "invalid_signature"
    return problem


WRONG: dict[str, Callable[[], dict[str, Any]]] = {
    "another secret": lambda: {"secrets": [make_secret()]},
    "another id": lambda: {"webhook_id": "msg_other"},
    "another timestamp": lambda: {"webhook_timestamp": str(now() - 1)},
    "expired": lambda: {"timestamp": now() - 302},
    "future": lambda: {"timestamp": now() + 302},
    "no id": lambda: {"webhook_id": ""},
    "no timestamp": lambda: {"webhook_timestamp": ""},
    "no signature": lambda: {"webhook_signature": ""},
    "a timestamp of words": lambda: {"webhook_timestamp": "now"},
    "a timestamp with a fraction": lambda: {"webhook_timestamp": f"{now()}.5"},
    "a signature of another version": lambda: {"webhook_signature": "v1a,AAAA"},
    "a signature without a comma": lambda: {"webhook_signature": "v1"},
    "a signature that is no base64": lambda: {"webhook_signature": "v1,%%%"},
    "a full stop in the id": lambda: {"message_id": "msg.1"},
    "a blank in the id": lambda: {"message_id": "msg 1"},
    "an id of 201 characters": lambda: {"message_id": "m" * 201},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong(platform: Platform, session: Session, name: str) -> None:
    _refused(platform, session, **WRONG[name]())


def test_without_any_header(platform: Platform, facilitator: Caller) -> None:
    """A bearer token is of no use either."""
    for caller in (platform.anonymous, facilitator):
        response = caller.post(f"{platform.path}/events", project())
        assert response.status_code == 401
        assert response.json()["code"] == "invalid_signature"


def test_a_body_that_was_tampered_with(platform: Platform, session: Session) -> None:
    signed = sign(
        [platform.integration["secret"]],
        message_id="msg_1",
        timestamp=now(),
        body=json.dumps(project()).encode(),
    )
    tampered = json.dumps(project(8)).encode()
    response = platform.anonymous(
        "POST", f"{platform.path}/events", content=tampered, headers=signed
    )
    assert response.status_code == 401
    assert session.exec(select(InboundEvent)).all() == []


def test_nobody_learns_whether_a_connection_exists(
    platform: Platform, session: Session, facilitator: Caller
) -> None:
    known = _refused(platform, session, secrets=[make_secret()])
    unknown = Platform(platform.anonymous, {"id": str(new_id()), "secret": make_secret()})
    other = _refused(unknown, session)
    assert facilitator.delete(platform.path).status_code == 204
    ended = _refused(platform, session)
    for problem in (known, other, ended):
        problem.pop("request_id")
        problem.pop("instance")
    assert known == other == ended


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_within_five_minutes(platform: Platform, seconds: int) -> None:
    assert platform.send(project(), timestamp=now() + seconds).status_code == 202


def test_two_signatures_and_unknown_versions_are_read(platform: Platform) -> None:
    both = [make_secret(), platform.integration["secret"]]
    assert platform.send(project(), secrets=both).status_code == 202


def test_the_reference_library_signs_as_we_read(platform: Platform) -> None:
    content = json.dumps(project())
    at = datetime.now(UTC)
    signature = Webhook(platform.integration["secret"]).sign("msg_lib", at, content)
    headers = {
        "webhook-id": "msg_lib",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": f"v1a,junk {signature}",
    }
    response = platform.anonymous(
        "POST", f"{platform.path}/events", content=content.encode(), headers=headers
    )
    assert response.status_code == 202


def test_rotation(platform: Platform, facilitator: Caller, app: OpenQI) -> None:
    old = platform.integration["secret"]
    rotated = facilitator.post(f"{platform.path}/rotate-secret", {})
    assert rotated.status_code == 200
    assert rotated.headers["Cache-Control"] == "no-store"
    new = rotated.json()["secret"]
    assert new != old
    assert rotated.json()["old_secret_until"] is not None
    for secret in (old, new):
        assert platform.send(project(), secrets=[secret]).status_code == 202
    later = utc_now() + timedelta(hours=24, seconds=1)
    app.state.clock = lambda: later
    at = int(later.timestamp())
    assert platform.send(project(), secrets=[old], timestamp=at).status_code == 401
    assert platform.send(project(), secrets=[new], timestamp=at).status_code == 202


def test_a_leaked_secret_ends_at_once(platform: Platform, facilitator: Caller) -> None:
    old, given = platform.integration["secret"], make_secret()
    body = {"secret": given, "old_ends_now": True}
    rotated = facilitator.post(f"{platform.path}/rotate-secret", body).json()
    assert rotated["secret"] == given
    assert rotated["old_secret_until"] is None
    assert platform.send(project(), secrets=[old]).status_code == 401
    assert platform.send(project(), secrets=[given]).status_code == 202


def test_a_secret_that_the_sender_made(
    call: Callable[..., Caller], facilitator: Caller, world: World
) -> None:
    given = "whsec_" + base64.b64encode(b"s" * 24).decode()
    platform = connect(facilitator, call(None), world.programme.id, secret=given)
    assert platform.integration["secret"] == given
    assert platform.send(project()).status_code == 202


def test_a_secret_of_another_server_is_of_no_use(
    platform: Platform, app: OpenQI, session: Session
) -> None:
    """The sealing key was lost: nobody gets in, and nobody is told why."""
    app.state.parts = replace(app.state.parts, sealer=Sealer(b"x" * 32, use="another"))
    _refused(platform, session)


UNREADABLE: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "no JSON": (b"{", 400),
    "a form": (b"a=1", 400),
    "an array": (b"[]", 422),
    "a text": (b'"a"', 422),
    "null": (b"null", 422),
    "deep nesting": (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "NaN": (b'{"a": NaN}', 400),
    "a NUL byte": (b'{"a": "\x00"}', 400),
    "a lone surrogate": (rb'{"a": "\ud800"}', 400),
    "no UTF-8": (b'{"a": "\xff"}', 400),
    "gzip": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", 400),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_read(platform: Platform, session: Session, name: str) -> None:
    content, status = UNREADABLE[name]
    response = platform.send(content)
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert len(response.content) < 2_000
    assert session.exec(select(InboundEvent)).all() == []


def test_ten_megabytes_are_refused(platform: Platform) -> None:
    response = platform.send(b'{"a": "' + b"x" * 10_000_000 + b'"}')
    assert response.status_code == 413
    assert response.json()["code"] == "body_too_large"


def test_ten_megabytes_are_refused_unread(settings: Settings) -> None:
    """The answer comes while the body is still to be sent."""
    app = create_app(settings.model_copy(update={"database_url": "sqlite://"}))
    with serving(app) as base:
        host, port = base.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(
                f"POST /api/v1/integrations/{new_id()}/events HTTP/1.1\r\nHost: {host}\r\n"
                "Content-Type: application/json\r\nContent-Length: 10000000\r\n\r\n{".encode()
            )
            answer = connection.recv(4_096)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer


def test_any_content_type_is_read(platform: Platform) -> None:
    assert platform.send(project(), Content_Type="text/plain").status_code == 202
