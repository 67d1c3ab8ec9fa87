"""Whatever is logged while a job runs bears its ids; of its arguments nothing else is told."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import structlog
from sqlmodel import Session
from structlog.testing import capture_logs

from app.jobs.actions import enqueue
from app.jobs.handlers import Done, InThread, Outcome, Outgoing, Together, Work
from app.jobs.kinds import Kind
from app.kit.db import Database
from tests.jobs.asking import dead_jobs, jobs
from tests.jobs.running import in_loop, until, working

CALL = Kind("test.call", queue="webhook")
SLOW = Kind("test.slow", queue="heavy")
BATCH = Kind("test.batch", queue="event", attempts=1)
EVENT = uuid.UUID("0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2d51")
ARGS = {"event_id": EVENT.hex, "team_id": None, "their_id": "Ada", "name": "Ada", "count": 3}


def _ask(database: Database, kind: Kind) -> int:
    with database.transaction() as session:
        enqueue(session, kind, ARGS)
    (row,) = [row for row in jobs(database) if row.kind == kind.name]
    assert row.id is not None
    return row.id


def _line(kind: Kind, job_id: int) -> dict[str, Any]:
    return {"job_id": job_id, "kind": kind.name, "attempt": 1, "event_id": str(EVENT)}


@in_loop
async def test_what_a_job_logs_bears_its_ids(live: Database) -> None:
    told: list[dict[str, Any]] = []

    def tell() -> Outcome:
        told.append(structlog.contextvars.get_contextvars())
        return Done()

    def load(_session: Session, works: Sequence[Work]) -> Mapping[int, Any]:
        return {}

    async def call(_work: Work, _loaded: Any) -> Outcome:
        return tell()

    expected = [_line(kind, _ask(live, kind)) for kind in (CALL, SLOW)]
    async with working(live, Outgoing(CALL, load, call), InThread(SLOW, lambda _work: tell())):
        await until(lambda: not jobs(live))
    assert sorted(told, key=lambda line: line["job_id"]) == expected


@in_loop
async def test_what_a_batch_logs_of_a_job_that_fails_bears_them_too(live: Database) -> None:
    def fail(_session: Session, _works: Sequence[Work]) -> None:
        raise ValueError("Ada")

    expected = _line(BATCH, _ask(live, BATCH))
    with capture_logs() as logged:
        async with working(live, Together(BATCH, fail)):
            await until(lambda: dead_jobs(live))
    (line,) = [line for line in logged if line["event"] == "job_failed"]
    assert expected.items() <= line.items()


@pytest.mark.parametrize("value", [None, 7, "Ada", "", ["x"], {"id": "x"}])
def test_only_ids_are_told(value: object) -> None:
    args = {"a_id": value, "event_id": EVENT.hex, "events": EVENT.hex}
    assert Work(7, "test.call", "", args, 1, 0).told == _line(CALL, 7)
