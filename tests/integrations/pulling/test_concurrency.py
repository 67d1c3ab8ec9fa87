"""Two workers that fetch the same project at the same moment make one project of it."""

import threading
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from app.access.permissions import Role
from app.integrations.pulling.applying import apply_document
from app.integrations.pulling.comparison import compare_points
from app.kit import migrations
from app.kit.clock import utc_now
from app.kit.db import Database
from app.measures.models import DataPoint, Measure
from app.sharing.models import ReceivedProject
from app.sharing.shared.schemas import SharedProject
from tests.builders import make_membership, make_programme, make_user
from tests.exchange import make_openqi_integration
from tests.integrations.pulling.other import Other

WORKERS = 4


@pytest.fixture
def committed(backend: str, new_database_url: Callable[[str, str], str]) -> Iterator[Database]:
    """A database of its own, with pooled connections and real commits."""
    url = new_database_url(backend, "two_workers")
    migrations.upgrade(url)
    database = Database(url)
    yield database
    database.dispose()


def test_they_follow_each_other(committed: Database) -> None:
    with committed.transaction() as session:
        programme, owner = make_programme(session), make_user(session)
        make_membership(session, user=owner, role=Role.FACILITATOR, programme=programme)
        integration_id = make_openqi_integration(
            session,
            programme=programme,
            owner_id=owner.id,
            base_url="https://qi.example.org",
        ).id
    other, faults = Other(), list[Exception]()
    of = {"integration_id": integration_id}
    start, asked_at = threading.Barrier(WORKERS), utc_now()

    def work(number: int) -> None:
        document = SharedProject.model_validate(other.document)
        document.provenance.revision = f"{300 + number}-ab"
        document.measures[0].data_points[0].numerator = 40.0 + number
        start.wait()
        try:
            with committed.reading() as session:
                compared = compare_points(session, **of, document=document)
            with committed.transaction() as session:
                apply_document(
                    session,
                    **of,
                    document=document,
                    compared=compared,
                    asked_at=asked_at,
                    now=utc_now(),
                )
        except IntegrityError as fault:  # of which a job would say: try again
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert faults == []
    with committed.reading() as session:
        (received,) = session.exec(select(ReceivedProject)).all()
        assert received.source_revision == f"{300 + WORKERS - 1}-ab"
        assert len(session.exec(select(Measure)).all()) == 1
        (stored,) = session.exec(select(DataPoint)).all()
        assert stored.numerator == 40.0 + WORKERS - 1
