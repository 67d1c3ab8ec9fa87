"""A database whose commits are real, with a table of what jobs did in it."""

from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from app.kit import migrations
from app.kit.db import Database

_EMPTIED = ("job", "job_dead", "schedule", "effect")


@pytest.fixture(scope="session")
def live_url(backend: str, new_database_url: Callable[[str, str], str]) -> str:
    url = new_database_url(backend, "jobs")
    migrations.upgrade(url)
    database = Database(url)
    with database.transaction() as session:
        session.execute(sa.text("CREATE TABLE effect (what TEXT NOT NULL)"))
    database.dispose()
    return url


@pytest.fixture
def live(live_url: str) -> Iterator[Database]:
    """Empty at the start of every test; shared by threads and processes."""
    database = Database(live_url)
    with database.transaction() as session:
        for table in _EMPTIED:
            session.execute(sa.text(f"DELETE FROM {table}"))  # noqa: S608 - our own names
    yield database
    database.dispose()
