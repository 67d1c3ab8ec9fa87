"""Nothing is ever put in below a number that was told, whoever commits or dispatches when."""

import threading

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.events.catalogue import Resource, Verb
from app.events.dispatching import dispatcher
from app.events.models import Event
from app.events.outbox import DISPATCH, Origin, record
from app.jobs.handlers import Work
from app.kit.clock import utc_now
from app.kit.db import Database
from app.webhooks.feed import queries
from app.webhooks.feed.schemas import EventFilter
from tests.webhooks.feed.conftest import Stage
from tests.webhooks.feed.happening import dispatch, happen
from tests.webhooks.feed.sights import sight_of


def _read(stage: Stage, after: int) -> list[int]:
    with stage.database.transaction() as session:
        sight = sight_of(session, stage.world.people[Role.PLATFORM_ADMIN])
    with stage.database.reading() as session:
        found = queries.list_events(
            session, sight=sight, wanted=EventFilter(), after=after, limit=100
        )
    return [row.seq for row in found.rows]


def _newest(database: Database) -> int:
    with database.reading() as session:
        return queries.newest(session)


def _apply(session: Session, event: Event) -> None:
    work = Work(1, DISPATCH.name, "", {"event_id": event.id.hex}, 1, 0)
    dispatcher([]).apply(session, [work])


def test_an_event_that_is_dispatched_late_comes_later(stage: Stage) -> None:
    dispatch(stage.database)
    start = _newest(stage.database)
    with stage.database.writing() as session:
        early = happen(session, Resource.PROJECT, project=stage.world.project)
        late = happen(session, Resource.PROJECT, project=stage.world.project)
        _apply(session, late)
        session.commit()
        assert _read(stage, start) == [start + 1]
        _apply(session, early)
        session.commit()
        session.refresh(early)
        assert early.seq == start + 2
    assert _read(stage, start + 1) == [start + 2]


def test_an_event_that_commits_late_comes_later(stage: Stage, backend: str) -> None:
    if backend == "sqlite":
        pytest.skip("SQLite has one writer: nothing can commit between an event and its commit")
    dispatch(stage.database)
    start = _newest(stage.database)
    with stage.database.writing() as slow, stage.database.writing() as quick:
        late = _recorded(slow, stage)
        happen(quick, Resource.PROJECT, project=stage.world.project)
        dispatch(stage.database)
        assert _read(stage, start) == [start + 1]
        slow.commit()
        dispatch(stage.database)
        slow.refresh(late)
        assert late.seq == start + 2
    assert _read(stage, start + 1) == [start + 2]


def _recorded(session: Session, stage: Stage) -> Event:
    """An event whose transaction is still open."""
    project = stage.world.project
    event = record(
        session,
        noun=Resource.PROJECT,
        verb=Verb.UPDATED,
        resource_id=project.id,
        revision=2,
        programme_id=project.programme_id,
        origin=Origin(),
        now=utc_now(),
    )
    session.flush()
    return event


def test_two_who_dispatch_at_once_wait_for_each_other(stage: Stage) -> None:
    """The second number is not even chosen before the first is there for all to read."""
    dispatch(stage.database)
    start = _newest(stage.database)
    with stage.database.writing() as session:
        one = happen(session, Resource.PROJECT, project=stage.world.project)
        two = happen(session, Resource.PROJECT, project=stage.world.project)
    begun, seen = threading.Event(), []

    def second() -> None:
        begun.set()
        with stage.database.transaction() as session:
            _apply(session, two)
            seen.append(queries.newest(session))

    with stage.database.transaction() as session:
        _apply(session, one)
        thread = threading.Thread(target=second)
        thread.start()
        assert begun.wait(5)
        thread.join(0.3)
        assert thread.is_alive()  # it waits for the first to commit
        assert _newest(stage.database) == start
    thread.join(10)
    assert seen == [start + 2]
    assert _read(stage, start) == [start + 1, start + 2]
