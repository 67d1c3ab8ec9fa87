"""Takes due jobs under a lease, prolongs the lease, gives them back.

A claim moves `run_at` one lease ahead, so the jobs of a worker that dies come back by themselves.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.handlers import Work
from app.jobs.kinds import Kind
from app.jobs.picks import JOB, claim_of, due_of, parameters, server_clock
from app.jobs.waking import announce
from app.kit.clock import unix_ms, utc_now
from app.kit.db import Database


class Held(NamedTuple):
    """A job that this process holds, as long as the row still bears this lease."""

    work: Work
    kind: Kind
    lease: str

    @property
    def row(self) -> tuple[int, str]:
        """What the row must still say."""
        return self.work.id, self.lease


def is_sqlite(database: Database) -> bool:
    """Whether there is one writer, and this process is the only one."""
    return database.write_engine.dialect.name == "sqlite"


def looking(database: Database) -> Session:
    """A session that sees what was just committed, as no replica does, and locks nothing."""
    return database.reading() if is_sqlite(database) else database.writing()


def instant(database: Database, now: int | None) -> sa.ColumnElement[int]:
    """The present in Unix ms, by the clock that leases are measured by."""
    if now is None and not is_sqlite(database):
        return server_clock()
    return sa.literal(_local(database, now), sa.BigInteger)


def _local(database: Database, now: int | None) -> int | None:
    """The present as far as this process says it: on PostgreSQL the database does."""
    return unix_ms(utc_now()) if now is None and is_sqlite(database) else now


def due_queues(
    database: Database, kinds_by_queue: Mapping[str, Sequence[Kind]], *, now: int | None = None
) -> set[str]:
    """Those of the queues that have something due: one plain read, all that idling costs."""
    if not kinds_by_queue:
        return set()
    queues = tuple(tuple(kinds) for kinds in kinds_by_queue.values())
    asked = due_of(queues, is_sqlite=is_sqlite(database))
    with looking(database) as session:
        return set(session.execute(asked, {"now": _local(database, now)}).scalars())


def claim(
    database: Database,
    kinds: Sequence[Kind],
    *,
    limit: int,
    worker: str,
    busy: Mapping[str, int] | None = None,
    now: int | None = None,
) -> list[Held]:
    """Take at most `limit` due jobs of these kinds, which share a queue.

    busy: how many jobs of each lane this process runs already.
    """
    lease = str(uuid.uuid4())
    asked = parameters(
        now=_local(database, now), limit=limit, busy=busy or {}, lease=lease, worker=worker
    )
    pick, take = claim_of(tuple(kinds), is_sqlite=is_sqlite(database))
    if is_sqlite(database):
        with database.connect() as connection:  # idle or capped, it never takes the write lock
            asked["ids"] = connection.execute(pick, asked).scalars().all()
        if not asked["ids"]:
            return []
    with database.transaction() as session:
        rows = session.connection().execute(take, asked).all()
    named = {kind.name: kind for kind in kinds}
    return [
        Held(Work(*row), named[row.kind], lease) for row in sorted(rows, key=lambda row: row.id)
    ]


def extend(database: Database, held: Sequence[Held], *, now: int | None = None) -> list[Held]:
    """Prolong the leases. Returns those that were lost: another worker may run them by now."""
    present = instant(database, now)
    kept: set[tuple[int, str]] = set()
    with database.transaction() as session:
        for kind in {one.kind for one in held}:
            ours = [one for one in held if one.kind == kind]
            update = (
                sa.update(JOB)
                .where(
                    JOB.c.id.in_([one.work.id for one in ours]),
                    JOB.c.lease.in_({one.lease for one in ours}),
                )
                .values(run_at=present + int(kind.lease_seconds * 1000))
                .returning(JOB.c.id, JOB.c.lease)
            )
            kept |= {(row.id, row.lease) for row in session.execute(update)}
    return [one for one in held if one.row not in kept]


def release(database: Database, held: Sequence[Held], *, now: int | None = None) -> None:
    """Give jobs back unfinished, due at once; the attempt does not count."""
    if not held:
        return
    update = (
        sa.update(JOB)
        .where(
            JOB.c.id.in_([one.work.id for one in held]),
            JOB.c.lease.in_({one.lease for one in held}),
        )
        .values(run_at=instant(database, now), lease=None, attempt=JOB.c.attempt - 1)
    )
    with database.transaction() as session:
        session.execute(update)
        announce(session, {one.kind.queue for one in held})
