"""Two kinds of database session: one reads, one writes; behind them the engines."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import psycopg
from anyio import Semaphore
from sqlalchemy import Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlmodel import Session

POOL_SIZE = 16  # main allows as many worker threads; kit.dependencies hands out the turns
POOL_OVERFLOW = 4  # for what runs beside the requests' own threads: commits, token use
POOL_TIMEOUT_SECONDS = 5.0  # then 503 with Retry-After, not an endless queue
SQLITE_PRAGMAS = {
    "journal_mode": "WAL",  # readers go on while one writer writes
    "synchronous": "NORMAL",  # with WAL: no corruption; a power cut may lose the last commits
    "foreign_keys": "ON",  # SQLite ignores them unless asked
    "busy_timeout": "5000",  # another program may hold the file for a moment
}
POSTGRES_OPTIONS = "-c lock_timeout=5000 -c statement_timeout=30000 -c timezone=UTC"


def normalise_url(url: str) -> URL:
    """`postgres://` and `postgresql://` mean psycopg 3; everything else stays as it is."""
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _sqlite_engine(url: URL, *, read_only: bool) -> Engine:
    # One writer connection behind the pool's own lock does four times the transactions of eight
    # that contend, and BEGIN IMMEDIATE loses none to a lock upgrade (both measured).
    sizes: dict[str, Any] = (
        {
            "pool_size": POOL_SIZE,
            "max_overflow": POOL_OVERFLOW,
            "isolation_level": "AUTOCOMMIT",
        }
        if read_only
        else {"pool_size": 1, "max_overflow": 0}
    )
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False},
        poolclass=QueuePool,  # also for a database in memory, which has another pool by default
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
        **sizes,
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for name, value in SQLITE_PRAGMAS.items():
            connection.execute(f"PRAGMA {name}={value}")
        if read_only:
            connection.execute("PRAGMA query_only=ON")

    if not read_only:

        @event.listens_for(engine, "begin")
        def begin_immediate(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class LeanCursor(psycopg.Cursor[Any]):
    """SQLAlchemy asks every result for its description; psycopg makes an object of each column.

    Of a short query with two dozen columns that is a fifth (measured). SQLAlchemy needs but the
    name and the type, which the result has at hand.
    """

    @property
    def description(self) -> Any:
        """Name and type of each column, in the shape of PEP 249; None for a result without rows."""
        result = self.pgresult
        if result is None or not result.nfields:
            return None
        names = (result.fname(column) for column in range(result.nfields))
        return [
            (name.decode() if name else "", result.ftype(column), None, None, None, None, None)
            for column, name in enumerate(names)
        ]


def _postgres_engine(url: URL, *, read_only: bool) -> Engine:
    # A read session runs each statement in its own snapshot (AUTOCOMMIT): no BEGIN and ROLLBACK
    # round trips on the hot path, and nothing is held open while a response is written.
    options = POSTGRES_OPTIONS
    sizes: dict[str, Any] = {}
    if read_only:
        options += " -c default_transaction_read_only=on"
        sizes = {
            "isolation_level": "AUTOCOMMIT",
            "skip_autocommit_rollback": True,
            "pool_reset_on_return": None,  # there is never a transaction to end
        }
    return create_engine(
        url,
        pool_size=POOL_SIZE,
        max_overflow=POOL_OVERFLOW,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
        connect_args={"options": options, "cursor_factory": LeanCursor},
        **sizes,
    )


def make_engine(url: str, *, read_only: bool = False) -> Engine:
    """An engine with the settings of its dialect. Its errors, which are logged, hold no values."""
    parsed = normalise_url(url)
    make = _sqlite_engine if parsed.get_backend_name() == "sqlite" else _postgres_engine
    return make(parsed, read_only=read_only)


class Database:
    """Hands out sessions: `reading()` has a snapshot a statement, `writing()` one transaction."""

    def __init__(self, url: str, *, read_url: str | None = None) -> None:
        self.write_engine = make_engine(url)
        self.read_engine = make_engine(read_url or url, read_only=True)
        self._write_bind: Engine | Connection = self.write_engine
        self._read_bind: Engine | Connection = self.read_engine
        # A request keeps its connection while its answer waits for a thread to be checked in. Were
        # all threads to wait for connections or locks meanwhile, nothing could go on until they
        # time out; so a request waits for its turn in the event loop, and some threads stay free.
        is_sqlite = self.write_engine.dialect.name == "sqlite"
        self.write_turns = Semaphore(1 if is_sqlite else POOL_SIZE - POOL_OVERFLOW)
        self.read_turns = Semaphore(POOL_SIZE)

    @classmethod
    def on_connection(cls, url: str, connection: Connection) -> "Database":
        """Every session on one open transaction, so that a test can roll all of it back."""
        database = cls(url)
        database._write_bind = database._read_bind = connection
        return database

    def reading(self) -> Session:
        """A session for reads; on PostgreSQL and SQLite alike the database refuses writes in it."""
        # On a test's one connection, closing it must not undo what was written after it began.
        return Session(
            self._read_bind,
            autoflush=False,
            expire_on_commit=False,
            join_transaction_mode="rollback_only",
        )

    def connect(self) -> AbstractContextManager[Connection]:
        """A bare read connection, for the hottest reads: columns, no session, no objects."""
        if isinstance(self._read_bind, Connection):
            return nullcontext(self._read_bind)
        return self._read_bind.connect()

    def writing(self, **info: Any) -> Session:
        """A session for one write transaction; it begins with the first statement."""
        return Session(
            self._write_bind,
            expire_on_commit=False,
            info=info,
            join_transaction_mode="create_savepoint",
        )

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A write transaction outside a request: commits at the end, rolls back on error."""
        with self.writing() as session:
            yield session
            session.commit()

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.write_engine.dispose()
        self.read_engine.dispose()
