"""What an import costs over the bare statement that writes the same rows."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import col, select

from app.access.permissions import Role
from app.jobs.handlers import Work
from app.jobs.models import Job
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.ids import new_id
from app.measures.imports.actions import import_data_points
from app.measures.imports.rows import BATCH_ROWS, read_file
from app.measures.imports.schemas import ImportOptions
from app.measures.models import DataPoint, Measure
from app.operations.actions import OPERATION
from app.operations.running import operator
from tests.bench.asgi import describe
from tests.builders import make_measure, make_membership, make_project, make_team, make_user
from tests.exchange import acting
from tests.measures.importing import RUNNERS, csv_of, points

pytestmark = pytest.mark.bench
ROWS = 20_000


@pytest.fixture
def database(backend: str, new_database_url: Callable[[str, str], str]) -> Iterator[Database]:
    url = new_database_url(backend, "bench_imports")
    migrations.upgrade(url)
    database = Database(url)
    yield database
    database.dispose()


def _started(database: Database) -> tuple[Measure, Work]:
    with database.transaction() as session:
        measure = make_measure(session, project=make_project(session, team=make_team(session)))
        user = make_user(session)
        make_membership(
            session, user=user, role=Role.FACILITATOR, programme_id=measure.programme_id
        )
        actor = acting(session, user_id=user.id, programme_id=measure.programme_id)
        file = read_file("text/csv", csv_of(points(ROWS)).encode())
        import_data_points(
            session,
            actor=actor,
            measure_id=measure.id,
            file=file,
            options=ImportOptions(),
            now=utc_now(),
        )
        (job,) = session.exec(select(Job).where(col(Job.kind) == OPERATION.name)).all()
    return measure, Work(job.id or 0, job.kind, job.lane, job.args, 1, job.created_at)


def _held(database: Database) -> list[tuple[float, float]]:
    """Wall and processor seconds of each transaction, as they end."""
    begun, held = [(0.0, 0.0)], list[tuple[float, float]]()

    def begin(_connection: Any) -> None:
        begun[0] = (time.perf_counter(), time.thread_time())

    def commit(_connection: Any) -> None:
        wall, processor = begun[0]
        held.append((time.perf_counter() - wall, time.thread_time() - processor))

    sa.event.listen(database.write_engine, "begin", begin)
    sa.event.listen(database.write_engine, "commit", commit)
    return held


def test_rows_a_second(database: Database, backend: str) -> None:
    """How much slower is an import of 20,000 new rows than `executemany` of the same rows?

    The import parses CSV twice, checks every row, compares it with what is stored, and commits 500
    rows with event, series revision and progress; the bare statement commits 500 rows. Also how
    long each transaction of the import is open, which on SQLite is how long others wait.
    """
    measure, work = _started(database)
    held = _held(database)
    started, processor = time.perf_counter(), time.thread_time()
    operator(RUNNERS, database=database).run(work)
    wall, spent = time.perf_counter() - started, time.thread_time() - processor
    bare_wall, bare_spent = _bare(database, measure)
    describe(f"{backend}: import, rows a second (wall, processor)", _rates(wall, spent))
    describe(f"{backend}: executemany, rows a second", _rates(bare_wall, bare_spent))
    describe(f"{backend}: import over executemany, processor time", f"{spent / bare_spent:.1f}")
    for name, place in (("wall", 0), ("processor", 1)):
        of = sorted(chunk[place] * 1000 for chunk in held)
        line = f"median {of[len(of) // 2]:.0f} ms, longest {of[-1]:.0f} ms"
        describe(f"{backend}: {name} time of a transaction", line)


def _rates(wall: float, processor: float) -> str:
    return f"{ROWS / wall:,.0f}, {ROWS / processor:,.0f}"


def _bare(database: Database, measure: Measure) -> tuple[float, float]:
    """The rows that the import has stored, written again under another stratum."""
    table: sa.Table = DataPoint.__table__  # type: ignore[attr-defined]
    with database.reading() as session:
        stored = session.execute(sa.select(table).where(table.c.measure_id == measure.id)).all()
    rows = [row._asdict() | {"id": new_id(), "stratum": f"{row.stratum}-x"} for row in stored]
    assert len(rows) == ROWS
    started, processor = time.perf_counter(), time.thread_time()
    for first in range(0, ROWS, BATCH_ROWS):
        with database.write_engine.begin() as connection:
            connection.execute(sa.insert(table), rows[first : first + BATCH_ROWS])
    return time.perf_counter() - started, time.thread_time() - processor
