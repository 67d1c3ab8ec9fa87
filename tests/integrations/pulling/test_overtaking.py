"""Two workers fetch one project at once: the answer that is stored last need not be the latest."""

from collections.abc import Callable
from typing import Any

from sqlmodel import Session, select

from app.integrations.actions import ask_for_pulls
from app.integrations.models import Integration
from app.integrations.pulling.applying import apply_absence, apply_document
from app.integrations.pulling.comparison import compare_points
from app.integrations.pulling.fetching import puller
from app.jobs.handlers import Done, Outcome, Retry
from app.jobs.models import Job
from app.kit.clock import utc_now
from app.kit.db import Database
from app.kit.outbound import Answer
from app.projects.models import Project
from app.sharing.models import ReceivedProject
from app.sharing.shared.schemas import SharedProject
from tests.integrations.pulling.conftest import Pull
from tests.integrations.pulling.fetching import HERE, SEALER, FreshOutbound, fetch
from tests.integrations.pulling.other import Other
from tests.jobs.draining import drain

Write = Callable[[Session], None]


class Meanwhile(FreshOutbound):
    """Between the answer and its storing, another worker stores what it has fetched."""

    def __init__(self, database: Database, write: Write) -> None:
        super().__init__(HERE)
        self.database, self.write = database, write

    async def send(self, method: str, url: str, **options: Any) -> Answer:
        answer = await super().send(method, url, **options)
        with self.database.transaction() as session:
            self.write(session)
        return answer


def _overtaken(
    session: Session, database: Database, integration: Integration, other: Other, write: Write
) -> list[Outcome]:
    ask_for_pulls(session, integration, [other.project_id])
    session.commit()
    handler = puller(database=database, outbound=Meanwhile(database, write), sealer=SEALER)
    outcomes = drain(database, [handler])
    session.expire_all()
    return outcomes


def _is_live(session: Session) -> bool:
    (received,) = session.exec(select(ReceivedProject)).all()
    is_archived = session.get_one(Project, received.project_id).archived_at is not None
    assert is_archived is (received.withdrawn_at is not None)
    return not is_archived


def _absence(integration: Integration, other: Other) -> Write:
    def write(session: Session) -> None:
        now = utc_now()
        of: dict[str, Any] = {"integration_id": integration.id, "project_id": other.project_id}
        apply_absence(session, **of, asked_at=now, now=now)

    return write


def _document(integration: Integration, other: Other) -> Write:
    document = SharedProject.model_validate(other.document)

    def write(session: Session) -> None:
        now = utc_now()
        of: dict[str, Any] = {"integration_id": integration.id}
        compared = compare_points(session, **of, document=document)
        of |= {"document": document, "compared": compared}
        apply_document(session, **of, asked_at=now, now=now)

    return write


def _again(session: Session, database: Database) -> list[Outcome]:
    for job in session.exec(select(Job).where(Job.kind == "integration.pull")):
        job.run_at = 0
    session.commit()
    outcomes = fetch(database)
    session.expire_all()
    return outcomes


def test_a_document_does_not_bring_back_what_was_withdrawn_meanwhile(
    session: Session, database: Database, integration: Integration, other: Other, pull: Pull
) -> None:
    pull()
    other.renew()
    absence = _absence(integration, other)
    (outcome,) = _overtaken(session, database, integration, other, absence)
    assert isinstance(outcome, Retry)
    assert not _is_live(session)
    other.is_withdrawn = True
    assert _again(session, database) == [Done()]
    assert not _is_live(session)


def test_it_comes_back_where_it_is_shared_after_all(
    session: Session, database: Database, integration: Integration, other: Other, pull: Pull
) -> None:
    pull()
    other.renew()
    _overtaken(session, database, integration, other, _absence(integration, other))
    assert _again(session, database) == [Done()]
    assert _is_live(session)


def test_an_absence_does_not_hide_what_was_shared_again_meanwhile(
    session: Session, database: Database, integration: Integration, other: Other, pull: Pull
) -> None:
    pull()
    other.renew()
    document, other.is_withdrawn = _document(integration, other), True
    (outcome,) = _overtaken(session, database, integration, other, document)
    assert isinstance(outcome, Retry)
    assert _is_live(session)
    other.is_withdrawn = False
    assert _again(session, database) == [Done()]
    assert _is_live(session)


def test_a_newer_document_is_newer_whoever_asked_first(
    session: Session, database: Database, integration: Integration, other: Other, pull: Pull
) -> None:
    pull()
    older = _document(integration, other)
    other.renew()
    (outcome,) = _overtaken(session, database, integration, other, older)
    assert isinstance(outcome, Done)
    (received,) = session.exec(select(ReceivedProject)).all()
    assert received.source_revision == other.revision


def test_what_is_not_here_yet_may_be_on_its_way(
    session: Session, database: Database, integration: Integration, other: Other
) -> None:
    """A worker has a document that it has not stored; this one is told that it is withdrawn."""
    ask_for_pulls(session, integration, [other.project_id])
    session.commit()
    (slow,) = session.exec(select(Job).where(Job.kind == "integration.pull")).all()
    slow.key, slow.lease, slow.run_at = None, "another worker", slow.run_at + 60_000
    session.commit()
    other.is_withdrawn = True
    (outcome,) = _overtaken(session, database, integration, other, lambda _: None)
    assert isinstance(outcome, Retry)
    with database.transaction() as late:
        _document(integration, other)(late)
    session.delete(slow)
    assert _again(session, database) == [Done()]
    assert not _is_live(session)
