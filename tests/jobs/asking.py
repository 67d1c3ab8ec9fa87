"""What the tests of jobs share: kinds, asking for jobs, looking at rows, effects."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.jobs.actions import enqueue_all, job_values
from app.jobs.claiming import Held, claim
from app.jobs.handlers import Death, Done, Effect
from app.jobs.kinds import Kind
from app.jobs.models import DeadJob, Job
from app.kit.db import Database

NOW = 4_000_000_000_000  # 2096: later than any clock says
PLAIN = Kind("test.plain", queue="webhook", attempts=3, retry_seconds=(10, 60))
OTHER = Kind("test.other", queue="webhook", lane_cap=2)
COALESCING = Kind("test.coalescing", queue="series", lane_cap=1, coalesces=True)


def ask(
    database: Database, kind: Kind = PLAIN, count: int = 1, *, at: int | None = NOW, **more: Any
) -> None:
    """Ask for jobs that are due at `at` (Unix ms), each a millisecond after the one before.

    `at` None: at once by the clock.
    """
    rows = [job_values(kind, {"number": number}, **more) for number in range(count)]
    if at is not None:
        rows = [row | {"run_at": at + number} for number, row in enumerate(rows)]
    with database.transaction() as session:
        enqueue_all(session, rows)


def take(
    database: Database, *kinds: Kind, limit: int = 100, now: int | None = NOW, **more: Any
) -> Any:
    """Claim as a worker named `w`."""
    kinds = kinds or (PLAIN,)
    return claim(database, kinds, limit=limit, now=now, **{"worker": "w", **more})


def numbers(held: Sequence[Held]) -> list[int]:
    return [one.work.args["number"] for one in held]


def jobs(database: Database) -> list[Job]:
    with database.reading() as session:
        return list(session.exec(select(Job).order_by(col(Job.id))))


def dead_jobs(database: Database) -> list[DeadJob]:
    with database.reading() as session:
        return list(session.exec(select(DeadJob).order_by(col(DeadJob.job_id))))


def keep(session: Session, values: Sequence[Any]) -> None:
    """An effect that the table `effect` shows."""
    session.execute(sa.text("INSERT INTO effect VALUES (:what)"), [{"what": v} for v in values])


def mourn(session: Session, deaths: Sequence[Death]) -> None:
    """What follows from a death, as the table `effect` shows it."""
    keep(session, [f"mourned {each.work.args['number']}" for each in deaths])


def did(what: str) -> Done:
    return Done(Effect(keep, what))


def effects(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.execute(sa.text("SELECT what FROM effect ORDER BY what")).scalars())
