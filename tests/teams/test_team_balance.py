"""The balance of teams: worked cases, what never changes it, and the route."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session

from app.participants.models import ProfessionalRole as Job
from app.teams.balance import MemberFacts, TeamFacts, measure_balance
from tests.builders import make_participant, make_programme, make_team
from tests.calling import Caller
from tests.world import World

METRICS = (
    "size_spread",
    "clinician_share_dev",
    "role_coverage",
    "practice_concentration",
    "area_match",
)


def _team(area: str | None = "North", name: str = "Team") -> TeamFacts:
    return TeamFacts(uuid.uuid4(), name, area)


def _member(team: TeamFacts, role: Job, *, practice: int = 0, area: str = "North") -> MemberFacts:
    return MemberFacts(team.team_id, role, uuid.UUID(int=practice), area)


def _split(*makeups: tuple[int, int]) -> dict[str, Any]:
    """Teams of so many clinicians and non-clinicians, everybody of another practice."""
    teams = [_team() for _ in makeups]
    members: list[MemberFacts] = []
    for team, (clinicians, others) in zip(teams, makeups, strict=True):
        jobs = [Job.GP] * clinicians + [Job.PRACTICE_MANAGER] * others
        members += [_member(team, job, practice=len(members) + i) for i, job in enumerate(jobs)]
    return measure_balance(teams, members)


def test_the_worked_case_of_thirteen() -> None:
    even = _split((2, 3), (2, 2), (1, 3))
    assert even["size_spread"] == 1
    assert even["clinician_share_dev"] == pytest.approx(0.135, abs=0.0005)
    fairer = _split((2, 3), (2, 3), (1, 2))
    assert fairer["size_spread"] == 2
    assert fairer["clinician_share_dev"] == pytest.approx(0.051, abs=0.0005)
    assert fairer["role_coverage"] == 1.0


def test_roles_practices_and_areas() -> None:
    first, second = _team("North"), _team(None)
    members = [
        _member(first, Job.GP, practice=1),
        _member(first, Job.HCA, practice=1, area="West"),
        _member(second, Job.PATIENT_PARTNER, practice=2),
        _member(second, Job.PRACTICE_MANAGER, practice=3),
    ]
    measured = measure_balance([first, second], members)
    assert measured["role_coverage"] == 0.5
    assert measured["practice_concentration"] == 1.0
    assert measured["area_match"] == 0.25
    assert (measured["clinician_count"], measured["non_clinician_count"]) == (2, 1)
    assert [line["area_match"] for line in measured["teams"]] == [0.5, 0.0]


def test_nothing_to_measure() -> None:
    assert {measure_balance([], [])[name] for name in METRICS} == {None}
    empty = measure_balance([_team()], [])
    assert [empty[name] for name in METRICS] == [0, None, 0.0, None, None]


@st.composite
def allocations(draw: st.DrawFn) -> tuple[list[TeamFacts], list[MemberFacts]]:
    areas = st.sampled_from(["North", "West", None])
    teams = [_team(draw(areas)) for _ in range(draw(st.integers(1, 4)))]
    members = [
        MemberFacts(
            draw(st.sampled_from(teams)).team_id,
            draw(st.sampled_from(list(Job))),
            uuid.UUID(int=draw(st.integers(0, 3))),
            draw(areas),
        )
        for _ in range(draw(st.integers(0, 12)))
    ]
    return teams, members


@given(allocations(), st.randoms(use_true_random=False))
def test_names_and_order_do_not_matter(
    allocation: tuple[list[TeamFacts], list[MemberFacts]], random: Any
) -> None:
    teams, members = allocation
    before = measure_balance(teams, members)
    renamed = [TeamFacts(team.team_id, f"Other {i}", team.area) for i, team in enumerate(teams)]
    shuffled = list(members)
    random.shuffle(renamed)
    random.shuffle(shuffled)
    after = measure_balance(renamed, shuffled)
    for name in METRICS:
        assert after[name] == pytest.approx(before[name]), name


@given(allocations())
def test_shares_are_shares(allocation: tuple[list[TeamFacts], list[MemberFacts]]) -> None:
    measured = measure_balance(*allocation)
    assert measured["size_spread"] >= 0
    for name in METRICS[1:]:
        assert measured[name] is None or 0 <= measured[name] <= 1


def test_the_route_counts_live_members(
    call: Callable[..., Caller], world: World, session: Session
) -> None:
    admin, programme = call(world.admin), make_programme(session)
    team, other = (make_team(session, programme=programme) for _ in range(2))
    make_participant(session, programme=programme, team=team)
    make_participant(session, programme=programme, team=other, role=Job.PRACTICE_MANAGER)
    make_participant(session, programme=programme)
    gone = make_participant(session, programme=programme, team=team)
    left = {"to": "transferred", "left_on": "2018-01-31"}
    assert admin.post(f"/participants/{gone.id}/transitions", left).status_code == 200
    balance = admin.ok(f"/programmes/{programme.id}/teams/balance")
    assert (balance["assigned_count"], balance["unassigned_count"]) == (2, 1)
    assert (balance["size_spread"], balance["clinician_share_dev"]) == (0, 0.5)
    assert balance["role_coverage"] == 0.5
    assert [line["member_count"] for line in balance["teams"]] == [1, 1]
    assert "attainable" not in balance
