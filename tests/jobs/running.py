"""Runs a worker for the length of a test."""

import asyncio
import functools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import QueuePool

from app.jobs.handlers import Handler
from app.jobs.pace import Pace
from app.jobs.working import Worker
from app.kit.db import Database
from app.kit.threads import in_thread

QUICK = Pace(poll=0.05, patience=5.0, back_off=0.05, tick=0.05)
PATIENCE_SECONDS = 30.0


@asynccontextmanager
async def working(
    database: Database, *handlers: Handler, pace: Pace = QUICK, **more: Any
) -> AsyncIterator[Worker]:
    """A worker that is stopped in good order at the end."""
    worker = Worker(database, handlers, pace=pace, **more)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await task
        await until(lambda: is_idle(database))


def is_idle(database: Database) -> bool:
    """Whether no thread holds a connection: one that nobody waits for may outlive its worker."""
    engines = (database.read_engine, database.write_engine)
    return not any(
        engine.pool.checkedout() for engine in engines if isinstance(engine.pool, QueuePool)
    )


async def until(condition: Callable[[], Any], *, seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until something that a thread looks up is true; fails if it never is."""
    deadline = time.monotonic() + seconds
    while not await in_thread(condition):
        assert time.monotonic() < deadline, "it never came about"
        await asyncio.sleep(0.01)


def in_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """A test that is a coroutine."""

    @functools.wraps(test)
    def run(**fixtures: Any) -> None:
        asyncio.run(test(**fixtures))  # type: ignore[arg-type]

    return run
