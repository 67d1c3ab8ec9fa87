"""Mail against a real local server: what it gets and refuses, and files where there is none."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email import message_from_bytes, policy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from app.kit import mail
from app.kit.mail import (
    Letter,
    MailFolder,
    MailServer,
    Postponed,
    Undeliverable,
    compose,
    message_id,
)
from tests import looping
from tests.kit.certificates import make_tls

NOW = datetime(2018, 1, 8, 9, 30, tzinfo=UTC)
SENDER = "OpenQI Barnet <qi@barnet.example>"
LETTER = Letter("ada@practice.example", "A signal: é", "Dear colleague,\n\n.dot\nÜber 8 points.\n")

_run = partial(looping.run_to_end, seconds=0.1)


class Inbox:
    """Takes or refuses, and keeps what it took."""

    def __init__(self, answers: dict[str, str] | None = None) -> None:
        self.answers = answers or {}
        self.taken: list[Any] = []

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if "RCPT" not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append((envelope, session.ssl is not None))
        return self.answers.get("DATA", "250 OK")


@contextmanager
def serving_mail(inbox: Inbox, **more: Any) -> Iterator[int]:
    """A mail server on a port of its own, which must be named: it calls itself to see it is up."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    controller = Controller(inbox, hostname="127.0.0.1", port=port, **more)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def _message(letter: Letter = LETTER, sender: str = SENDER) -> Any:
    return compose(letter, sender=sender, name="job 7", now=NOW)


def _send(inbox: Inbox, letter: Letter = LETTER, **more: Any) -> None:
    with serving_mail(inbox) as port:
        server = MailServer("localhost", port, "none", **more)
        _run(server(_message(letter)))


def test_what_arrives() -> None:
    inbox = Inbox()
    _send(inbox)
    envelope, is_encrypted = inbox.taken[0]
    assert not is_encrypted
    assert (envelope.mail_from, envelope.rcpt_tos) == ("qi@barnet.example", [LETTER.to])
    message = message_from_bytes(envelope.content, policy=policy.default)
    assert message["From"] == SENDER
    assert message["Subject"] == LETTER.subject
    assert message["Message-ID"] == message_id("job 7", SENDER)
    assert message["Date"].datetime == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    body: Any = message.get_body()
    assert body.get_content().replace("\r\n", "\n") == LETTER.text


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return make_tls(tmp_path_factory.mktemp("tls"), "localhost")


def test_starttls_and_a_login(tls: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    inbox, ours = Inbox(), tls[1]

    def authenticate(
        _server: Any, _session: Any, _envelope: Any, _how: str, data: Any
    ) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"qi", b"secret"), handled=False)

    more: dict[str, Any] = {
        "tls_context": tls[0],
        "require_starttls": True,
        "auth_required": True,
        "authenticator": authenticate,
    }
    with serving_mail(inbox, **more) as port:
        _run(MailServer("localhost", port, "starttls", "qi", "secret", ours)(_message()))
        with pytest.raises(
            Postponed, match="Authentication"
        ):  # our settings are wrong, not the letter
            _run(MailServer("localhost", port, "starttls", "qi", "guess", ours)(_message()))
        with pytest.raises(Postponed):  # its certificate is not one that the system trusts
            _run(MailServer("localhost", port, "starttls", "qi", "secret")(_message()))
    assert [is_encrypted for _, is_encrypted in inbox.taken] == [True]


def test_tls_from_the_start(
    tls: tuple[ssl.SSLContext, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox()
    monkeypatch.setattr(mail, "PATIENCE_SECONDS", 1.0)  # the two would wait for each other
    with serving_mail(inbox, ssl_context=tls[0]) as port:
        _run(MailServer("localhost", port, "tls", tls=tls[1])(_message()))
        with pytest.raises(Postponed):  # the port understands nothing else
            _run(MailServer("localhost", port, "starttls", tls=tls[1])(_message()))
    assert len(inbox.taken) == 1


def test_without_starttls_nothing_is_sent_in_the_clear() -> None:
    inbox = Inbox()
    with serving_mail(inbox) as port, pytest.raises(Postponed):
        _run(MailServer("localhost", port, "starttls")(_message()))
    assert inbox.taken == []


@pytest.mark.parametrize(
    ("command", "answer", "expected"),
    [
        ("RCPT", "450 ada@practice.example is busy", Postponed),
        ("RCPT", "550 no ada@practice.example here", Undeliverable),
        ("DATA", "451 try later", Postponed),
        ("DATA", "554 spam", Undeliverable),
    ],
)
def test_what_the_server_refuses(command: str, answer: str, expected: type[Exception]) -> None:
    with pytest.raises(expected) as refused:
        _send(Inbox({command: answer}))
    assert answer[:3] in str(refused.value)
    assert "ada" not in str(refused.value)


def test_a_server_that_is_away() -> None:
    with serving_mail(Inbox()) as port:
        pass
    with pytest.raises(Postponed):
        _run(MailServer("127.0.0.1", port, "none")(_message()))


@pytest.mark.parametrize(
    "letter",
    [
        LETTER._replace(to="a@b.example\r\nBcc: c@d.example"),
        LETTER._replace(to="a@b.example\nBcc: everybody"),
        LETTER._replace(to="a@b.example, c@d.example"),
        LETTER._replace(to="Ada <a@b.example>"),
        LETTER._replace(to="nobody"),
        LETTER._replace(to=""),
        LETTER._replace(subject="Hello\r\nBcc: c@d.example"),
        LETTER._replace(subject="Hello\nX: y"),
    ],
)
def test_no_header_grows_another(letter: Letter) -> None:
    with pytest.raises(Undeliverable) as refused:
        _message(letter)
    assert "example" not in str(refused.value)


def test_the_message_id_says_nothing_and_stays() -> None:
    assert message_id("ada", SENDER) == message_id("ada", SENDER)
    assert message_id("ada", SENDER) != message_id("bea", SENDER)
    assert "ada" not in message_id("ada", SENDER)
    assert message_id("ada", SENDER).endswith("@barnet.example>")


def test_files_where_there_is_no_server(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "mail"
    for _ in range(2):  # sent twice, it is one file
        _run(MailFolder(folder)(_message()))
    _run(MailFolder(folder)(compose(LETTER, sender=SENDER, name="../../etc", now=NOW)))
    files = sorted(folder.iterdir())
    assert [file.suffix for file in files] == [".eml", ".eml"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    read = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    assert message_id("job 7", SENDER) in {message["Message-ID"] for message in read}


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Postponed):
        _run(MailFolder(tmp_path / "taken")(_message()))
