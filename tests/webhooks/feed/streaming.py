"""A server with its stream, and what happens while somebody watches."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from app.events.catalogue import Resource
from app.webhooks.feed import queries
from app.webhooks.feed.viewers import Limits
from tests.serving import serving
from tests.webhooks.feed.conftest import Stage
from tests.webhooks.feed.happening import dispatch, happen

QUICK = Limits(tick=0.05)


@contextmanager
def streaming(stage: Stage, **limits: Any) -> Iterator[str]:
    stage.app.state.viewers.limits = QUICK._replace(**limits)
    with serving(stage.app) as address:
        yield address


def tell(stage: Stage, *, foreign: bool = False, noun: Resource = Resource.PROJECT) -> None:
    project = stage.world.foreign_project if foreign else stage.world.project
    with stage.database.writing() as session:
        happen(session, noun, project=project)
    dispatch(stage.database)


def stop(stage: Stage) -> None:
    """As the server does it before it stops: in its event loop."""
    viewers = stage.app.state.viewers
    viewers._loop.call_soon_threadsafe(viewers.stop)


def newest(stage: Stage) -> int:
    with stage.database.reading() as session:
        return queries.newest(session)


@pytest.fixture(autouse=True)
def all_told(stage: Stage) -> None:
    dispatch(stage.database)


@contextmanager
def listening(stage: Stage) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = stage.database.read_engine
    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "it never held"
        time.sleep(0.01)  # another thread's state, which no event tells of
