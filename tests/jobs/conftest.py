"""A database whose commits are real, with a table of what jobs did in it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from app.kit import migrations
from app.kit.db import Database

_EMPTIED = ("job", "job_dead", "schedule", "effect")
NewUrl = Callable[[str, str], str]


def prepared(url: str) -> str:
    migrations.upgrade(url)
    database = Database(url)
    with database.transaction() as session:
        session.execute(sa.text("CREATE TABLE effect (what TEXT NOT NULL)"))
    database.dispose()
    return url


@contextmanager
def _emptied(url: str) -> Iterator[Database]:
    database = Database(url)
    with database.transaction() as session:
        for table in _EMPTIED:
            session.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def live_url(backend: str, new_database_url: NewUrl) -> str:
    return prepared(new_database_url(backend, "jobs"))


@pytest.fixture
def live(live_url: str) -> Iterator[Database]:
    """Empty at the start of every test; shared by threads and processes."""
    with _emptied(live_url) as database:
        yield database


@pytest.fixture(scope="session")
def postgres_live_url(new_database_url: NewUrl) -> str:
    return prepared(new_database_url("postgres", "jobs_postgres"))


@pytest.fixture
def postgres_live(postgres_live_url: str) -> Iterator[Database]:
    """For what only PostgreSQL does."""
    with _emptied(postgres_live_url) as database:
        yield database


@pytest.fixture
def sqlite_live(new_database_url: NewUrl) -> Iterator[Database]:
    """For what only SQLite does: a file of its own."""
    with _emptied(prepared(new_database_url("sqlite", "jobs_sqlite"))) as database:
        yield database
