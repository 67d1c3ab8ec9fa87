"""Logging in over HTTP: RFC 6749's shapes, the throttle, and what hostile forms get."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2 as httpx
import pytest
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.events.models import Event
from app.identity.models import LoginAttempt, LoginSession, User
from app.identity.passwords import Passwords
from app.identity.queries import account_key, address_key
from app.main import OpenQI
from tests.builders import make_user
from tests.calling import Caller

PASSWORD = "four quiet herons wading"
URL = "/api/v1/auth/token"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@pytest.fixture
def ada(app: OpenQI, session: Session) -> User:
    stored = app.state.passwords.hash(PASSWORD)
    return make_user(session, email="ada@example.org", password_hash=stored)


@pytest.fixture
def clock(app: OpenQI) -> Iterator[list[datetime]]:
    """The instant of every request, to be moved by a test."""
    instant = [NOW]
    app.state.clock = lambda: instant[0]
    yield instant
    del app.state.clock


def _log_in(
    client: TestClient, username: str = "ada@example.org", password: str = PASSWORD, **more: Any
) -> httpx.Response:
    return client.post(URL, data={"username": username, "password": password, **more})


def test_a_token_for_the_right_password(client: TestClient, session: Session, ada: User) -> None:
    answer = client.post(
        URL,
        data={"username": " ADA@example.org ", "password": PASSWORD, "grant_type": "password"},
        headers={"User-Agent": "Lynx" + "x" * 500, "X-Request-ID": "login-0001"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in"}
    assert (body["token_type"], body["expires_in"]) == ("bearer", 3600)
    assert Caller(client, body["access_token"]).ok("/me")["id"] == str(ada.id)
    login = session.exec(select(LoginSession)).one()
    assert (login.user_id, len(login.user_agent)) == (ada.id, 300)
    event = session.exec(select(Event)).one()
    assert (event.type, event.actor_id) == ("login_session.created", ada.id)
    assert (event.resource_id, event.request_id) == (login.id, "login-0001")


def test_wrong_password_unknown_and_disabled_people_look_alike(
    client: TestClient, session: Session, app: OpenQI, ada: User
) -> None:
    gone = make_user(session, password_hash=ada.password_hash, disabled_at=NOW)
    answers = [
        _log_in(client, password="wrong"),
        _log_in(client, username="nobody@example.org"),
        _log_in(client, username=gone.email),
    ]
    for answer in answers:
        assert answer.status_code == 400
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json() == answers[0].json()
    assert answers[0].json()["error"] == "invalid_grant"
    assert len(session.exec(select(LoginAttempt)).all()) == 3
    assert session.exec(select(LoginSession)).all() == []
    assert session.exec(select(Event)).all() == []


def test_an_unknown_account_is_hashed_for_too(
    client: TestClient, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    verify = Passwords.verify

    def watch(self: Passwords, password: str, stored: str | None) -> tuple[bool, str | None]:
        asked.append(stored)
        return verify(self, password, stored)

    monkeypatch.setattr(Passwords, "verify", watch)
    _log_in(client, username="nobody@example.org")
    _log_in(client, password="wrong")
    assert asked == [None, ada.password_hash]


def test_an_outdated_hash_is_renewed_at_login(
    client: TestClient, session: Session, ada: User
) -> None:
    weaker = Passwords(memory_kib=16).hash(PASSWORD)
    ada.password_hash = weaker
    session.add(ada)
    session.commit()
    assert _log_in(client).status_code == 200
    session.refresh(ada)
    assert ada.password_hash != weaker
    assert _log_in(client).status_code == 200


def test_an_account_is_throttled_and_recovers(
    client: TestClient, ada: User, session: Session, clock: list[datetime]
) -> None:
    other = make_user(session, password_hash=ada.password_hash)
    for _ in range(10):
        assert _log_in(client, username="ADA@example.org", password="wrong").status_code == 400
    refused = _log_in(client)
    assert refused.status_code == 429
    assert refused.json()["error"] == "slow_down"
    assert refused.headers["Retry-After"] == "900"
    assert refused.headers["Cache-Control"] == "no-store"
    assert len(session.exec(select(LoginAttempt)).all()) == 10
    assert _log_in(client, username=other.email).status_code == 200
    clock[0] = NOW + timedelta(minutes=15, seconds=1)
    assert _log_in(client, password="wrong").status_code == 400
    assert len(session.exec(select(LoginAttempt)).all()) == 1


def test_an_address_is_throttled(client: TestClient, session: Session, ada: User) -> None:
    session.add_all(
        LoginAttempt(account=account_key(str(n)), address="testclient", failed_at=datetime.now(UTC))
        for n in range(50)
    )
    session.commit()
    assert _log_in(client).status_code == 429
    elsewhere = TestClient(client.app, client=("203.0.113.9", 1))
    assert _log_in(elsewhere).status_code == 200


def test_unknown_accounts_are_throttled_alike(client: TestClient) -> None:
    codes = [_log_in(client, username="nobody@example.org").status_code for _ in range(11)]
    assert codes == [400] * 10 + [429]


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("x" * 500, "x" * 64),
        ("a\x00b", "unknown"),
        ("", ""),
    ],
)
def test_how_addresses_count(host: str, key: str) -> None:
    assert address_key(host) == key


def test_a_login_that_a_change_of_password_overtakes_fails(
    client: TestClient, session: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = Passwords.verify

    def overtaken(self: Passwords, password: str, stored: str | None) -> tuple[bool, str | None]:
        answer = verify(self, password, stored)
        ada.password_hash = self.hash("another phrase of hers")
        session.add(ada)
        session.commit()
        return answer

    monkeypatch.setattr(Passwords, "verify", overtaken)
    assert _log_in(client).status_code == 400
    assert session.exec(select(LoginSession)).all() == []


HOSTILE = {
    "NUL": "a\x00b",
    "very long": "x" * 1_000,
    "unicode": "ünïcödé@例え.テスト",
    "line breaks": "ada@example.org\r\nX: y",
    "SQL": "' OR 1=1 --",
    "right-to-left": "\u202eada@example.org",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_names_and_passwords_are_only_wrong(
    client: TestClient, ada: User, text: str
) -> None:
    assert _log_in(client, username=text).status_code == 400
    assert _log_in(client, password=text).status_code == 400


def test_bytes_that_are_no_text_are_only_wrong(client: TestClient, ada: User) -> None:
    raw = f"username={quote(ada.email)}&password=%ff%fe%ed%a0%80".encode()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post(URL, content=raw, headers=headers).status_code == 400
    raw = b"username=%ed%a0%80&password=x"
    assert client.post(URL, content=raw, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("name", "other", "status"), [("username", "password", 422), ("password", "username", 400)]
)
def test_a_lone_surrogate_is_refused(
    client: TestClient, ada: User, name: str, other: str, status: int
) -> None:
    """UTF-7, of all things, can smuggle half a character through a multipart form."""
    parts = f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n+2AA-\r\n'
    parts += f'--x\r\nContent-Disposition: form-data; name="{other}"\r\n\r\n{ada.email}\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x; charset=utf-7"}
    answer = client.post(URL, content=parts + "--x--\r\n", headers=headers)
    assert answer.status_code == status, answer.text


def test_what_is_longer_than_any_address_is_refused_without_an_echo(client: TestClient) -> None:
    secret = "hunter2" * 200
    answer = _log_in(client, username="x" * 1_001, password=secret)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == ["#/username", "#/password"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize("missing", ["username", "password"])
def test_both_fields_are_needed(client: TestClient, missing: str) -> None:
    form = {"username": "ada@example.org", "password": PASSWORD}
    for fields in (form | {missing: ""}, {k: v for k, v in form.items() if k != missing}):
        answer = client.post(URL, data=fields)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == f"#/{missing}"
        assert PASSWORD not in answer.text


def test_only_the_password_grant(client: TestClient, ada: User, session: Session) -> None:
    answer = _log_in(client, grant_type="client_credentials")
    assert answer.status_code == 400
    assert answer.json()["error"] == "unsupported_grant_type"
    assert session.exec(select(LoginAttempt)).all() == []


def test_fields_of_oauth_clients_are_left_unread(client: TestClient, ada: User) -> None:
    more = {"scope": "admin", "client_id": "docs", "client_secret": "x"}
    assert _log_in(client, **more).status_code == 200


def test_json_and_unnamed_bodies_are_415(client: TestClient, ada: User) -> None:
    body = {"username": ada.email, "password": PASSWORD}
    for answer in (client.post(URL, json=body), client.post(URL, content=b"username=x")):
        assert answer.status_code == 415
        assert answer.json()["code"] == "unsupported_media_type"
        assert "application/x-www-form-urlencoded" in answer.headers["Accept-Post"]


def test_an_idempotency_key_is_refused(client: TestClient, ada: User, session: Session) -> None:
    form = {"username": ada.email, "password": PASSWORD}
    answer = client.post(URL, data=form, headers={"Idempotency-Key": "one"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "idempotency_key_refused"
    assert session.exec(select(LoginSession)).all() == []


def test_attempts_keep_no_address_of_a_person(client: TestClient, session: Session) -> None:
    _log_in(client, username="secret.person@example.org")
    attempt = session.exec(select(LoginAttempt)).one()
    assert "secret" not in attempt.model_dump_json()
    assert attempt.address == "testclient"


def test_a_login_knows_nothing_of_roles(
    call: Callable[..., Caller], client: TestClient, ada: User
) -> None:
    """Somebody without any membership may log in, and sees nothing."""
    token = _log_in(client).json()["access_token"]
    me = Caller(client, token)
    assert me.ok("/me")["memberships"] == []
    assert me.get("/organisations").status_code == 403
