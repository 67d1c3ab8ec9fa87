"""A worker: claims what is due, runs it, prolongs its leases, settles, fires schedules.

An asyncio loop; whatever touches the database runs in threads. No outage of the database ends it,
and outcomes that are known are kept until they are settled.
"""

import asyncio
import contextlib
import os
import random
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.jobs.claiming import Held, claim, due_queues, extend, looking, release
from app.jobs.handlers import Handler, InThread, Outcome, Outgoing, Retry, Together
from app.jobs.kinds import Kind
from app.jobs.pace import MUCH, SLOTS, Pace, Slots
from app.jobs.schedules import Cron, fire_due, keep_schedules
from app.jobs.settling import (
    AT_ONCE,
    Result,
    describe,
    given_up,
    is_outage,
    settle,
    settle_together,
)
from app.jobs.waking import bell_of, hearing
from app.kit.db import Database
from app.kit.logging import bound
from app.kit.metrics import Metrics
from app.kit.threads import in_thread

log = structlog.get_logger()


@dataclass(eq=False, slots=True)
class _Running:
    held: Held
    is_batch: bool
    task: asyncio.Task[None] | None = None
    outcome: Outcome | None = None
    since: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has been held."""
        return time.monotonic() - self.since


@dataclass(eq=False)
class Worker:
    """Works for some queues, or for all. `run` ends when `stop` is called."""

    database: Database
    handlers: Sequence[Handler]
    crons: Sequence[Cron] = ()
    queues: Collection[str] | None = None
    slots: Mapping[str, Slots] = field(default_factory=lambda: SLOTS)
    pace: Pace = field(default_factory=Pace)
    metrics: Metrics = field(default_factory=Metrics)
    name: str = field(default_factory=lambda: f"{socket.gethostname()[:60]}:{os.getpid()}")

    def __post_init__(self) -> None:
        self._by_kind = {handler.kind.name: handler for handler in self.handlers}
        self._kinds: dict[str, list[Kind]] = {}
        for handler in self.handlers:
            if self.queues is None or handler.kind.queue in self.queues:
                self._kinds.setdefault(handler.kind.queue, []).append(handler.kind)
        self._running: dict[tuple[int, str], _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = asyncio.Lock()  # leases and outcomes touch the same rows
        self._wake, self._settled = asyncio.Event(), asyncio.Event()
        self._stop = asyncio.Event()

    def stop(self) -> None:
        """Claim nothing more, and end when what runs has ended; from the loop's own thread."""
        self._stop.set()
        self._wake.set()

    async def run(self) -> None:
        """Work until `stop`; then wait for what runs, and give back what is not finished."""
        loop = asyncio.get_running_loop()
        engine = self.database.write_engine

        def ring(queues: Collection[str]) -> None:
            if not queues or not self._kinds.keys().isdisjoint(queues):
                with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(self._wake.set)

        unlisten = bell_of(engine).listen(ring)
        beside = [self._again(self._settle_some), self._again(self._beat), self._again(self._tick)]
        tasks = [asyncio.create_task(work) for work in beside]
        try:
            async with hearing(engine):
                await self._again(self._claim_or_wait, until=self._stop)
        finally:
            unlisten()
            await self._finish()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _again(
        self, step: Callable[[], Awaitable[None]], *, until: asyncio.Event | None = None
    ) -> None:
        """A step for ever: a fault is logged, and the next one waits a little."""
        while until is None or not until.is_set():
            try:
                await step()
            except Exception as fault:
                if is_outage(fault):
                    log.warning("job_database_away", error=describe(fault))
                else:
                    log.exception("job_step_failed")
                await asyncio.sleep(self.pace.back_off)

    # -- claiming ------------------------------------------------------------------------------

    async def _claim_or_wait(self) -> None:
        await self._gather()
        self._wake.clear()  # before looking: what comes meanwhile is not missed
        if not await self._claim_all():
            with contextlib.suppress(TimeoutError):
                wait = self.pace.poll * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
                await asyncio.wait_for(self._wake.wait(), wait)

    async def _claim_all(self) -> bool:
        """Claim for every queue with room; whether anything was there."""
        room = {queue: free for queue in self._kinds if (free := self._free(queue)) > 0}
        open_queues = {queue: self._kinds[queue] for queue in room}
        due = await in_thread(due_queues, self.database, open_queues) if room else set()
        found = False
        for queue in due if not self._stop.is_set() else ():
            held = await in_thread(
                claim,
                self.database,
                self._kinds[queue],
                limit=room[queue],
                worker=self.name,
                busy=self._busy(queue),
            )
            found = found or bool(held)
            for kind, count in Counter(one.kind.name for one in held).items():
                self.metrics.jobs_claimed(kind, count)
            self._start(held)
        return found

    async def _gather(self) -> None:
        """While much runs, one transaction for several costs far less than one for each."""
        if len(self._running) >= MUCH:
            await asyncio.sleep(self.pace.gather)

    def _unfinished(self, queue: str) -> Iterator[_Running]:
        return (
            one
            for one in self._running.values()
            if one.outcome is None and one.held.kind.queue == queue
        )

    def _free(self, queue: str) -> int:
        slots, running = self.slots.get(queue, Slots(1)), list(self._unfinished(queue))
        if slots.batches and sum(one.is_batch for one in running) >= slots.batches:
            return 0
        if len(self._running) >= AT_ONCE * 5:  # outcomes pile up: the database is away
            return 0
        return slots.jobs - len(running)

    def _busy(self, queue: str) -> Counter[str]:
        return Counter(one.held.work.lane for one in self._unfinished(queue) if one.held.work.lane)

    def _start(self, held: Sequence[Held]) -> None:
        batches: dict[str, list[_Running]] = {}
        for one in held:
            running = self._running[one.row] = _Running(one, is_batch=False)
            if dead := given_up(one):
                self._know(running, dead)
            else:
                batches.setdefault(one.kind.name, []).append(running)
        for name, batch in batches.items():
            self._start_batch(self._by_kind[name], batch)

    def _start_batch(self, handler: Handler, batch: list[_Running]) -> None:
        match handler:
            case Together():
                batch[0].is_batch = True
                self._spawn(self._together(handler, batch))
            case InThread():
                for running in batch:
                    self._run_one(running, in_thread, handler.run, running.held.work)
            case Outgoing():
                self._spawn(self._outgoing(handler, batch))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # -- running -------------------------------------------------------------------------------

    def _run_one(
        self, running: _Running, call: Callable[..., Awaitable[Outcome]], *arguments: Any
    ) -> None:
        held = running.held

        async def run() -> None:
            with bound(**held.work.told):
                try:
                    outcome = await call(*arguments)
                except Exception as fault:
                    outcome = _failed(fault)
            self._know(running, outcome)

        running.task = self._spawn(run())

    async def _together(self, handler: Together, batch: list[_Running]) -> None:
        held = [running.held for running in batch]
        patience = time.monotonic() + handler.kind.lease_seconds / 2
        try:
            while time.monotonic() < patience:  # beyond the lease the jobs are anybody's
                try:
                    results = await in_thread(settle_together, self.database, handler, held)
                    for result in results:
                        self._count(handler.kind, type(result.outcome), batch[0].seconds)
                    return
                except Exception as fault:
                    if not is_outage(fault):
                        log.exception("job_batch_failed", kind=handler.kind.name)
                        return
                    log.warning("job_database_away", error=describe(fault))
                    await asyncio.sleep(self.pace.back_off)
            # A claim must not count where nothing could be tried; else the leases run out.
            with contextlib.suppress(SQLAlchemyError, OSError):
                await in_thread(release, self.database, held)
        finally:
            for running in batch:
                self._forget(running)

    async def _outgoing(self, handler: Outgoing, batch: list[_Running]) -> None:
        loaded = await self._load(handler, batch)
        for running in batch:
            if running.outcome is None and running.held.row in self._running:
                work = running.held.work
                self._run_one(running, handler.run, work, loaded.get(work.id))

    async def _load(self, handler: Outgoing, batch: list[_Running]) -> Mapping[int, Any]:
        """What a batch needs; one by one where together it cannot be loaded."""
        try:
            works = [running.held.work for running in batch]
            return await in_thread(_loaded, self.database, handler, works)
        except Exception as fault:
            if len(batch) == 1 or is_outage(fault):
                for running in batch:
                    self._know(running, Retry(describe(fault), counts=not is_outage(fault)))
                return {}
        loaded: dict[int, Any] = {}
        for running in batch:
            loaded |= await self._load(handler, [running])
        return loaded

    def _know(self, running: _Running, outcome: Outcome) -> None:
        running.outcome = outcome
        self._settled.set()
        self._wake.set()  # a slot is free

    def _count(self, kind: Kind, outcome: type[object], seconds: float) -> None:
        self.metrics.jobs_settled(kind.name, outcome.__name__.lower(), seconds)

    def _forget(self, running: _Running) -> None:
        self._running.pop(running.held.row, None)
        self._wake.set()

    # -- settling, leases, schedules -----------------------------------------------------------

    async def _settle_some(self) -> None:
        await self._settled.wait()
        await self._gather()
        self._settled.clear()
        await self._settle_known()

    async def _settle_known(self) -> None:
        async with self._writing:
            while known := self._known():
                results = [
                    Result(one.held, one.outcome, self._by_kind[one.held.kind.name].on_dead)
                    for one in known
                    if one.outcome
                ]
                try:
                    await in_thread(settle, self.database, results)
                except BaseException:
                    self._settled.set()  # they are kept
                    raise
                for one in known:
                    self._count(one.held.kind, type(one.outcome), one.seconds)
                    self._forget(one)

    def _known(self) -> list[_Running]:
        return [one for one in self._running.values() if one.outcome is not None][:AT_ONCE]

    async def _beat(self) -> None:
        """Prolong what is held; cancel what was lost. A batch holds its rows by itself."""
        leases = [kind.lease_seconds for kinds in self._kinds.values() for kind in kinds]
        await asyncio.sleep(min(leases, default=60.0) / 3)
        ours = [
            one
            for one in self._running.values()
            if not isinstance(self._by_kind[one.held.kind.name], Together)
        ]
        if not ours:
            return
        async with self._writing:
            lost = await in_thread(extend, self.database, [one.held for one in ours])
        for held in lost:
            running = self._running.pop(held.row, None)
            if running is not None and running.task is not None and running.outcome is None:
                log.warning("job_lease_lost", **held.work.told)
                self.metrics.jobs_settled(held.kind.name, "lost", running.seconds)
                running.task.cancel()
        if lost:
            self._wake.set()

    async def _tick(self) -> None:
        await in_thread(keep_schedules, self.database, self.crons)
        while True:
            wait = await in_thread(fire_due, self.database, self.crons)
            await asyncio.sleep(
                self.pace.tick if wait is None else min(wait / 1000, self.pace.tick)
            )

    # -- ending --------------------------------------------------------------------------------

    async def _finish(self) -> None:
        deadline = time.monotonic() + self.pace.patience
        while self._tasks and (left := deadline - time.monotonic()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not await self._gave_back() and time.monotonic() < deadline:
            await asyncio.sleep(self.pace.back_off)
        self._running.clear()

    async def _gave_back(self) -> bool:
        """Settle what is known and release the rest; if that fails, the leases run out."""
        try:
            await self._settle_known()
            held = [running.held for running in self._running.values()]
            await in_thread(release, self.database, held)
        except Exception as fault:
            log.warning("job_not_released", error=describe(fault))
            return False
        return True


def _failed(fault: Exception) -> Retry:
    """What becomes of a job that raised; an outage of the database uses up no attempt."""
    if isinstance(fault, SQLAlchemyError) and is_outage(fault):
        log.warning("job_database_away", error=describe(fault))
        return Retry(describe(fault), counts=False)
    log.exception("job_failed")
    return Retry(describe(fault))


def _loaded(database: Database, handler: Outgoing, works: Sequence[Any]) -> Mapping[int, Any]:
    with looking(database) as session:
        return handler.load(session, works)
