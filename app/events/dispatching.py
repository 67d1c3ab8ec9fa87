"""Follows the outbox: each event gets its place in the feed, and its followers hear of it.

One batch at a time in the whole installation, in one transaction: an event that commits late gets a
later `seq` and is never skipped, and what a follower adds exists if and only if the event has one.
"""

import uuid
from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.events.models import Event
from app.events.outbox import DISPATCH
from app.jobs.handlers import Together, Work
from app.jobs.waking import announce

Follower = Callable[[Session, Sequence[Event]], None]
FEED = "feed"  # no queue of jobs: whoever watches the feed listens for it
_LOCK = 0x6F71_0001  # of PostgreSQL's advisory locks; any number that nobody else takes


def dispatcher(followers: Sequence[Follower]) -> Together:
    """The handler of `event.dispatch`. Each follower adds rows and jobs in the transaction."""

    def apply(session: Session, works: Sequence[Work]) -> None:
        events = _take(session, [uuid.UUID(work.args["event_id"]) for work in works])
        for follow in followers if events else ():
            follow(session, events)
        if events:
            announce(session, {FEED})

    return Together(DISPATCH, apply)


def _take(session: Session, ids: Sequence[uuid.UUID]) -> list[Event]:
    """The events that had no `seq` yet, numbered now, in the order in which they happened."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    statement = select(Event).where(col(Event.id).in_(ids), col(Event.seq).is_(None))
    events = sorted(session.exec(statement), key=lambda event: (event.created_at, event.id))
    last = session.exec(select(sa.func.max(Event.seq))).one() or 0
    for number, event in enumerate(events, last + 1):
        event.seq = number
        event.payload = f'{event.payload[:-1]},"seq":{number}}}'  # what is sent tells its place
    session.flush()
    return events
