"""The outbox is followed: every event has its place, and its followers hear of it once."""

from collections.abc import Callable, Sequence

from sqlmodel import Session, col, select

from app.events.dispatching import dispatcher
from app.events.models import Event
from app.kit.db import Database
from tests.calling import Caller
from tests.jobs.draining import drain, waiting
from tests.world import World


def test_each_event_has_a_job_in_its_own_transaction(
    world: World, call: Callable[..., Caller], database: Database, session: Session
) -> None:
    before = waiting(database, "event.dispatch")
    path = f"/api/v1/programmes/{world.programme.id}/teams"
    answer = call(world.facilitator).post(path, {"name": "Made"})
    assert answer.status_code == 201, answer.text
    assert waiting(database, "event.dispatch") == before + 1


def test_events_are_numbered_in_order_and_followers_hear_of_each_once(
    world: World, call: Callable[..., Caller], database: Database, session: Session
) -> None:
    caller = call(world.facilitator)
    for name in ("One", "Two", "Three"):
        caller.post(f"/api/v1/programmes/{world.programme.id}/teams", {"name": name})
    heard: list[str] = []

    def follow(session: Session, events: Sequence[Event]) -> None:
        heard.extend(event.type for event in events)

    drain(database, [dispatcher([follow])])
    drain(database, [dispatcher([follow])])
    assert heard.count("team.created") == 3
    session.expire_all()
    made = session.exec(
        select(Event).where(Event.type == "team.created").order_by(col(Event.created_at))
    ).all()
    numbers = [event.seq for event in made]
    assert None not in numbers
    assert numbers == sorted(set(numbers), key=lambda number: number or 0)
    assert [event.team_id for event in made] == [event.resource_id for event in made]
