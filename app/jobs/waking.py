"""Wakes workers after the commit that made work for them. A hint: polling is the guarantee.

In this process a bell rings. On PostgreSQL every other process hears a NOTIFY, sent after the
commit and at most every 20 ms: inside the transaction it would cost a third of all commits.
"""

import asyncio
import contextlib
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

CHANNEL = "openqi_job"
NOTIFY_SECONDS = 0.02
RECONNECT_SECONDS = 1.0
_MARK = "announced queues"

log = structlog.get_logger()


class Bell:
    """One for each engine of this process. Rings for queues; whoever listens is called."""

    def __init__(self, engine: sa.Engine) -> None:
        self._tells_others = engine.dialect.name == "postgresql"
        self._listeners: list[Callable[[Collection[str]], None]] = []
        self._lock = threading.Lock()
        self._untold: set[str] = set()
        self._is_closed = False
        self.has_ear = False  # something listens to other processes for it
        self.name = uuid.uuid4().hex  # what it has said itself need not be heard
        sa.event.listen(engine, "engine_disposed", self._close)

    def listen(self, listener: Callable[[Collection[str]], None]) -> Callable[[], None]:
        """Call `listener` with the queues, in whichever thread committed. Returns what stops it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def ring(self, engine: sa.Engine, queues: Collection[str]) -> None:
        """Something was committed for these queues."""
        self.ring_here(queues)
        if self._tells_others:
            self._tell_soon(engine, queues)

    def ring_here(self, queues: Collection[str]) -> None:
        """The same, where others know it already. No queues: any may have something."""
        for listener in list(self._listeners):
            listener(queues)

    def _tell_soon(self, engine: sa.Engine, queues: Collection[str]) -> None:
        with self._lock:
            is_first, self._is_closed = not self._untold, False
            self._untold.update(queues)
        if is_first:
            timer = threading.Timer(NOTIFY_SECONDS, self._tell, [engine])
            timer.daemon = True
            timer.start()

    def _tell(self, engine: sa.Engine) -> None:
        with self._lock:
            queues, self._untold = self._untold, set()
            if self._is_closed:
                return
        with contextlib.suppress(SQLAlchemyError, OSError), engine.connect() as connection:
            said = f"{self.name} {','.join(sorted(queues))}"
            connection.execute(sa.select(sa.func.pg_notify(CHANNEL, said)))
            connection.commit()
            if self._is_closed:  # the pool is gone: a connection that went back would be left open
                connection.invalidate()

    def _close(self, _engine: sa.Engine) -> None:
        with self._lock:
            self._is_closed = True
            self._untold.clear()


_BELLS: WeakKeyDictionary[sa.Engine, Bell] = WeakKeyDictionary()
_MAKING = threading.Lock()


def bell_of(engine: sa.Engine) -> Bell:
    """The bell of an engine, made when it is first asked for."""
    with _MAKING:
        bell = _BELLS.get(engine)
        if bell is None:
            bell = _BELLS[engine] = Bell(engine)
        return bell


def announce(session: Session, queues: Collection[str]) -> None:
    """Ring for these queues once the session has committed; not if it never does."""
    session.info.setdefault(_MARK, set()).update(queues)


@sa.event.listens_for(Session, "after_commit")
def _after_commit(session: Session) -> None:
    if session.in_nested_transaction() or _MARK not in session.info:
        return
    queues = session.info.pop(_MARK)
    bind = session.get_bind()
    if isinstance(bind, sa.Engine):  # inside somebody's open transaction nothing is committed yet
        bell_of(bind).ring(bind, queues)


@sa.event.listens_for(Session, "after_rollback")
def _after_rollback(session: Session) -> None:
    session.info.pop(_MARK, None)


@asynccontextmanager
async def hearing(engine: sa.Engine) -> AsyncIterator[None]:
    """Meanwhile the bell also rings for what other processes announce.

    Whoever begins first listens for all in this process: a server for the worker inside it.
    """
    bell = bell_of(engine)
    if bell.has_ear or engine.dialect.name != "postgresql":
        yield
        return
    bell.has_ear = True
    ear = asyncio.create_task(_hear_others(engine, bell))
    try:
        yield
    finally:
        bell.has_ear = False
        ear.cancel()
        await asyncio.wait([ear])


async def _hear_others(engine: sa.Engine, bell: Bell) -> None:
    """Listen on a connection of its own, for good; on PostgreSQL alone.

    Rings for every queue (an empty collection) whenever it has connected: something may have been
    said meanwhile.
    """
    while True:
        try:
            await _listen(engine, bell)
        except (psycopg.Error, OSError):
            log.info("job_listening_broke", again_in_seconds=RECONNECT_SECONDS)
        except Exception:
            log.exception("job_listening_failed")
        await asyncio.sleep(RECONNECT_SECONDS)


async def _listen(engine: sa.Engine, bell: Bell) -> None:
    arguments, options = engine.dialect.create_connect_args(engine.url)
    connection = await psycopg.AsyncConnection.connect(*arguments, **options, autocommit=True)
    async with connection:
        await connection.execute(f"LISTEN {CHANNEL}")
        bell.ring_here(())
        async for notify in connection.notifies():
            name, _, queues = notify.payload.partition(" ")
            if name != bell.name:
                bell.ring_here(queues.split(","))
