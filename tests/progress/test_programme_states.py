"""States of a programme: every step, every guard, who may, and what is recorded."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.learning_sessions.models import SessionStatus
from app.participants.models import EnrolmentStatus
from app.programmes.models import Programme, ProgrammeState
from app.projects.models import ProjectState
from tests.builders import make_participant, make_programme, make_project, make_session, make_team
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]
MOVERS = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR}


@pytest.fixture
def programme(session: Session) -> Programme:
    return make_programme(session)


@pytest.fixture
def move(call: Call, world: World, programme: Programme) -> Callable[..., Any]:
    admin = call(world.admin)

    def to(state: str, **more: Any) -> Any:
        return admin.post(f"/programmes/{programme.id}/transitions", {"to": state, **more})

    return to


def _put(session: Session, row: Any, **values: Any) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.commit()


def test_the_whole_way(session: Session, programme: Programme, move: Callable[..., Any]) -> None:
    team = make_team(session, programme=programme)
    make_participant(session, programme=programme, team=team)
    make_session(session, programme=programme)
    project = make_project(session, team=team)
    for state in ("recruiting", "launched", "running", "closing"):
        moved = move(state)
        assert (moved.status_code, moved.json()["state"]) == (200, state)
    blocked = move("closed").json()
    assert blocked["code"] == "transition_blocked"
    assert blocked["missing"] == ["projects_completed_or_stopped", "retention_ends_on"]
    assert blocked["can_override"] is False
    _put(session, project, state=ProjectState.STOPPED)
    make_project(session, team=team, archived_at=project.created_at)
    session.refresh(programme)
    _put(session, programme, retention_ends_on=programme.ends_on)
    assert move("closed").json()["state"] == "closed"
    assert move("cancelled", reason="x").json()["allowed"] == []


def test_a_launch_lists_what_is_missing(
    session: Session, programme: Programme, move: Callable[..., Any]
) -> None:
    _put(session, programme, state=ProgrammeState.RECRUITING)
    team = make_team(session, programme=programme)
    assert move("launched").json()["missing"] == ["participant", "session"]
    gone = EnrolmentStatus.WITHDRAWN
    make_participant(session, programme=programme, team=team, status=gone)
    make_session(session, programme=programme, status=SessionStatus.CANCELLED, starts_at=None)
    assert move("launched").json()["missing"] == ["participant", "session"]
    waiting = make_participant(session, programme=programme)
    undated = make_session(session, programme=programme, starts_at=None, ends_at=None)
    blocked = move("launched")
    assert blocked.status_code == 409
    assert blocked.json()["missing"] == ["session_dates", "team_or_unassigned_reason"]
    _put(session, undated, archived_at=programme.created_at)
    make_session(session, programme=programme)
    _put(session, waiting, unassigned_reason="Joins a team in January.")
    assert move("launched").json()["state"] == "launched"


@pytest.mark.parametrize(
    ("state", "allowed"),
    [
        ("draft", ["cancelled", "recruiting"]),
        ("recruiting", ["cancelled", "launched"]),
        ("launched", ["cancelled", "running"]),
        ("running", ["cancelled", "closing"]),
        ("closing", ["cancelled", "closed"]),
        ("closed", []),
        ("cancelled", []),
    ],
)
def test_only_the_next_step_is_allowed(
    session: Session,
    programme: Programme,
    move: Callable[..., Any],
    state: str,
    allowed: list[str],
) -> None:
    _put(session, programme, state=ProgrammeState(state))
    for to in set(ProgrammeState) - set(allowed):
        refused = move(to, reason="x")
        assert (refused.status_code, refused.json()["code"]) == (409, "invalid_state_transition")
        assert refused.json()["allowed"] == allowed


def test_cancelling_needs_a_reason(move: Callable[..., Any]) -> None:
    refused = move("cancelled")
    assert (refused.status_code, refused.json()["code"]) == (422, "text_required")
    assert refused.json()["errors"][0]["pointer"] == "#/reason"
    assert move("cancelled", reason="No funds.").json()["state"] == "cancelled"


@pytest.mark.parametrize("role", list(Role))
def test_who_may_move_it(call: Call, session: Session, world: World, role: Role) -> None:
    path = f"/programmes/{world.programme.id}/transitions"
    _put(session, world.programme, state=ProgrammeState.DRAFT)
    moved = call(world.people[role]).post(path, {"to": "recruiting"})
    assert moved.status_code == (200 if role in MOVERS else 403)


def test_strangers_and_archived_programmes(call: Call, world: World) -> None:
    body = {"to": "cancelled", "reason": "x"}
    foreign = f"/programmes/{world.other_programme.id}/transitions"
    assert call(world.facilitator).post(foreign, body).status_code == 404
    admin = call(world.admin)
    admin.delete(f"/programmes/{world.programme.id}")
    refused = admin.post(f"/programmes/{world.programme.id}/transitions", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")


@pytest.mark.parametrize(
    "body",
    [{}, {"to": "x"}, {"to": 1}, {"to": "cancelled", "reason": "\x00"}, {"to": "draft", "x": 1}],
)
def test_bad_bodies_are_422(call: Call, world: World, body: dict[str, Any]) -> None:
    path = f"/programmes/{world.programme.id}/transitions"
    assert call(world.admin).post(path, body).status_code == 422
