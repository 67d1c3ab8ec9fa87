"""What becomes of the messages that wait for a fetch: each is told in the end."""

import pytest
from sqlmodel import Session, select
from starlette.responses import Response

from app.integrations.actions import ask_for_pulls
from app.integrations.kinds import PULL
from app.integrations.models import InboundEvent, InboundOutcome, Integration
from app.integrations.pulling import applying
from app.jobs.handlers import Retry
from app.jobs.models import DeadJob, Job
from app.kit.db import Database
from tests.exchange import make_inbound_event
from tests.integrations.pulling.fetching import fetch
from tests.integrations.pulling.other import Other


@pytest.fixture
def line(session: Session, integration: Integration, other: Other) -> InboundEvent:
    """A message about the other server's project."""
    return make_inbound_event(
        session,
        integration=integration,
        type="project.updated",
        subject=other.project_id.hex,
        outcome=InboundOutcome.PENDING,
    )


def _try(session: Session, database: Database, integration: Integration, other: Other) -> None:
    ask_for_pulls(session, integration, [other.project_id])
    session.commit()
    fetch(database)
    session.expire_all()


def test_the_last_failure_is_told(
    session: Session,
    database: Database,
    integration: Integration,
    other: Other,
    line: InboundEvent,
) -> None:
    other.answer = Response(status_code=500)
    _try(session, database, integration, other)
    assert line.outcome is InboundOutcome.PENDING
    job = session.exec(select(Job).where(Job.kind == PULL.name)).one()
    assert isinstance(job.error, str)
    job.attempt, job.run_at = PULL.attempts - 1, 0
    session.commit()
    (outcome,) = fetch(database)
    session.expire_all()
    assert isinstance(outcome, Retry)  # it is the settling that finds it exhausted
    assert len(session.exec(select(DeadJob)).all()) == 1
    assert (line.outcome, line.code) == (InboundOutcome.FAILED, "not_fetched")
    assert line.detail == "The other server answered 500."


def test_the_catalogue_asks_for_what_is_still_awaited(
    session: Session,
    database: Database,
    integration: Integration,
    other: Other,
    line: InboundEvent,
) -> None:
    """Its own fetch was lost, and the project is not listed."""
    other.is_withdrawn = True
    ask_for_pulls(session, integration, [None])
    session.commit()
    fetch(database)
    session.expire_all()
    assert line.outcome is not InboundOutcome.PENDING


def test_what_waits_for_everything_is_told_with_the_catalogue(
    session: Session,
    database: Database,
    integration: Integration,
    other: Other,
    line: InboundEvent,
) -> None:
    line.subject, line.type = None, "programme.archived"
    ask_for_pulls(session, integration, [None])
    session.commit()
    fetch(database)
    session.expire_all()
    assert line.outcome is InboundOutcome.APPLIED


def _pending(session: Session, line: InboundEvent) -> None:
    line.outcome = InboundOutcome.PENDING
    session.add(line)


def test_each_is_told_what_the_fetch_has_brought(
    session: Session,
    database: Database,
    integration: Integration,
    other: Other,
    line: InboundEvent,
) -> None:
    def told() -> tuple[str, str | None]:
        _try(session, database, integration, other)
        found = (line.outcome.value, line.code)
        _pending(session, line)
        return found

    other.is_withdrawn = True
    assert told() == ("ignored", "not_shared")
    assert line.resource_id is None
    other.is_withdrawn = False
    assert told() == ("applied", None)
    assert told() == ("unchanged", None)  # 304
    other.document["title"] = "Newer"
    other.renew(500)
    assert told() == ("applied", None)
    assert line.resource_id is not None
    other.renew(499)
    assert told() == ("unchanged", None)  # older
    other.is_withdrawn = True
    assert told() == ("applied", None)  # hidden
    assert told() == ("ignored", "not_shared")


def test_a_pause_during_the_fetch_leaves_them_waiting(
    session: Session,
    database: Database,
    integration: Integration,
    other: Other,
    line: InboundEvent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is stored then, and going on will ask again."""
    monkeypatch.setattr(applying, "lock_integration", lambda *_: None)
    _try(session, database, integration, other)
    assert line.outcome is InboundOutcome.PENDING
