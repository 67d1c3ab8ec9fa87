"""What durable jobs cost: a claim among many that wait, jobs a second, a worker that idles."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import median
from time import perf_counter, process_time
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.claiming import claim, due_queues
from app.jobs.handlers import Done, Handler, Outcome, Outgoing, Together, Work
from app.jobs.kinds import Kind
from app.jobs.models import Job
from app.jobs.settling import Result, settle
from app.jobs.working import Worker
from app.kit import migrations
from app.kit.clock import unix_ms, utc_now
from app.kit.db import Database
from tests.jobs.asking import ask
from tests.jobs.running import until

pytestmark = pytest.mark.bench

WAITING, DUE, AT_ONCE, ENDPOINTS = 300_000, 2_000, 50, 40
WORKED_OFF, IDLE_SECONDS = 5_000, 20.0
CALL = Kind("bench.call", queue="webhook", lane_cap=4)
BATCH = Kind("bench.batch", queue="event")


@pytest.fixture
def database(backend: str, new_database_url: Callable[[str, str], str]) -> Iterator[Database]:
    url = new_database_url(backend, "bench_jobs")
    migrations.upgrade(url)
    database = Database(url)
    yield database
    database.dispose()


def _row(number: int, run_at: int) -> dict[str, Any]:
    return {
        "queue": CALL.queue,
        "kind": CALL.name,
        "lane": f"ep:{number % ENDPOINTS}",
        "args": {"number": number},
        "run_at": run_at,
        "attempt": 0,
        "created_at": run_at,
    }


def _fill(database: Database) -> None:
    now = unix_ms(utc_now())
    with database.transaction() as session:
        for start in range(0, WAITING, 10_000):
            later = [_row(number, now + 3_600_000) for number in range(start, start + 10_000)]
            session.execute(sa.insert(Job), later)
        session.execute(sa.insert(Job), [_row(number, now) for number in range(DUE)])
        session.execute(sa.text("ANALYZE"))  # as the autovacuum would have done meanwhile


def _say(backend: str, what: str, seconds: Sequence[float]) -> None:
    middle, most = median(seconds) * 1000, max(seconds) * 1000
    print(f"\n{backend}: {what}: median {middle:.1f} ms, max {most:.1f} ms")


def test_claims_among_many_that_wait(database: Database, backend: str) -> None:
    """Question: does a claim stay cheap with 300,000 retries that wait?

    Data: those, and 2,000 due jobs of 40 lanes; claims of 50. Compared with the prototype's
    4.2 ms in the median and at most 9.2 ms.
    """
    _fill(database)
    claims, settled, idle = [], [], []
    before = process_time()
    for _ in range(DUE // AT_ONCE):
        started = perf_counter()
        held = claim(database, [CALL], limit=AT_ONCE, worker="bench")
        claims.append(perf_counter() - started)
        assert len(held) == AT_ONCE
        started = perf_counter()
        settle(database, [Result(one, Done()) for one in held])
        settled.append(perf_counter() - started)
    used = (process_time() - before) / (DUE // AT_ONCE)
    print(
        f"\n{backend}: claim and settling of {AT_ONCE}: {used * 1000:.1f} ms of this process's CPU"
    )
    for _ in range(100):
        started = perf_counter()
        assert due_queues(database, {CALL.queue: [CALL]}) == set()
        idle.append(perf_counter() - started)
    _say(backend, f"claim of {AT_ONCE}", claims)
    _say(backend, f"settling {AT_ONCE}", settled)
    _say(backend, "idle poll", idle)


def _handlers() -> list[Handler]:
    def load(session: Session, works: Sequence[Work]) -> Mapping[int, Any]:
        return {}

    async def call(work: Work, _loaded: Any) -> Outcome:
        await asyncio.sleep(0.005)
        return Done()

    return [Outgoing(CALL, load, call), Together(BATCH, lambda session, works: None)]


@pytest.mark.parametrize("kind", [CALL, BATCH], ids=["calls of 5 ms", "batches"])
def test_jobs_worked_off(database: Database, backend: str, kind: Kind) -> None:
    """Question: how many jobs a second does one worker claim, run and settle?

    Data: 5,000 jobs without lanes. Compared with the prototype's 1,350 to 2,750.
    """
    ask(database, kind, WORKED_OFF, at=None)

    async def work_off() -> float:
        worker = Worker(database, _handlers())
        started = perf_counter()
        task = asyncio.create_task(worker.run())
        await until(lambda: _left(database) == 0, seconds=120)
        elapsed = perf_counter() - started
        worker.stop()
        await task
        return elapsed

    before = process_time()
    rate = WORKED_OFF / asyncio.run(work_off())
    used = (process_time() - before) / WORKED_OFF  # on a busy machine this says more
    print(f"\n{backend}: {kind.name}: {rate:.0f} jobs a second, {used * 1000:.2f} ms of CPU each")


def _left(database: Database) -> int:
    with database.reading() as session:
        return int(session.execute(sa.select(sa.func.count()).select_from(Job)).scalar_one())


def test_an_idle_worker(database: Database, backend: str) -> None:
    """Question: what does a worker cost that has nothing to do? The goal is below 1 % of a core."""

    async def idle() -> float:
        worker = Worker(database, _handlers())
        task = asyncio.create_task(worker.run())
        await asyncio.sleep(2)  # connections and statements are made once
        before = process_time()
        await asyncio.sleep(IDLE_SECONDS)
        used = process_time() - before
        worker.stop()
        await task
        return used

    print(f"\n{backend}: idle worker: {asyncio.run(idle()) / IDLE_SECONDS:.2%} of a core")
