"""The list of a measure's detected signals: what stands, what was retracted, who may read it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session

from app.measures.models import Measure
from tests.builders import make_measure
from tests.calling import Caller
from tests.exchange import make_detected_signal
from tests.world import World

NOW = datetime(2018, 7, 2, 9, 30, tzinfo=UTC)
COMPLETED = date(2018, 6, 25)


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.member)


@pytest.fixture
def found(session: Session, world: World) -> Measure:
    """A measure with a standing signal and one that was retracted; another has one too."""
    measure = make_measure(session, project=world.project)
    make_detected_signal(session, measure=make_measure(session, project=world.project))
    make_detected_signal(
        session,
        measure=measure,
        rule="outside_limits",
        starts_on=COMPLETED,
        ends_on=COMPLETED,
        completed_on=COMPLETED,
        detected_at=NOW,
    )
    make_detected_signal(
        session,
        measure=measure,
        direction="low",
        meaning="concern",
        detected_at=NOW - timedelta(days=7),
        retracted_at=NOW,
    )
    return measure


def test_the_list_tells_what_stands_and_what_was_retracted(caller: Caller, found: Measure) -> None:
    path = f"/measures/{found.id}/signals"
    everything = caller.ok(path)["items"]
    assert [item["rule"] for item in everything] == ["outside_limits", "shift"]
    standing = caller.ok(path, state="standing")["items"]
    assert standing == everything[:1]
    assert standing[0]["meaning"] == "improvement"
    assert standing[0]["completed_on"] == COMPLETED.isoformat()
    assert caller.ok(path, state="retracted")["items"] == everything[1:]
    page = caller.ok(path, sort="detected_at", limit=1)
    assert page["items"] == everything[1:]
    rest = caller.ok(path, sort="detected_at", limit=1, cursor=page["next_cursor"])
    assert rest["items"] == standing


def test_who_does_not_see_the_measure_sees_no_signals(
    call: Callable[..., Caller], world: World, found: Measure
) -> None:
    path = f"/measures/{found.id}/signals"
    assert call(world.stranger).get(path).status_code == 404
    assert call().get(path).status_code == 401
    assert call(world.facilitator).get(path, state="gone").status_code == 422
