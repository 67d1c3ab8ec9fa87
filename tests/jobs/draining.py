"""Works off jobs in a test's own transaction: no threads, no waiting, any instant."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlmodel import col, select

from app.jobs.handlers import (
    Dead,
    Done,
    Handler,
    InThread,
    Outcome,
    Outgoing,
    Retry,
    Together,
    Work,
)
from app.jobs.models import DeadJob, Job
from app.kit.clock import utc_now
from app.kit.db import Database

BATCH = 100


def drain(
    database: Database,
    handlers: Sequence[Handler],
    *,
    now: int | None = None,
    rounds: int = 100,
) -> list[Outcome]:
    """Run what is due at `now` (Unix ms; the present unless stated) until nothing is, and settle.

    A job that is to be tried again waits until a later `drain`. Returns the outcomes in order.
    """
    instant = now if now is not None else int(utc_now().timestamp() * 1000) + 1
    by_kind = {handler.kind.name: handler for handler in handlers}
    outcomes: list[Outcome] = []
    for _ in range(rounds):
        works = _due(database, list(by_kind), instant)
        if not works:
            return outcomes
        for kind, batch in works.items():
            results = _run(database, by_kind[kind], batch)
            _settle(database, batch, results, instant)
            outcomes += results.values()
    raise AssertionError("jobs go on making jobs")


def _due(database: Database, kinds: list[str], instant: int) -> dict[str, list[Work]]:
    batches: dict[str, list[Work]] = defaultdict(list)
    with database.transaction() as session:
        statement = select(Job).where(col(Job.kind).in_(kinds), col(Job.run_at) <= instant)
        for job in session.exec(statement.order_by(col(Job.run_at), col(Job.id)).limit(BATCH)):
            job.attempt += 1
            batches[job.kind].append(
                Work(cast(int, job.id), job.kind, job.lane, job.args, job.attempt, job.created_at)
            )
    return batches


def _run(database: Database, handler: Handler, works: list[Work]) -> dict[int, Outcome]:
    results: dict[int, Outcome] = {work.id: Done() for work in works}
    match handler:
        case Together():
            with database.transaction() as session:
                results |= handler.apply(session, works) or {}
        case InThread():
            results |= {work.id: handler.run(work) for work in works}
        case Outgoing():
            with database.reading() as session:
                loaded = handler.load(session, works)

            async def run_all() -> list[Outcome]:
                return [await handler.run(work, loaded.get(work.id)) for work in works]

            results |= dict(zip(results, asyncio.run(run_all()), strict=True))
    return results


def _settle(
    database: Database, works: list[Work], results: dict[int, Outcome], instant: int
) -> None:
    with database.transaction() as session:
        effects: dict[Any, list[Any]] = defaultdict(list)
        for work in works:
            outcome = results[work.id]
            if outcome.effect is not None:
                effects[outcome.effect.keep].append(outcome.effect.value)
            job = session.get(Job, work.id)
            if job is None:
                continue  # the handler itself took it away
            if isinstance(outcome, Retry):
                job.run_at = max(outcome.at or 0, instant + 1)
                job.error = outcome.error
                job.attempt -= not outcome.counts
            else:
                if isinstance(outcome, Dead):
                    values = job.model_dump(exclude={"run_at", "lease", "worker", "error"})
                    session.add(DeadJob(**values, error=outcome.error, died_at=instant))
                session.delete(job)
        for keep, kept in effects.items():
            keep(session, kept)


def waiting(database: Database, kind: str | None = None) -> int:
    """How many jobs there are, of one kind or of all."""
    statement = select(sa.func.count()).select_from(Job)
    with database.reading() as session:
        return session.exec(statement.where(Job.kind == kind) if kind else statement).one()
