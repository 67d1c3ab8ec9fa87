"""Letters as jobs: ids in the row, words at the end, and what becomes of each failure."""

from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from app.jobs.actions import retry_dead_job
from app.jobs.handlers import Dead, Done, Retry
from app.jobs.mailing import WriteLetter, ask_to_send, mailer
from app.kit.db import Database
from app.kit.mail import Letter, MailFolder, Postponed, Undeliverable
from tests.jobs.asking import dead_jobs, jobs
from tests.jobs.draining import drain, waiting

SENDER = "OpenQI <qi@barnet.example>"


def _write(session: Session, ids: Mapping[str, Any]) -> Letter | None:
    if ids["user_id"] == "gone":
        return None
    return Letter(f"{ids['user_id']}@practice.example", "Hello", "Words.")


LETTERS: Mapping[str, WriteLetter] = {"hello": _write}


class Postman:
    """Notes what goes out; fails as it is told."""

    def __init__(self, *faults: Exception | None) -> None:
        self.faults, self.sent = list(faults), list[EmailMessage]()

    async def __call__(self, message: EmailMessage) -> None:
        self.sent.append(message)
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None:
            raise fault


def _ask(database: Database, user_id: str = "ada", **more: Any) -> None:
    with database.transaction() as session:
        ask_to_send(session, "hello", {"user_id": user_id}, **more)


def test_a_job_holds_no_address(database: Database) -> None:
    _ask(database, key="hello:ada")
    _ask(database, key="hello:ada")
    rows = jobs(database)
    assert [(row.queue, row.args) for row in rows] == [
        ("mail", {"letter": "hello", "ids": {"user_id": "ada"}})
    ]
    post = Postman()
    assert drain(database, [mailer(LETTERS, post=post, sender=SENDER)]) == [Done()]
    assert [message["To"] for message in post.sent] == ["ada@practice.example"]
    assert waiting(database) == 0


def test_nobody_to_tell_any_more(database: Database) -> None:
    _ask(database, "gone")
    post = Postman()
    assert drain(database, [mailer(LETTERS, post=post, sender=SENDER)]) == [Done()]
    assert post.sent == []


def test_later_or_never(database: Database) -> None:
    _ask(database)
    post = Postman(Postponed("later"), Undeliverable("never"))
    handler = mailer(LETTERS, post=post, sender=SENDER)
    assert drain(database, [handler]) == [Retry("later")]
    assert drain(database, [handler]) == [Dead("never")]
    with database.transaction() as session:
        retry_dead_job(session, session.merge(dead_jobs(database)[0]))
    assert drain(database, [handler]) == [Done()]
    assert len(post.sent) == 3
    assert len({message["Message-ID"] for message in post.sent}) == 1


def test_two_letters_are_two(database: Database, tmp_path: Path) -> None:
    _ask(database)
    _ask(database, "bea")
    handler = mailer(LETTERS, post=MailFolder(tmp_path), sender=SENDER)
    assert drain(database, [handler]) == [Done(), Done()]
    assert len(list(tmp_path.iterdir())) == 2


def test_an_address_that_is_none_is_never_tried_again(database: Database) -> None:
    _ask(database, "ada@x\r\nBcc: eve")
    outcome = drain(database, [mailer(LETTERS, post=Postman(), sender=SENDER)])[0]
    assert isinstance(outcome, Dead)
    assert "eve" not in outcome.error


def test_a_letter_that_this_version_does_not_know(database: Database) -> None:
    """The worker tries what fails to load again; in between a newer one may take it."""
    _ask(database)
    with pytest.raises(KeyError):
        drain(database, [mailer({}, post=Postman(), sender=SENDER)])
