"""A worker: three shapes of handler, leases prolonged or lost, outages, a stop in good order."""

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from app.jobs import working as module
from app.jobs.handlers import Done, InThread, Outcome, Outgoing, Retry, Together, Work
from app.jobs.kinds import Kind
from app.jobs.pace import Slots
from app.jobs.schedules import Cron
from app.kit.db import Database
from tests.jobs.asking import ask, dead_jobs, did, effects, jobs, keep, mourn
from tests.jobs.running import QUICK, in_loop, until, working

CALL = Kind("test.call", queue="webhook", attempts=3, retry_seconds=(0.01,), lane_cap=2)
SLOW = Kind("test.slow", queue="heavy", retry_seconds=(0.01,))
BATCH = Kind("test.batch", queue="event", attempts=3, retry_seconds=(0.01,))


def outgoing(run: Any, kind: Kind = CALL, load: Any = None) -> Outgoing:
    def load_nothing(_session: Session, works: Sequence[Work]) -> Mapping[int, Any]:
        return {}

    return Outgoing(kind, load or load_nothing, run)


@in_loop
async def test_the_three_shapes(live: Database) -> None:
    seen: list[tuple[int, Any]] = []

    def load(session: Session, works: Sequence[Work]) -> Mapping[int, Any]:
        found = session.execute(sa.text("SELECT count(*) FROM job")).scalar_one()
        return {work.id: found for work in works if work.args["number"] == 0}

    async def call(work: Work, loaded: Any) -> Outcome:
        seen.append((work.args["number"], loaded))
        return did(f"call {work.args['number']}")

    def run(work: Work) -> Outcome:
        with live.transaction() as session:
            keep(session, ["slow"])
        return Done()

    def apply(session: Session, works: Sequence[Work]) -> None:
        keep(session, [f"batch {work.args['number']}" for work in works])

    ask(live, CALL, 2, at=None)
    ask(live, SLOW, at=None)
    ask(live, BATCH, 2, at=None)
    async with working(
        live, outgoing(call, load=load), InThread(SLOW, run), Together(BATCH, apply)
    ):
        await until(lambda: not jobs(live))
    assert effects(live) == ["batch 0", "batch 1", "call 0", "call 1", "slow"]
    assert [(number, loaded is not None) for number, loaded in sorted(seen)] == [
        (0, True),
        (1, False),
    ]


@in_loop
async def test_only_its_queues(live: Database) -> None:
    async def call(work: Work, _loaded: Any) -> Outcome:
        return did("call")

    ask(live, CALL, at=None)
    ask(live, SLOW, at=None)
    handlers = (outgoing(call), InThread(SLOW, lambda work: did("slow")))
    async with working(live, *handlers, queues=["heavy"]):
        await until(lambda: effects(live))
    assert effects(live) == ["slow"]
    assert [(row.kind, row.attempt) for row in jobs(live)] == [("test.call", 0)]


@in_loop
async def test_what_fails_is_tried_again_until_it_is_dead(live: Database) -> None:
    async def call(work: Work, _loaded: Any) -> Outcome:
        raise ValueError("a name")

    ask(live, CALL, at=None)
    async with working(live, outgoing(call)):
        await until(lambda: dead_jobs(live))
    dead = dead_jobs(live)[0]
    assert dead.attempt == 3
    assert (dead.error or "").startswith("ValueError at test_working.py:")


@in_loop
async def test_a_job_that_kills_its_worker_each_time_dies_too(live: Database) -> None:
    ran: list[Work] = []

    async def call(work: Work, _loaded: Any) -> Outcome:
        ran.append(work)
        return Done()

    ask(live, CALL, at=None)
    with live.transaction() as session:
        session.execute(sa.text("UPDATE job SET attempt = 3"))  # three workers never came back
    async with working(live, replace(outgoing(call), on_dead=mourn)):
        await until(lambda: dead_jobs(live))
    assert ran == []
    assert dead_jobs(live)[0].error == "Given up after 3 attempts."
    assert effects(live) == ["mourned 0"]


@in_loop
async def test_a_load_that_one_job_spoils(live: Database) -> None:
    def load(session: Session, works: Sequence[Work]) -> Mapping[int, Any]:
        return {work.id: 1 // work.args["number"] for work in works}

    async def call(work: Work, _loaded: Any) -> Outcome:
        return did(f"call {work.args['number']}")

    ask(live, CALL, 3, at=None)
    async with working(live, outgoing(call, load=load)):
        await until(lambda: dead_jobs(live) and not jobs(live))
    assert effects(live) == ["call 1", "call 2"]
    assert (dead_jobs(live)[0].error or "").startswith("ZeroDivisionError")


@in_loop
async def test_lanes_and_slots_bound_what_runs_at_once(live: Database) -> None:
    most: dict[str, int] = {"all": 0, "a": 0, "b": 0}
    running = {"all": 0, "a": 0, "b": 0}

    async def call(work: Work, _loaded: Any) -> Outcome:
        for name in ("all", work.lane):
            running[name] += 1
            most[name] = max(most[name], running[name])
        await asyncio.sleep(0.005)
        for name in ("all", work.lane):
            running[name] -= 1
        return Done()

    ask(live, CALL, 10, at=None, lane="a")
    ask(live, CALL, 10, at=None, lane="b")
    async with working(live, outgoing(call), slots={"webhook": Slots(3)}):
        await until(lambda: not jobs(live))
    assert most == {"all": 3, "a": 2, "b": 2}


@in_loop
async def test_a_lease_is_prolonged_while_its_job_runs(live: Database) -> None:
    kind = replace(CALL, lease_seconds=0.3)
    started: list[int] = []

    async def call(work: Work, _loaded: Any) -> Outcome:
        started.append(work.attempt)
        await asyncio.sleep(1.2)  # four leases
        return did("once")

    ask(live, kind, at=None)
    async with working(live, outgoing(call, kind)), working(live, outgoing(call, kind)):
        await until(lambda: not jobs(live))
    assert started == [1]
    assert effects(live) == ["once"]


@in_loop
async def test_a_lease_that_is_lost_cancels_the_job(live: Database) -> None:
    kind = replace(CALL, lease_seconds=0.3)
    cancelled = asyncio.Event()

    async def call(work: Work, _loaded: Any) -> Outcome:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return did("never")

    ask(live, kind, at=None)
    async with working(live, outgoing(call, kind)):
        await until(lambda: [row for row in jobs(live) if row.lease])
        with live.transaction() as session:
            session.execute(sa.text("UPDATE job SET lease = 'another', run_at = 99999999999999"))
        await asyncio.wait_for(cancelled.wait(), 20)
    assert effects(live) == []
    assert [row.lease for row in jobs(live)] == ["another"]


@in_loop
async def test_a_stop_waits_for_what_runs(live: Database) -> None:
    started = asyncio.Event()

    async def call(work: Work, _loaded: Any) -> Outcome:
        started.set()
        await asyncio.sleep(0.2)
        return did("finished")

    ask(live, CALL, at=None)
    async with working(live, outgoing(call)):
        await started.wait()
    assert effects(live) == ["finished"]
    assert jobs(live) == []


@in_loop
async def test_a_stop_gives_back_what_does_not_end(live: Database) -> None:
    started, release = threading.Event(), threading.Event()

    async def call(work: Work, _loaded: Any) -> Outcome:
        await asyncio.sleep(60)
        return did("never")

    def run(work: Work) -> Outcome:
        started.set()
        release.wait(20)
        return did("too late")

    ask(live, CALL, at=None)
    ask(live, SLOW, at=None)
    began = time.monotonic()
    pace = replace(QUICK, patience=0.3)
    async with working(live, outgoing(call), InThread(SLOW, run), pace=pace):
        await until(started.is_set)
        await until(lambda: all(row.lease for row in jobs(live)))
    assert time.monotonic() - began < 15
    release.set()
    assert [(row.lease, row.attempt) for row in jobs(live)] == [(None, 0), (None, 0)]
    assert effects(live) == []


@in_loop
async def test_known_outcomes_survive_an_outage(
    live: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away between the call and its settling, at each step there is."""
    steps = ("due_queues", "claim", "settle", "settle_together", "fire_due", "keep_schedules")
    failures = dict.fromkeys(steps, 0)

    def break_down(name: str) -> None:
        works = getattr(module, name)

        def broken(*arguments: Any, **named: Any) -> Any:
            failures[name] += 1
            if failures[name] <= 3:
                raise OperationalError("SELECT 1", {}, OSError("connection refused"))
            return works(*arguments, **named)

        monkeypatch.setattr(module, name, broken)

    for name in steps:
        break_down(name)
    called: list[int] = []

    async def call(work: Work, _loaded: Any) -> Outcome:
        called.append(work.args["number"])
        return did(f"call {work.args['number']}")

    def apply(session: Session, works: Sequence[Work]) -> None:
        keep(session, ["batch"])

    tick = Cron("often", CALL, "* * * * *", args={"number": 7})
    ask(live, CALL, 2, at=None)
    ask(live, BATCH, at=None)
    async with working(live, outgoing(call), Together(BATCH, apply), crons=[tick]):
        await until(lambda: effects(live) == ["batch", "call 0", "call 1"])
        await until(lambda: failures["fire_due"] > 3)
    assert min(failures.values()) > 3
    assert sorted(called) == [0, 1]


@in_loop
async def test_a_schedule_is_worked_off(live: Database) -> None:
    tick = Cron("often", CALL, "* * * * *", args={"number": 7})

    async def call(work: Work, _loaded: Any) -> Outcome:
        return did(f"tick {work.args['number']}")

    async with working(live, outgoing(call), crons=[tick]):
        await until(lambda: _scheduled(live))
        with live.transaction() as session:
            session.execute(sa.text("UPDATE schedule SET next_at = 60000"))
        await until(lambda: effects(live) == ["tick 7"])
    assert _scheduled(live) > 60_000


def _scheduled(live: Database) -> int:
    with live.reading() as session:
        return int(
            session.execute(sa.text("SELECT coalesce(max(next_at), 0) FROM schedule")).scalar_one()
        )


@in_loop
async def test_retries_wait_for_their_time(live: Database) -> None:
    async def call(work: Work, _loaded: Any) -> Outcome:
        return Retry("later", at=4_000_000_000_000)

    ask(live, CALL, at=None)
    async with working(live, outgoing(call)):
        await until(lambda: [row for row in jobs(live) if row.error])
    assert [(row.run_at, row.attempt, row.lease) for row in jobs(live)] == [
        (4_000_000_000_000, 1, None)
    ]
