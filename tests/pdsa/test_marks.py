"""A cycle moves the series of its project's measures when their charts print it otherwise."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from sqlmodel import Session

from app.measures.models import Measure
from app.pdsa.marks import started_on
from tests.builders import make_measure
from tests.calling import Caller
from tests.measures.bodies import series_of
from tests.pdsa.bodies import NEW, carry
from tests.world import World

Call = Callable[..., Caller]
TYPED = datetime(2018, 6, 1, 23, 30, tzinfo=UTC)


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    make_measure(session, project=world.other_project)
    return make_measure(session, project=world.project)


def test_what_moves_the_series(call: Call, world: World, measure: Measure) -> None:
    member = call(world.member)
    cycle = member.create(f"/projects/{world.project.id}/pdsa-cycles", NEW)
    path = f"/pdsa-cycles/{cycle['id']}"
    member.patch(path, {"title": "Slot"})
    assert series_of(member, measure) == (1, 0), "it has not begun"
    member.post(f"{path}/transitions", {"to": "doing"})
    assert series_of(member, measure) == (1, 1)
    member.patch(path, {"do": {"observations": ["Nine of ten"], "carried_out": "yes"}})
    assert series_of(member, measure) == (1, 1), "charts print none of that"
    member.patch(path, {"do": {"actual_start": "2018-03-05"}})
    assert series_of(member, measure) == (1, 1), "it is the day that was planned"
    member.patch(path, {"do": {"actual_start": "2018-03-06"}})
    assert series_of(member, measure) == (1, 2)
    member.patch(path, {"title": "Slot at eleven"})
    assert series_of(member, measure) == (1, 3)
    member.post(f"{path}/transitions", {"to": "studying"})
    assert series_of(member, measure) == (1, 3)
    member.delete(path)
    assert series_of(member, measure) == (1, 4)
    member.delete(path)
    assert series_of(member, measure) == (1, 4)
    member.post(f"{path}/restore")
    assert series_of(member, measure) == (1, 5)


def test_a_measure_of_another_project_does_not_move(
    call: Call, world: World, session: Session, measure: Measure
) -> None:
    other = make_measure(session, project=world.other_project)
    member = call(world.member)
    carry(member, member.create(f"/projects/{world.project.id}/pdsa-cycles", NEW), "doing")
    assert series_of(call(world.facilitator), other) == (1, 0)


def test_without_a_stated_day_it_is_the_day_of_the_entry() -> None:
    assert started_on("2018-03-05", TYPED) == date(2018, 3, 5)
    assert started_on(None, TYPED) == date(2018, 6, 1)
