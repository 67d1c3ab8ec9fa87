"""Sends letters as jobs. A job holds a letter's name and ids; addresses and words come at the end.

Each package that writes to people registers its letters: from a session and the ids to the letter,
or to None where there is nobody to tell any more.
"""

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from app.jobs.actions import enqueue
from app.jobs.handlers import Dead, Done, Outcome, Outgoing, Retry, Work
from app.jobs.kinds import Kind
from app.kit.mail import Letter, Post, Postponed, Undeliverable, compose

MAIL = Kind("mail.send", queue="mail", retry_seconds=(30, 120, 600, 3600, 3 * 3600.0, 6 * 3600.0))
WriteLetter = Callable[[Session, Mapping[str, Any]], Letter | None]


def ask_to_send(
    session: Session,
    letter: str,
    ids: Mapping[str, Any],
    *,
    key: str | None = None,
    programme_id: uuid.UUID | None = None,
) -> None:
    """Ask for a letter by its registered name, in the transaction of what it tells of."""
    args = {"letter": letter, "ids": dict(ids)}
    enqueue(session, MAIL, args, key=key, programme_id=programme_id)


def mailer(letters: Mapping[str, WriteLetter], *, post: Post, sender: str) -> Outgoing:
    """The handler of `mail.send`. A name that this version does not know is tried again later."""

    def load(session: Session, works: Sequence[Work]) -> Mapping[int, Letter | None]:
        return {work.id: letters[work.args["letter"]](session, work.args["ids"]) for work in works}

    async def run(work: Work, letter: Letter | None) -> Outcome:
        if letter is None:
            return Done()
        try:
            now = datetime.fromtimestamp(work.created_at / 1000, UTC)
            await post(compose(letter, sender=sender, name=_name(work), now=now))
        except Undeliverable as fault:
            return Dead(str(fault))
        except Postponed as fault:
            return Retry(str(fault))
        return Done()

    return Outgoing(MAIL, load, run)


def _name(work: Work) -> str:
    # Not the number of the job: one that died and was put back is still the same letter.
    return json.dumps([work.args, work.created_at], sort_keys=True)
