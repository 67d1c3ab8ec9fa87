"""Forgets what is older than so many days, a chunk a transaction, so that nobody waits long."""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import SQLModel

from app.jobs.handlers import Done, InThread, Outcome, Work
from app.jobs.kinds import Kind
from app.kit.clock import utc_now
from app.kit.db import Database

CHUNK = 1_000
IdsBefore = Callable[[datetime], sa.Select[uuid.UUID]]


def forgetter(
    kind: Kind,
    database: Database,
    table: type[SQLModel],
    old: IdsBefore,
    *,
    days: int,
    clock: Callable[[], datetime] = utc_now,
    chunk: int = CHUNK,
) -> InThread:
    """The handler of a kind that deletes rows of the table. `old`: ids of those before an instant.

    What somebody has locked is busy, so not forgotten; the next night looks at it again.
    """

    def run(_work: Work) -> Outcome:
        some = old(clock() - timedelta(days=days)).limit(chunk).with_for_update(skip_locked=True)
        while _forget(database, table, some) == chunk:
            pass
        return Done()

    return InThread(kind, run)


def _forget(database: Database, table: type[SQLModel], some: sa.Select[uuid.UUID]) -> int:
    """Delete one chunk; how many went."""
    rows: sa.Table = table.__table__  # type: ignore[attr-defined]
    with database.transaction() as session:
        ids: list[Any] = list(session.execute(some).scalars())
        if ids:
            session.execute(sa.delete(rows).where(rows.c.id.in_(ids)))
        return len(ids)
