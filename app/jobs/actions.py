"""Asks for work, in the caller's own transaction: it exists if and only if the change does."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.kinds import Kind
from app.jobs.models import DeadJob, Job
from app.jobs.waking import announce
from app.kit.clock import unix_ms, utc_now
from app.kit.upsert import insert_for

_JOB: sa.Table = Job.__table__  # type: ignore[attr-defined]
_DEAD: sa.Table = DeadJob.__table__  # type: ignore[attr-defined]


def job_values(
    kind: Kind,
    args: Mapping[str, Any],
    *,
    key: str | None = None,
    lane: str = "",
    programme_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> dict[str, Any]:
    """The columns of a job that is due at `at`, or at once."""
    now = unix_ms(utc_now())
    return {
        "queue": kind.queue,
        "kind": kind.name,
        "lane": lane,
        "key": key,
        "args": dict(args),
        "programme_id": str(programme_id) if programme_id else None,
        "run_at": unix_ms(at) if at else now,
        "attempt": 0,
        "created_at": now,
    }


def enqueue(
    session: Session,
    kind: Kind,
    args: Mapping[str, Any],
    *,
    key: str | None = None,
    lane: str = "",
    programme_id: uuid.UUID | None = None,
    at: datetime | None = None,
) -> None:
    """Ask for one job. With a key that is waiting already, nothing is added.

    args: ids and scalars that JSON can hold; never names or secrets.
    """
    values = job_values(kind, args, key=key, lane=lane, programme_id=programme_id, at=at)
    enqueue_all(session, [values])


def enqueue_all(session: Session, rows: list[dict[str, Any]]) -> None:
    """Ask for many jobs at once; `rows` come from `job_values`."""
    if rows:
        insert = insert_for(session.connection(), _JOB)
        session.execute(insert.on_conflict_do_nothing(index_elements=["key"]), rows)
        announce(session, {row["queue"] for row in rows})


def retry_dead_job(session: Session, dead: DeadJob) -> None:
    """Put it back among the waiting, with all its attempts. Its key may be waiting anew already."""
    now = unix_ms(utc_now())
    values = dead.model_dump(exclude={"id", "job_id", "died_at"}) | {"attempt": 0, "run_at": now}
    session.delete(dead)
    session.flush()
    enqueue_all(session, [values])


def purge_dead_jobs(session: Session, *, before: int, at_most: int = 1_000) -> int:
    """Forget some that died before an instant (Unix ms); how many."""
    old = sa.select(_DEAD.c.id).where(_DEAD.c.died_at < before).limit(at_most)
    purged = sa.delete(_DEAD).where(_DEAD.c.id.in_(old)).returning(_DEAD.c.id)
    return len(session.execute(purged).all())
