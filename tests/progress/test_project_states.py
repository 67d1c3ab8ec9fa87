"""States of a project: every step, every guard, overrides, pauses, stops, who may."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from app.access.permissions import Role
from app.events.models import Event
from app.measures.models import Family, Measure, PhaseStatus
from app.pdsa.models import CycleState
from app.projects.models import Project, ProjectState
from tests.builders import make_cycle, make_data_point, make_measure, make_phase
from tests.calling import Caller
from tests.projects.bodies import AIM
from tests.world import World

Call = Callable[..., Caller]
Move = Callable[..., Any]
MOVERS = {Role.PLATFORM_ADMIN, Role.PROVIDER_ADMIN, Role.FACILITATOR, Role.COACH, Role.TEAM_LEAD}
LIFE = ["idea", "chartered", "approved", "baseline", "testing", "implementing", "sustaining"]


@pytest.fixture
def project(world: World) -> Project:
    return world.project


@pytest.fixture
def move(call: Call, world: World) -> Move:
    lead = call(world.team_lead)

    def to(state: str, **more: Any) -> Any:
        return lead.post(f"/projects/{world.project.id}/transitions", {"to": state, **more})

    return to


def _put(session: Session, row: Any, **values: Any) -> None:
    session.refresh(row)
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.commit()


def _charter(session: Session, project: Project, **over: Any) -> Measure:
    """All that a charter needs."""
    outcome = make_measure(session, project=project, **over)
    aim = AIM | {"measure_id": str(outcome.id)}
    _put(session, project, problem="Waits are long.", aim=aim)
    return outcome


def _measure_weeks(session: Session, measure: Measure, weeks: int, **over: Any) -> None:
    for week in range(weeks):
        day = date(2018, 1, 1) + timedelta(weeks=week)
        make_data_point(session, measure=measure, period_start=day, **over)


def test_the_whole_way(session: Session, project: Project, move: Move) -> None:
    outcome = _charter(
        session,
        project,
        operational_definition="What is counted",
        collection={"frequency": "weekly"},
    )
    make_measure(session, project=project, family=Family.PROCESS)
    make_measure(session, project=project, family=Family.BALANCING)
    _measure_weeks(session, outcome, 12)
    cycle = make_cycle(session, project=project)
    for state in LIFE[1:5]:
        moved = move(state)
        assert (moved.status_code, moved.json().get("state")) == (200, state), moved.text
    assert move("implementing").json()["missing"] == ["adopted_cycle"]
    _put(session, cycle, state=CycleState.CLOSED, act={"decision": "adapt"})
    assert move("implementing").json()["missing"] == ["adopted_cycle"]
    _put(session, cycle, act={"decision": "adopt"})
    for state in ("implementing", "sustaining", "completed"):
        assert move(state).json()["state"] == state
    assert move("paused", reason="x").json()["allowed"] == []


def test_a_charter_lists_what_is_missing(session: Session, project: Project, move: Move) -> None:
    _put(session, project, team_id=project.team_id, aim=AIM | {"unit": None})
    blocked = move("chartered")
    assert (blocked.status_code, blocked.json()["code"]) == (409, "transition_blocked")
    expected = ["problem", "complete_aim", "outcome_measure", "aim_measure"]
    assert blocked.json()["missing"] == expected
    assert blocked.json()["can_override"] is True
    make_measure(session, project=project, family=Family.PROCESS)
    make_measure(session, project=project, archived_at=project.created_at)
    assert move("chartered").json()["missing"] == expected
    make_measure(session, project=project)
    _put(session, project, problem="Waits", aim=AIM)
    assert move("chartered").json()["missing"] == ["aim_measure"]


def test_a_charter_needs_a_team(call: Call, session: Session, world: World) -> None:
    _charter(session, world.project)
    _put(session, world.project, team_id=None)
    path = f"/projects/{world.project.id}/transitions"
    blocked = call(world.facilitator).post(path, {"to": "chartered"})
    assert blocked.json()["missing"] == ["team"]


def test_a_baseline_needs_definitions_and_plans(
    session: Session, project: Project, move: Move
) -> None:
    outcome = _charter(session, project)
    second = make_measure(session, project=project, operational_definition="x", collection={"a": 1})
    _put(session, project, state=ProjectState.APPROVED)
    expected = ["operational_definitions", "collection_plans"]
    assert move("baseline").json()["missing"] == expected
    _put(session, outcome, operational_definition="What is counted")
    assert move("baseline").json()["missing"] == expected[1:]
    _put(session, outcome, collection={"frequency": "weekly"})
    _put(session, second, collection=None)
    assert move("baseline").json()["missing"] == expected[1:]
    _put(session, second, archived_at=second.created_at)
    assert move("baseline").json()["state"] == "baseline"


def test_testing_counts_points_that_count(session: Session, project: Project, move: Move) -> None:
    outcome = _charter(session, project)
    make_measure(session, project=project, family=Family.PROCESS)
    make_measure(session, project=project, family=Family.BALANCING)
    make_cycle(session, project=project)
    _put(session, project, state=ProjectState.BASELINE)
    _measure_weeks(session, outcome, 11)
    later = date(2018, 6, 4)
    make_data_point(session, measure=outcome, period_start=later, excluded=True)
    make_data_point(session, measure=outcome, period_start=later, archived_at=outcome.created_at)
    gap = make_data_point(
        session, measure=outcome, period_start=later + timedelta(days=7), denominator=0.0
    )
    make_data_point(session, measure=outcome, period_start=later + timedelta(days=14), value=None)
    make_data_point(session, measure=outcome, period_start=date(2018, 1, 1), stratum="men")
    assert move("testing").json()["missing"] == ["baseline_points"]
    _put(session, gap, denominator=20.0)
    assert move("testing").json()["state"] == "testing"


def test_the_baseline_ends_where_a_phase_begins(
    session: Session, project: Project, move: Move
) -> None:
    outcome = _charter(session, project)
    for family in (Family.PROCESS, Family.BALANCING):
        make_measure(session, project=project, family=family)
    make_cycle(session, project=project)
    _put(session, project, state=ProjectState.BASELINE)
    _measure_weeks(session, outcome, 14)
    before = date(2017, 12, 4)  # a phase that starts before the data is the baseline itself
    make_phase(session, measure=outcome, starts_on=before)
    make_phase(session, measure=outcome, status=PhaseStatus.REVOKED, starts_on=date(2018, 2, 5))
    phase = make_phase(session, measure=outcome, starts_on=date(2018, 3, 19))
    assert move("testing").json()["missing"] == ["baseline_points"]
    _put(session, phase, starts_on=date(2018, 3, 20))
    assert move("testing").json()["state"] == "testing"


def test_testing_looks_at_the_measure_of_the_aim(
    session: Session, project: Project, move: Move
) -> None:
    outcome = _charter(session, project)
    for family in (Family.OUTCOME, Family.PROCESS, Family.BALANCING):
        make_measure(session, project=project, family=family)
    make_cycle(session, project=project)
    _put(session, project, state=ProjectState.BASELINE)
    _measure_weeks(session, outcome, 12)
    _put(session, project, aim=AIM)
    assert move("testing").json()["missing"] == ["baseline_points"]
    _put(session, project, aim=AIM | {"measure_id": str(outcome.id)})
    assert move("testing").json()["state"] == "testing"


def test_testing_needs_a_live_cycle_and_every_family(
    session: Session, project: Project, move: Move
) -> None:
    _put(session, project, state=ProjectState.BASELINE)
    make_cycle(session, project=project, state=CycleState.CANCELLED)
    make_cycle(session, project=project, archived_at=project.created_at)
    families = ["outcome_measure", "process_measure", "balancing_measure"]
    assert move("testing").json()["missing"] == ["baseline_points", "pdsa_cycle", *families]
    make_cycle(session, project=project)
    assert "pdsa_cycle" not in move("testing").json()["missing"]


def test_an_override_goes_on_and_is_recorded(
    session: Session, project: Project, move: Move
) -> None:
    moved = move("chartered", override_reason="The workshop is tomorrow.")
    assert moved.json()["state"] == "chartered"
    event = session.exec(select(Event).where(Event.resource_id == project.id)).one()
    assert event.type == "project.state_changed"
    assert event.changes["state"] == ["idea", "chartered"]
    assert event.changes["override_reason"] == [None, "The workshop is tomorrow."]
    assert "problem" in event.changes["missing"][1]
    assert "workshop" not in event.payload
    assert '"from":"idea","to":"chartered"' in event.payload


def test_completion_needs_a_closed_cycle(session: Session, project: Project, move: Move) -> None:
    _put(session, project, state=ProjectState.SUSTAINING)
    assert move("completed").json()["missing"] == ["closed_cycle"]
    make_cycle(session, project=project, state=CycleState.CLOSED)
    assert move("completed").json()["state"] == "completed"


@pytest.mark.parametrize("state", LIFE)
def test_pause_and_back(session: Session, project: Project, move: Move, state: str) -> None:
    _put(session, project, state=ProjectState(state))
    refused = move("paused", override_reason="x")
    assert (refused.status_code, refused.json()["code"]) == (422, "text_required")
    assert refused.json()["errors"][0]["pointer"] == "#/reason"
    paused = move("paused", reason="Staff changes", review_on="2018-05-01").json()
    assert (paused["state"], paused["paused_from"]) == ("paused", state)
    assert (paused["pause_reason"], paused["review_on"]) == ("Staff changes", "2018-05-01")
    for to in {*LIFE, "completed", "paused"} - {state}:
        refused = move(to, override_reason="x", reason="x")
        assert (refused.status_code, refused.json()["allowed"]) == (409, sorted([state, "stopped"]))
    back = move(state).json()
    assert back["state"] == state
    assert (back["paused_from"], back["pause_reason"], back["review_on"]) == (None, None, None)


@pytest.mark.parametrize("state", [*LIFE, "paused"])
def test_a_stop_keeps_what_was_learned(
    session: Session, project: Project, move: Move, state: str
) -> None:
    _put(session, project, state=ProjectState(state))
    refused = move("stopped", override_reason="x")
    assert refused.status_code == 422
    pointers = [error["pointer"] for error in refused.json()["errors"]]
    assert pointers == ["#/reason", "#/learning"]
    stopped = move("stopped", reason="Merged", learning="Ask reception first.").json()
    assert (stopped["state"], stopped["stop_reason"]) == ("stopped", "Merged")
    assert stopped["learning"] == "Ask reception first."
    assert move("idea").json()["allowed"] == []


@pytest.mark.parametrize("state", LIFE)
def test_no_step_back_and_none_left_out(
    session: Session, project: Project, move: Move, state: str
) -> None:
    _put(session, project, state=ProjectState(state))
    following = [*LIFE, "completed"][LIFE.index(state) + 1]
    for to in {*LIFE, "completed"} - {following}:
        refused = move(to, override_reason="x")
        assert (refused.status_code, refused.json()["code"]) == (409, "invalid_state_transition")
        assert refused.json()["allowed"] == sorted([following, "paused", "stopped"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"to": "x"},
        {"to": "paused", "reason": ""},
        {"to": "paused", "reason": "x", "review_on": 5},
        {"to": "paused", "reason": "x", "learning": "y"},
        {"to": "chartered", "override_reason": "\x00"},
        {"to": "chartered", "override_reason": "x", "review_on": "2018-05-01"},
    ],
)
def test_bad_bodies_are_422(call: Call, world: World, body: dict[str, Any]) -> None:
    path = f"/projects/{world.project.id}/transitions"
    assert call(world.team_lead).post(path, body).status_code == 422


@pytest.mark.parametrize("role", list(Role))
def test_who_may_move_it(call: Call, world: World, role: Role) -> None:
    path = f"/projects/{world.project.id}/transitions"
    moved = call(world.people[role]).post(path, {"to": "paused", "reason": "Staff ill"})
    refused = 404 if role is Role.COMMISSIONER else 403
    assert moved.status_code == (200 if role in MOVERS else refused)


@pytest.mark.parametrize("parent", ["projects", "programmes"])
def test_what_is_archived_does_not_move(call: Call, world: World, parent: str) -> None:
    admin = call(world.admin)
    archived = world.project.id if parent == "projects" else world.programme.id
    admin.delete(f"/{parent}/{archived}")
    body = {"to": "paused", "reason": "x"}
    refused = admin.post(f"/projects/{world.project.id}/transitions", body)
    assert (refused.status_code, refused.json()["code"]) == (409, "archived")
    foreign = f"/projects/{world.foreign_project.id}/transitions"
    assert call(world.facilitator).post(foreign, body).status_code == 404
