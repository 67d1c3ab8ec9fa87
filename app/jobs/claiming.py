"""Takes due jobs under a lease, prolongs the lease, gives them back.

A claim moves `run_at` one lease ahead, so the jobs of a worker that dies come back by themselves.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.handlers import Work
from app.jobs.kinds import Kind
from app.jobs.models import Job
from app.jobs.waking import announce
from app.kit.clock import unix_ms, utc_now
from app.kit.db import Database

_JOB: sa.Table = Job.__table__  # type: ignore[attr-defined]
_TAKEN = (_JOB.c.id, _JOB.c.kind, _JOB.c.lane, _JOB.c.args, _JOB.c.attempt, _JOB.c.created_at)
_SCANNED_PER_JOB, _SCANNED = 20, 200  # due rows that are looked at, so that one lane hides no other


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
    """The present in Unix ms: PostgreSQL's own clock, so that no other can shorten a lease."""
    if now is None and not is_sqlite(database):
        seconds = sa.extract("epoch", sa.func.statement_timestamp())
        return sa.cast(seconds * 1000, sa.BigInteger)
    return sa.literal(unix_ms(utc_now()) if now is None else now, sa.BigInteger)


def _is_due(kinds: Sequence[Kind], now: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.and_(
        _JOB.c.queue == kinds[0].queue,
        _JOB.c.run_at <= now,
        _JOB.c.kind.in_([kind.name for kind in kinds]),
    )


def due_queues(
    database: Database, kinds_by_queue: Mapping[str, Sequence[Kind]], *, now: int | None = None
) -> set[str]:
    """Those of the queues that have something due: one plain read, all that idling costs."""
    present = instant(database, now)
    asked = [
        sa.select(sa.literal(queue)).where(sa.exists().where(_is_due(kinds, present)))
        for queue, kinds in kinds_by_queue.items()
    ]
    if not asked:
        return set()
    with looking(database) as session:
        return set(session.execute(sa.union_all(*asked)).scalars())


def _by_kind(kinds: Sequence[Kind], values: Mapping[str, int]) -> sa.ColumnElement[int]:
    return sa.case(values, value=_JOB.c.kind, else_=values[kinds[0].name])


def _pick(
    kinds: Sequence[Kind], limit: int, busy: Mapping[str, int], now: sa.ColumnElement[int]
) -> sa.Select[Any]:
    """Ids of the oldest due jobs, none of a lane beyond its cap; the lane '' has none."""
    most = max(kind.lane_cap for kind in kinds)
    full = [lane for lane, count in busy.items() if count >= most]
    scanned = (
        sa.select(_JOB.c.id, _JOB.c.lane, _JOB.c.run_at)
        .add_columns(_by_kind(kinds, {kind.name: kind.lane_cap for kind in kinds}).label("cap"))
        .where(_is_due(kinds, now), _JOB.c.lane.not_in(full))
        .order_by(_JOB.c.run_at, _JOB.c.id)
        .limit(max(_SCANNED_PER_JOB * limit, _SCANNED))
        .subquery()
    )
    turn = sa.func.row_number().over(
        partition_by=scanned.c.lane, order_by=(scanned.c.run_at, scanned.c.id)
    )
    rows = sa.select(scanned, turn.label("turn")).subquery()
    running = {lane: count for lane, count in busy.items() if lane and count < most}
    occupied = sa.case(running, value=rows.c.lane, else_=0) if running else sa.literal(0)
    return (
        sa.select(rows.c.id)
        .where(sa.or_(rows.c.lane == "", rows.c.turn + occupied <= rows.c.cap))
        .order_by(rows.c.run_at, rows.c.id)
        .limit(limit)
    )


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
    lease, present = str(uuid.uuid4()), instant(database, now)
    chosen = _chosen(database, _pick(kinds, limit, busy or {}, present), present)
    if chosen is None:
        return []
    leases = _by_kind(kinds, {kind.name: int(kind.lease_seconds * 1000) for kind in kinds})
    # From here on the same key makes another job: this one may miss what it stands for.
    is_coalescing = _JOB.c.kind.in_([kind.name for kind in kinds if kind.coalesces])
    taking = (
        sa.update(_JOB)
        .where(chosen, _JOB.c.run_at <= present)
        .values(
            run_at=present + leases,
            lease=lease,
            worker=worker,
            attempt=_JOB.c.attempt + 1,
            key=sa.case((is_coalescing, sa.null()), else_=_JOB.c.key),
        )
        .returning(*_TAKEN)
    )
    with database.transaction() as session:
        rows = session.execute(taking).all()
    named = {kind.name: kind for kind in kinds}
    return [
        Held(Work(*row), named[row.kind], lease) for row in sorted(rows, key=lambda row: row.id)
    ]


def _chosen(
    database: Database, pick: sa.Select[Any], present: sa.ColumnElement[int]
) -> sa.ColumnElement[bool] | None:
    """Which rows to take; None where there are none."""
    if is_sqlite(database):
        with database.connect() as connection:  # idle or capped, it never takes the write lock
            ids = connection.execute(pick).scalars().all()
        return _JOB.c.id.in_(ids) if ids else None
    # MATERIALIZED: the rows are locked once, before anything is changed.
    locked = (
        sa.select(_JOB.c.id)
        .where(_JOB.c.run_at <= present, _JOB.c.id.in_(pick))
        .with_for_update(skip_locked=True)
        .cte("locked")
        .prefix_with("MATERIALIZED")
    )
    return _JOB.c.id.in_(sa.select(locked.c.id))


def extend(database: Database, held: Sequence[Held], *, now: int | None = None) -> list[Held]:
    """Prolong the leases. Returns those that were lost: another worker may run them by now."""
    present = instant(database, now)
    kept: set[tuple[int, str]] = set()
    with database.transaction() as session:
        for kind in {one.kind for one in held}:
            ours = [one for one in held if one.kind == kind]
            update = (
                sa.update(_JOB)
                .where(
                    _JOB.c.id.in_([one.work.id for one in ours]),
                    _JOB.c.lease.in_({one.lease for one in ours}),
                )
                .values(run_at=present + int(kind.lease_seconds * 1000))
                .returning(_JOB.c.id, _JOB.c.lease)
            )
            kept |= {(row.id, row.lease) for row in session.execute(update)}
    return [one for one in held if one.row not in kept]


def release(database: Database, held: Sequence[Held], *, now: int | None = None) -> None:
    """Give jobs back unfinished, due at once; the attempt does not count."""
    if not held:
        return
    update = (
        sa.update(_JOB)
        .where(
            _JOB.c.id.in_([one.work.id for one in held]),
            _JOB.c.lease.in_({one.lease for one in held}),
        )
        .values(run_at=instant(database, now), lease=None, attempt=_JOB.c.attempt - 1)
    )
    with database.transaction() as session:
        session.execute(update)
        announce(session, {one.kind.queue for one in held})
