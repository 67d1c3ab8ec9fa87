"""Workers that are killed, frozen or asked to end: nothing is lost, each effect is there once."""

import random
import signal
from functools import partial

from app.kit.db import Database
from tests.jobs.asking import ask, dead_jobs, effects, jobs
from tests.jobs.process import KIND, handler, worker_process
from tests.jobs.running import in_loop, until, working


def _expected(count: int) -> list[str]:
    return sorted(str(number) for number in range(count))


def _reached(live: Database, goal: int) -> bool:
    return len(effects(live)) >= goal


@in_loop
async def test_a_killed_worker_is_taken_over(live: Database, live_url: str) -> None:
    """Killed with signal 9 at a random moment, three times; the last one may finish."""
    chance = random.Random(7)
    ask(live, KIND, 600, at=None)
    for round_ in range(3):
        done = len(effects(live))
        with worker_process(live_url, 0.02) as process:
            goal = done + chance.randint(1, 120)
            await until(partial(_reached, live, goal))
            process.send_signal(signal.SIGKILL)
            process.wait()
        ask(live, KIND, 10, at=None, key=f"more {round_}")  # keyed: one each
    async with working(live, handler(0.0)):
        await until(lambda: not jobs(live))
    assert sorted(effects(live)) == sorted(_expected(600) + ["0"] * 3)
    assert dead_jobs(live) == []


@in_loop
async def test_a_worker_frozen_past_its_leases_does_nothing_twice(
    live: Database, live_url: str
) -> None:
    ask(live, KIND, 40, at=None)
    with worker_process(live_url, 0.9) as process:
        await until(lambda: len([row for row in jobs(live) if row.lease]) == 40)
        process.send_signal(signal.SIGSTOP)
        async with working(live, handler(0.0)):
            await until(lambda: len(effects(live)) == 40)
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
    assert effects(live) == _expected(40)
    assert jobs(live) == []


@in_loop
async def test_a_worker_that_is_asked_to_end_finishes_what_it_holds(
    live: Database, live_url: str
) -> None:
    ask(live, KIND, 500, at=None)
    with worker_process(live_url, 0.5) as process:
        await until(lambda: any(row.lease for row in jobs(live)))
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    left = jobs(live)
    assert [row for row in left if row.lease] == []
    assert len(left) + len(effects(live)) == 500
    assert 0 < len(left) < 500
