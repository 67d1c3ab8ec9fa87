"""The summary of a programme: right counts, no names, a fixed number of queries."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.learning_sessions.models import SessionStatus
from app.participants.models import EnrolmentStatus
from app.pdsa.models import CycleState
from app.projects.models import ProjectState
from tests.builders import (
    make_cycle,
    make_data_point,
    make_measure,
    make_participant,
    make_project,
    make_session,
)
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]


def _fill(session: Session, world: World) -> None:
    programme = world.programme
    programme.first_session_on = date(2017, 12, 7)
    session.add(programme)
    make_participant(session, programme=programme, team=world.team)
    make_participant(session, programme=programme, status=EnrolmentStatus.WITHDRAWN)
    make_participant(session, programme=programme, joined_on=date(2018, 1, 10))
    for status in (SessionStatus.HELD, SessionStatus.HELD, SessionStatus.CONFIRMED):
        make_session(session, programme=programme, status=status)
    make_session(session, programme=programme, status=SessionStatus.CANCELLED)
    gone = make_project(session, team=world.team, archived_at=programme.created_at)
    make_project(session, team=world.team, title="Secret title", state=ProjectState.STOPPED)
    for project in (world.project, gone, world.foreign_project):
        measure = make_measure(session, project=project, name="Secret measure")
        make_data_point(session, measure=measure)
        make_cycle(session, project=project, state=CycleState.DOING)
    archived = make_measure(session, project=world.project, archived_at=programme.created_at)
    make_data_point(session, measure=archived)


@pytest.mark.parametrize("role", list(Role))
def test_everybody_of_the_programme_sees_the_counts(
    call: Call, session: Session, world: World, role: Role
) -> None:
    _fill(session, world)
    response = call(world.people[role]).get(f"/programmes/{world.programme.id}/summary")
    assert response.status_code == 200
    counts = response.json()
    assert counts["participants"] == 3
    assert counts["late_joiners"] == 1
    assert counts["teams"] == 2
    assert (counts["sessions_planned"], counts["sessions_held"]) == (1, 2)
    assert {name: n for name, n in counts["projects"].items() if n} == {"idea": 2, "stopped": 1}
    assert set(counts["projects"]) == set(ProjectState)
    assert (counts["measures"], counts["data_points"]) == (1, 1)
    assert {name: n for name, n in counts["pdsa_cycles"].items() if n} == {"doing": 1}
    assert "Secret" not in response.text


def test_without_a_first_session_nobody_is_late(call: Call, session: Session, world: World) -> None:
    make_participant(session, programme=world.programme)
    counts = call(world.admin).ok(f"/programmes/{world.programme.id}/summary")
    assert (counts["participants"], counts["late_joiners"]) == (1, 0)


def test_others_do_not_see_it(call: Call, world: World) -> None:
    path = f"/programmes/{world.other_programme.id}/summary"
    assert call(world.facilitator).get(path).status_code == 404
    assert call(world.stranger).get(f"/programmes/{world.programme.id}/summary").status_code == 404
    assert call().get(path).status_code == 401


def test_the_number_of_queries_is_fixed(
    call: Call,
    session: Session,
    world: World,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    caller, path = call(world.facilitator), f"/programmes/{world.programme.id}/summary"
    with count_queries() as few:
        caller.ok(path)
    _fill(session, world)
    with count_queries() as many:
        caller.ok(path)
    assert len(many) == len(few)
