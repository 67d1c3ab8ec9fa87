"""What holds only where transactions commit: workers that look at once, and the upgrade."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest
from alembic import command
from sqlmodel import col, select

from app.analytics.detections.actions import detect_signals
from app.analytics.detections.models import DetectedSignal, SignalWatch
from app.analytics.detections.watching import SIGNALS, detector
from app.events.models import Event
from app.jobs.models import Job
from app.kit import migrations
from app.kit.db import Database
from app.measures.models import Measure
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_measure
from tests.jobs.draining import drain

NOW = datetime(2018, 7, 2, 9, 30, tzinfo=UTC)


@pytest.fixture
def url(backend: str, new_database_url: Callable[[str, str], str]) -> str:
    url = new_database_url(backend, "detections")
    migrations.upgrade(url)
    return url


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


@pytest.fixture
def measure_id(database: Database) -> uuid.UUID:
    """A measure whose chart shows signals."""
    with database.transaction() as session:
        measure = make_measure(session, baseline_points=12)
        fill(session, measure, BASELINE + SHIFTED)
        return measure.id


def _told(database: Database) -> list[Event]:
    with database.reading() as session:
        statement = select(Event).where(col(Event.type).startswith("measure.signal_"))
        return list(session.exec(statement))


def _remembered(database: Database) -> list[DetectedSignal]:
    with database.reading() as session:
        return list(session.exec(select(DetectedSignal)))


@pytest.mark.parametrize("is_first", [True, False])
def test_workers_that_look_at_once_tell_once(
    database: Database, measure_id: uuid.UUID, is_first: bool
) -> None:
    """The first look waits for the row of the other, a later one for its lock."""
    if not is_first:
        with database.transaction() as session:
            session.add(SignalWatch(measure_id=measure_id, series_revision=0))
    together = Barrier(4)

    def look(_: int) -> None:
        together.wait(30)
        with database.transaction() as session:
            detect_signals(session, measures=[measure_id], now=NOW)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(8)))
    assert len(_told(database)) == len(_remembered(database)) > 1


def test_the_upgrade_asks_for_a_first_look_that_tells_nobody(
    url: str, database: Database, measure_id: uuid.UUID
) -> None:
    database.dispose()
    command.downgrade(migrations.config(url), "0003")
    migrations.upgrade(url)
    with database.reading() as session:
        (job,) = session.exec(select(Job)).all()
        assert (job.kind, job.queue) == (SIGNALS.name, SIGNALS.queue)
        assert session.get_one(SignalWatch, measure_id).series_revision is None
    drain(database, [detector()])
    assert len(_remembered(database)) > 1
    assert _told(database) == []
    with database.reading() as session:
        seen = session.get_one(SignalWatch, measure_id).series_revision
        assert seen == session.get_one(Measure, measure_id).series_revision
