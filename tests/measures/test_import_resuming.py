"""Every row exactly once: killed at each statement, by a signal, run by two, on real commits."""

import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Barrier, get_ident
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlmodel import col, select

from app.access.permissions import Role
from app.events.models import Event
from app.jobs.handlers import Done, Retry, Work
from app.jobs.models import Job
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.measures.imports import rows
from app.measures.imports.actions import import_data_points, import_project_data_points
from app.measures.imports.rows import named_points, read_file
from app.measures.imports.schemas import ImportOptions, ProjectImportOptions
from app.measures.models import DataPoint, Measure
from app.operations.actions import OPERATION
from app.operations.models import Operation, OperationInput, OperationState
from tests.builders import (
    make_measure,
    make_membership,
    make_project,
    make_team,
    make_user,
)
from tests.exchange import acting
from tests.jobs.draining import drain, waiting
from tests.measures.bodies import data_of
from tests.measures.importing import RUNNERS, csv_of, point
from tests.operations.bodies import quick

ROOT = Path(__file__).resolve().parents[2]
ROWS, BATCH = 11, 4
CHUNKS = 3
MEASURES = 2
WRITTEN = 4  # six rows of the one measure, then five of the other: a batch of 4 holds both


class Killed(BaseException):
    """As if the process were gone: nothing of ours handles it."""


@pytest.fixture(scope="module")
def committed_url(backend: str, new_database_url: Callable[[str, str], str]) -> str:
    url = new_database_url(backend, "resuming")
    migrations.upgrade(url)
    return url


@pytest.fixture
def committed(committed_url: str) -> Iterator[Database]:
    """A database whose transactions commit."""
    database = Database(committed_url)
    yield database
    database.dispose()


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_ROWS", BATCH)


Started = tuple[list[Measure], Operation]


def started(database: Database, *, measures: int = 0, **options: Any) -> Started:
    """An import that waits, into new measures. Where bad rows are skipped, it has one.

    measures: how many the rows are of, each named in turn; 0 is one that they need not name.
    """
    with database.transaction() as session:
        project = make_project(session, team=make_team(session))
        made = [make_measure(session, project=project) for _ in range(measures or 1)]
        user = make_user(session)
        make_membership(
            session,
            user=user,
            role=Role.FACILITATOR,
            programme=None,
            programme_id=project.programme_id,
        )
        bad = {5} if options.get("on_error") == "skip" else set[int]()
        rows = [point(number, numerator=21 if number in bad else 3) for number in range(ROWS)]
        common: dict[str, Any] = {
            "actor": acting(session, user_id=user.id, programme_id=project.programme_id),
            "now": utc_now(),
        }
        if not measures:
            operation = import_data_points(
                session,
                measure_id=made[0].id,
                file=read_file("text/csv", csv_of(rows).encode()),
                options=ImportOptions(**options),
                **common,
            )
        else:
            text = csv_of(
                {"measure": made[number % measures].name} | row for number, row in enumerate(rows)
            )
            operation = import_project_data_points(
                session,
                project_id=project.id,
                file=read_file("text/csv", text.encode(), named_points(has_system=False)),
                options=ProjectImportOptions(**options),
                **common,
            )
    return made, operation


def assert_done_once(
    database: Database, measures: list[Measure], operation: Operation, *, skipped: int = 0
) -> None:
    """What is there, what was told of it, and what was counted are the same rows."""
    written = CHUNKS if len(measures) == 1 else WRITTEN
    ids = [measure.id for measure in measures]
    with database.reading() as session:
        row = session.get_one(Operation, operation.id)
        assert (row.state, row.done, row.error) == (OperationState.SUCCEEDED, ROWS, None)
        assert row.result is not None
        counts = [row.result[name] for name in ("created", "updated", "unchanged", "skipped")]
        assert counts == [ROWS - skipped, 0, 0, skipped]
        of_each = row.result.get("measures", [row.result])
        assert sum(part["created"] for part in of_each) == ROWS - skipped
        assert len(of_each) == len(measures)
        points = session.exec(select(DataPoint).where(col(DataPoint.measure_id).in_(ids))).all()
        assert [item.revision for item in points] == [1] * (ROWS - skipped)
        assert sum(session.get_one(Measure, each).series_revision for each in ids) == written
        told = session.exec(select(Event).where(col(Event.parent_id).in_(ids))).all()
        assert sum(data_of(item)["created"] for item in told) == ROWS - skipped
        assert len(told) == written
        types = session.exec(select(Event.type).where(Event.resource_id == operation.id)).all()
        assert Counter(types) == {"operation.created": 1, "operation.finished": 1}
        assert session.get(OperationInput, operation.id) is None
    assert waiting(database, OPERATION.name) == 0


@contextmanager
def killing(database: Database, *, at: int) -> Iterator[list[str]]:
    """Die at the so-manieth statement or commit of this thread; yields what came until then.

    Workers are woken from a thread of its own, at a time of its own.
    """
    seen: list[str] = []
    thread = get_ident()

    def note(connection: Connection, what: str) -> None:
        if get_ident() != thread:
            return
        seen.append(what)
        if len(seen) == at:
            connection.invalidate()  # a process that dies takes its connections with it
            raise Killed

    def statement(connection: Connection, _cursor: Any, text: str, *_rest: Any) -> None:
        note(connection, text)

    def committing(connection: Connection) -> None:
        note(connection, "COMMIT")

    event.listen(database.write_engine, "before_cursor_execute", statement)
    event.listen(database.write_engine, "commit", committing)
    try:
        yield seen
    finally:
        event.remove(database.write_engine, "before_cursor_execute", statement)
        event.remove(database.write_engine, "commit", committing)


def _run_job(database: Database) -> None:
    """The handler alone, so that the statements counted are those of the work."""
    with database.reading() as session:
        (job,) = session.exec(select(Job).where(col(Job.kind) == OPERATION.name)).all()
    work = Work(job.id or 0, job.kind, job.lane, job.args, 1, job.created_at)
    assert quick(RUNNERS, database).run(work) == Done()


@pytest.mark.parametrize(
    ("measures", "on_error"), [(0, "fail"), (MEASURES, "skip")], ids=["one-fail", "many-skip"]
)
def test_killed_at_each_statement_and_commit(
    committed: Database, measures: int, on_error: str
) -> None:
    skipped = 1 if on_error == "skip" else 0
    at, died = 1, set[str]()
    while True:
        made, operation = started(committed, measures=measures, on_error=on_error)
        with killing(committed, at=at) as seen:
            try:
                _run_job(committed)
                was_killed = False
            except Killed:
                was_killed = True
        died.add(seen[-1].split()[0])
        assert drain(committed, [quick(RUNNERS, committed)]) == [Done()]
        assert_done_once(committed, made, operation, skipped=skipped)
        if not was_killed:
            break
        at += 1
    assert at > 30
    assert died >= {"SELECT", "INSERT", "UPDATE", "DELETE", "COMMIT"}


def test_killed_again_and_again(committed: Database) -> None:
    """It dies in every chunk once, each time further on."""
    made, operation = started(committed)
    for _ in range(CHUNKS + 1):
        with killing(committed, at=21), pytest.raises(Killed):
            _run_job(committed)
    drain(committed, [quick(RUNNERS, committed)])
    assert_done_once(committed, made, operation)


CHILD = """
    import os, signal, sys
    from sqlalchemy import event
    from app.jobs.handlers import Work
    from app.kit.db import Database
    from app.measures.imports import rows
    from app.measures.imports.actions import KIND
    from app.measures.imports.runner import run_import
    from app.operations.running import operator
    from app import tables

    url, operation_id, what, at = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    rows.BATCH_ROWS = {batch}
    database, seen = Database(url), 0

    def note(*_anything):
        global seen
        seen += 1
        if seen == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(database.write_engine, what, note)
    handler = operator({{KIND: run_import}}, database=database)
    handler.run(Work(1, "operation.run", "", {{"operation_id": operation_id}}, 1, 0))
    print("survived")
"""


@pytest.mark.parametrize("measures", [0, MEASURES], ids=["one", "many"])
@pytest.mark.parametrize(("what", "at"), [("before_cursor_execute", 25), ("commit", 4)])
def test_killed_by_a_signal(
    committed: Database, committed_url: str, what: str, at: int, measures: int
) -> None:
    made, operation = started(committed, measures=measures)
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            textwrap.dedent(CHILD.format(batch=BATCH)),
            committed_url,
            operation.id.hex,
            what,
            str(at),
        ],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    with committed.reading() as session:
        assert 0 < session.get_one(Operation, operation.id).done < ROWS
    drain(committed, [quick(RUNNERS, committed)])
    assert_done_once(committed, made, operation)


def test_run_by_two_at_once(committed: Database) -> None:
    """A lease that was lost and is worked on all the same: one of the two writes each chunk."""
    made, operation = started(committed)
    with committed.reading() as session:
        (job,) = session.exec(select(Job).where(col(Job.kind) == OPERATION.name)).all()
    work = Work(job.id or 0, job.kind, job.lane, job.args, 1, job.created_at)
    together = Barrier(2)

    def run(_number: int) -> Any:
        together.wait(10)
        return quick(RUNNERS, committed).run(work)

    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(run, range(2)))
    assert all(isinstance(outcome, (Done, Retry)) for outcome in outcomes)
    later = int((utc_now() + timedelta(days=1)).timestamp() * 1000)
    drain(committed, [quick(RUNNERS, committed)], now=later)
    assert_done_once(committed, made, operation)
