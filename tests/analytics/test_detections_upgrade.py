"""Measures that were there before signals were remembered: the upgrade asks for a silent look."""

from collections.abc import Callable

from alembic import command
from sqlmodel import col, select

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


def test_the_upgrade_asks_for_a_first_look_that_tells_nobody(
    backend: str, new_database_url: Callable[[str, str], str]
) -> None:
    url = new_database_url(backend, "first_looks")
    migrations.upgrade(url)
    database = Database(url)
    with database.transaction() as session:
        measure = make_measure(session, baseline_points=12)
        fill(session, measure, BASELINE + SHIFTED)
        measure_id = measure.id
    command.downgrade(migrations.config(url), "0003")
    migrations.upgrade(url)

    with database.reading() as session:
        (job,) = session.exec(select(Job)).all()
        assert (job.kind, job.queue) == (SIGNALS.name, SIGNALS.queue)
        assert session.get_one(SignalWatch, measure_id).series_revision is None
    drain(database, [detector()])
    with database.reading() as session:
        assert len(session.exec(select(DetectedSignal)).all()) > 1
        told = select(Event).where(col(Event.type).startswith("measure.signal_"))
        assert session.exec(told).all() == []
        seen = session.get_one(SignalWatch, measure_id).series_revision
        assert seen == session.get_one(Measure, measure_id).series_revision
    database.dispose()
