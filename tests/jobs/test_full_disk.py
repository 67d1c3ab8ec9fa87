"""The disk of the database is full: jobs wait for room, however long; none is lost or run twice."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import psycopg
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.jobs.handlers import Done, Effect, InThread, Outcome, Outgoing, Together, Work
from app.jobs.kinds import Kind
from app.kit.db import Database
from tests.jobs.asking import ask, dead_jobs, effects, jobs, keep
from tests.jobs.running import in_loop, until, working

# It is dead after two claims, and tried again at once.
KIND = Kind("test.full", queue="webhook", attempts=2, retry_seconds=(0.01,), lease_seconds=0.2)


class _Disk:
    """It is full for so many writes."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals

    def need_room(self) -> None:
        if self.refusals > 0:
            self.refusals -= 1
            raise OperationalError("INSERT", {}, psycopg.errors.DiskFull("could not extend file"))


@in_loop
async def test_an_outcome_is_kept_until_there_is_room(live: Database) -> None:
    disk, called = _Disk(5), list[int]()

    def load(_session: Session, _works: Sequence[Work]) -> Mapping[int, Any]:
        return {}

    def store(session: Session, values: Sequence[Any]) -> None:
        disk.need_room()
        keep(session, values)

    async def call(work: Work, _loaded: Any) -> Outcome:
        called.append(work.id)
        return Done(Effect(store, "called"))

    kind = replace(KIND, lease_seconds=60)
    ask(live, kind, 3, at=None)
    async with working(live, Outgoing(kind, load, call)):
        await until(lambda: not jobs(live))
    assert len(called) == len(set(called)) == 3
    assert effects(live) == ["called"] * 3
    assert dead_jobs(live) == []


@in_loop
async def test_a_batch_waits_for_longer_than_its_attempts_would_last(live: Database) -> None:
    ends = time.monotonic() + 6 * KIND.lease_seconds

    def apply(session: Session, works: Sequence[Work]) -> None:
        _Disk(int(time.monotonic() < ends)).need_room()
        keep(session, ["applied" for _ in works])

    ask(live, KIND, 3, at=None)
    async with working(live, Together(KIND, apply)):
        await until(lambda: not jobs(live))
    assert effects(live) == ["applied"] * 3
    assert dead_jobs(live) == []


@in_loop
async def test_no_attempt_is_used_up_by_a_handler_that_finds_no_room(live: Database) -> None:
    disk = _Disk(6)

    def run(_work: Work) -> Outcome:
        disk.need_room()
        with live.transaction() as session:
            keep(session, ["ran"])
        return Done()

    ask(live, KIND, at=None)
    async with working(live, InThread(KIND, run)):
        await until(lambda: not jobs(live))
    assert effects(live) == ["ran"]
    assert dead_jobs(live) == []
