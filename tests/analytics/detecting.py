"""Signals as events: a look at measures, and what was told of them."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.analytics.detections.actions import detect_signals
from app.analytics.detections.watching import detector, follow
from app.events.dispatching import dispatcher
from app.events.models import Event
from app.kit.db import Database
from app.measures.models import Measure
from tests.analytics.test_measure_spc import FIRST
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.contract.messages import breaches
from tests.jobs.draining import drain
from tests.world import World

NOW = datetime(2018, 7, 2, 9, 30, tzinfo=UTC)
STEADY = [30, 29, 31, 30, 28, 32, 30, 31]
Told = tuple[str, str, str]


def look(session: Session, *measures: Measure) -> None:
    """Detect the signals of the measures, as the worker does."""
    detect_signals(session, measures=[measure.id for measure in measures], now=NOW)
    session.commit()


def events(session: Session) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was told so far: the verb, and the data; each message keeps to its contract."""
    session.expire_all()
    statement = select(Event).where(col(Event.type).startswith("measure.signal_"))
    for event in session.exec(statement.order_by(col(Event.created_at), col(Event.id))):
        assert breaches([event]) == []
        yield event.type.removeprefix("measure.signal_"), json.loads(event.payload)["data"]


def told(session: Session) -> list[Told]:
    """The same in short: verb, rule and the day that it starts on."""
    return sorted((verb, data["rule"], data["starts_on"]) for verb, data in events(session))


def day(week: int) -> str:
    """The day that a week of the series begins on."""
    return (FIRST + timedelta(weeks=week)).isoformat()


def add(session: Session, measure: Measure, week: int, numerator: int, **over: Any) -> None:
    """One more data point."""
    day = FIRST + timedelta(weeks=week)
    numbers: dict[str, Any] = {"numerator": float(numerator), "denominator": 50.0}
    make_data_point(session, measure=measure, period_start=day, **(numbers | over))


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project, baseline_points=12)


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def work_off(database: Database) -> Callable[[], None]:
    """Everything that is due: events are dispatched, then the measures looked at."""

    def work() -> None:
        drain(database, [dispatcher([follow])])
        drain(database, [detector(lambda: NOW)])

    return work
