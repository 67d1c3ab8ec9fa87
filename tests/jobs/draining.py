"""Works off jobs in a test's own transaction: no threads, no waiting, any instant.

Jobs are claimed and settled as a worker does it; only when they are tried again differs.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlmodel import select

from app.jobs.claiming import Held, claim
from app.jobs.handlers import Done, Handler, InThread, Outcome, Outgoing, Retry, Together
from app.jobs.kinds import Kind
from app.jobs.models import Job
from app.jobs.settling import Result, given_up, settle
from app.kit.clock import unix_ms, utc_now
from app.kit.db import Database
from tests.looping import run_to_end

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
    instant = now if now is not None else unix_ms(utc_now()) + 1
    by_kind = {handler.kind.name: handler for handler in handlers}
    outcomes: list[Outcome] = []
    for _ in range(rounds):
        batches = _claimed(database, [handler.kind for handler in handlers], instant)
        if not batches:
            return outcomes
        for kind, held in batches.items():
            handler = by_kind[kind]
            found = _run(database, handler, held)
            results = [
                Result(one, _later(found[one.work.id], instant), handler.on_dead) for one in held
            ]
            settle(database, results, now=instant)
            outcomes += found.values()
    raise AssertionError("jobs go on making jobs")


def _claimed(database: Database, kinds: Sequence[Kind], instant: int) -> dict[str, list[Held]]:
    queues: dict[str, list[Kind]] = defaultdict(list)
    for kind in kinds:
        queues[kind.queue].append(kind)
    batches: dict[str, list[Held]] = defaultdict(list)
    for served in queues.values():
        for held in claim(database, served, limit=BATCH, worker="drain", now=instant):
            batches[held.kind.name].append(held)
    return batches


def _later(outcome: Outcome, instant: int) -> Outcome:
    if isinstance(outcome, Retry):
        return replace(outcome, at=max(outcome.at or 0, instant + 1))
    return outcome


def _run(database: Database, handler: Handler, held: Sequence[Held]) -> dict[int, Outcome]:
    ended: dict[int, Outcome] = {one.work.id: dead for one in held if (dead := given_up(one))}
    works = [one.work for one in held if one.work.id not in ended]
    results: dict[int, Outcome] = {work.id: Done() for work in works} | ended
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

            ran = run_to_end(run_all())
            results |= {work.id: each for work, each in zip(works, ran, strict=True)}
    return results


def waiting(database: Database, kind: str | None = None) -> int:
    """How many jobs there are, of one kind or of all."""
    statement = select(sa.func.count()).select_from(Job)
    with database.reading() as session:
        return session.exec(statement.where(Job.kind == kind) if kind else statement).one()
