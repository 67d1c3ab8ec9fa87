"""The results of a programme: lines, totals, filters, pages, who sees what, and what it costs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.main import OpenQI
from app.measures.models import Measure
from app.progress.results.schemas import ProgrammeAnalytics
from app.projects.models import Project, ProjectState
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_measure, make_project
from tests.calling import Caller
from tests.projects.bodies import AIM
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def clock(app: OpenQI) -> Callable[[datetime], None]:
    """Sets the present instant."""

    def at(instant: datetime) -> None:
        app.state.clock = lambda: instant

    at(datetime(2018, 6, 1, tzinfo=UTC))
    return at


def aim_at(session: Session, project: Project, measure: Measure | None, **over: Any) -> None:
    session.refresh(project)
    project.aim = AIM | {"measure_id": str(measure.id) if measure else None} | over
    session.add(project)
    session.commit()


def improved(session: Session, project: Project, **over: Any) -> Measure:
    """60 % in twelve weeks, then 85 % in eight."""
    measure = make_measure(session, project=project, baseline_points=12, **over)
    fill(session, measure, BASELINE + SHIFTED)
    return measure


def new_phase(caller: Caller, measure: Measure, day: str = "2018-03-26", **over: Any) -> str:
    body = {"starts_on": day, "reason": "change_adopted", "baseline_points": None} | over
    phase: str = caller.create(f"/measures/{measure.id}/phases", body)["id"]
    return phase


@pytest.fixture
def caller(call: Call, world: World) -> Caller:
    return call(world.facilitator)


@pytest.fixture
def path(world: World) -> str:
    return f"/programmes/{world.programme.id}/analytics"


def titles(document: dict[str, Any]) -> list[str]:
    return [line["project_title"] for line in document["items"]]


@pytest.mark.usefixtures("clock")
def test_the_lines_and_the_totals(
    caller: Caller, session: Session, world: World, path: str
) -> None:
    measure = improved(session, world.project)
    aim_at(session, world.project, measure, target_value=80)
    new_phase(caller, measure)
    idle = make_project(session, team=world.team, title="Idle", state=ProjectState.PAUSED)
    aim_at(session, idle, None)
    make_project(session, team=world.team, archived_at=world.programme.created_at)
    make_measure(session, project=world.foreign_project)
    response = caller.get(path)
    ProgrammeAnalytics.model_validate_json(response.content)
    document = response.json()
    lines = {line["project_id"]: line for line in document["items"]}
    assert set(lines) == {str(p.id) for p in (world.project, world.other_project, idle)}
    attainment = lines[str(world.project.id)]["attainment"]
    chart = caller.ok(f"/measures/{measure.id}/spc")
    base, current = (phase["centre"] for phase in chart["phases"])
    assert attainment["attainment"] == pytest.approx((current - base) / (80 - base))
    assert attainment["baseline"] == {
        "phase": 0,
        "starts_on": "2018-01-01",
        "centre": base,
        "points": 12,
    }
    assert attainment["current"] == {
        "phase": 1,
        "starts_on": "2018-03-26",
        "centre": current,
        "points": 8,
    }
    assert attainment["status"] == "attained_provisional"
    assert lines[str(idle.id)]["attainment"]["status"] == "no_baseline"
    assert lines[str(world.other_project.id)]["attainment"] is None
    totals = document["totals"]
    assert totals["projects"] == 3
    assert {name: n for name, n in totals["variation"].items() if n} == {
        "common_cause": 1,
        "no_chart": 2,
    }
    assert {name: n for name, n in totals["assurance"].items() if n} == {"none": 1, "no_chart": 2}
    assert {name: n for name, n in totals["attainment"].items() if n} == {
        "attained_provisional": 1,
        "no_baseline": 1,
        "no_aim": 1,
    }


def test_a_project_s_own_attainment_follows_phases_and_the_calendar(
    caller: Caller,
    session: Session,
    world: World,
    clock: Callable[[datetime], None],
) -> None:
    path = f"/projects/{world.project.id}/attainment"
    nothing = caller.ok(path)
    assert nothing["attainment"] is None
    assert "target_value" in nothing["aim_missing"]
    measure = improved(session, world.project)
    aim_at(session, world.project, measure, target_value=88)
    before = caller.ok(path)
    assert before["aim_statement"].startswith("increase requests ready")
    assert before["attainment"]["status"] == "in_progress"
    assert before["attainment"]["attainment"] == 0
    assert before["attainment"]["is_shifting"]  # the points say so; the centre line does not yet
    phase = new_phase(caller, measure)
    after = caller.ok(path)["attainment"]
    assert after["attainment"] > 0.8
    assert not after["is_shifting"]
    lower, upper = after["attainment_lower"], after["attainment_upper"]
    assert lower < after["attainment"] < upper
    clock(datetime(2018, 9, 30, 22, 59, tzinfo=UTC))
    assert caller.ok(path)["attainment"]["status"] == "in_progress"
    clock(datetime(2018, 9, 30, 23, 0, tzinfo=UTC))  # midnight in London: it is October there
    assert caller.ok(path)["attainment"]["status"] == "missed"
    assert caller.delete(f"/phases/{phase}").status_code == 204
    assert caller.ok(path)["attainment"]["attainment"] == 0


@pytest.mark.usefixtures("clock")
def test_a_new_definition_begins_the_way_anew(
    caller: Caller, session: Session, world: World
) -> None:
    path = f"/projects/{world.project.id}/attainment"
    measure = make_measure(session, project=world.project)
    fill(session, measure, BASELINE + [value + 5 for value in BASELINE] + SHIFTED)
    aim_at(session, world.project, measure, target_value=90)
    new_phase(caller, measure, "2018-03-26", reason="definition_change")
    redefined = caller.ok(path)["attainment"]
    assert (redefined["attainment"], redefined["baseline"]["phase"]) == (0, 1)
    new_phase(caller, measure, "2018-06-18")
    after = caller.ok(path)["attainment"]
    assert (after["baseline"]["phase"], after["current"]["phase"]) == (1, 2)
    chart = caller.ok(f"/measures/{measure.id}/spc")
    base, current = (phase["centre"] for phase in chart["phases"][1:])
    assert after["attainment"] == pytest.approx((current - base) / (90 - base))


@pytest.mark.usefixtures("clock")
def test_an_archived_measure_is_no_longer_what_the_aim_is_measured_by(
    caller: Caller, session: Session, world: World
) -> None:
    measure = improved(session, world.project)
    aim_at(session, world.project, measure)
    assert caller.delete(f"/measures/{measure.id}").status_code == 204
    attainment = caller.ok(f"/projects/{world.project.id}/attainment")["attainment"]
    assert (attainment["status"], attainment["measure_id"]) == ("no_baseline", None)


@pytest.mark.usefixtures("clock")
def test_the_measure_of_the_aim_need_not_be_the_headline(
    caller: Caller, session: Session, world: World, path: str
) -> None:
    headline = make_measure(session, project=world.project, is_headline=True)
    measure = improved(session, world.project)
    aim_at(session, world.project, measure)
    line = next(item for item in caller.ok(path)["items"] if item["attainment"])
    assert line["measure_id"] == str(headline.id)
    assert line["attainment"]["measure_id"] == str(measure.id)
    assert line["attainment"]["baseline"]["points"] == 12


@pytest.mark.usefixtures("clock")
def test_filters_and_totals(caller: Caller, session: Session, world: World, path: str) -> None:
    up = make_project(session, team=world.team, title="Up", state=ProjectState.TESTING)
    flat = make_project(session, team=world.other_team, title="Flat")
    measure = improved(session, up, targets=[{"from": None, "value": 99}])
    aim_at(session, up, measure)
    steady = make_measure(session, project=flat)
    fill(session, steady, BASELINE)
    both = {"Up", "Flat"}
    everything = caller.ok(path)["totals"]
    for parameters, expected in (
        ({"variation": "improvement_high"}, {"Up"}),
        ({"variation": ["improvement_high", "common_cause"]}, both),
        ({"variation": "concern_low"}, set()),
        ({"assurance": "fail"}, {"Up"}),
        ({"assurance": "none"}, {"Flat"}),
        ({"attainment": "in_progress"}, {"Up"}),
        ({"state": "testing"}, {"Up"}),
        ({"team_id": str(world.other_team.id), "variation": "common_cause"}, {"Flat"}),
        ({"state": "testing", "variation": "common_cause"}, set()),
        ({"variation": "no_chart"}, {world.project.title, world.other_project.title}),
    ):
        document = caller.ok(path, with_total=True, **parameters)
        assert set(titles(document)) == expected, parameters
        assert document["total"] == len(expected)
        assert document["totals"] == everything
    assert set(titles(caller.ok(path, attainment="no_aim"))) >= {"Flat"}


@pytest.mark.parametrize(
    "parameters",
    [
        {"variation": "sideways"},
        {"assurance": "maybe"},
        {"attainment": "won"},
        {"state": "done"},
        {"team_id": "north"},
        {"sort": "variation"},
        {"colour": "blue"},
        {"variation": ["common_cause"] * 9},
    ],
)
def test_what_it_does_not_know_it_refuses(
    caller: Caller, path: str, parameters: dict[str, Any]
) -> None:
    response = caller.get(path, **parameters)
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == next(iter(parameters))


def test_pages_in_both_directions(
    caller: Caller, session: Session, world: World, path: str
) -> None:
    for _ in range(3):
        make_project(session, team=world.team)
    for sort in ("title", "-title"):
        seen, cursor = [], None
        while True:
            more = {"limit": 2, "sort": sort} | ({"cursor": cursor} if cursor else {})
            page = caller.ok(path, variation="no_chart", **more)
            seen += titles(page)
            assert page["totals"]["projects"] == 5
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert seen == sorted(seen, reverse=sort == "-title")
        assert len(seen) == 5
    first = caller.ok(path, limit=2, variation="no_chart")["next_cursor"]
    assert caller.get(path, limit=2, cursor=first).status_code == 400


def test_the_number_of_queries_is_fixed(
    caller: Caller,
    session: Session,
    world: World,
    path: str,
    count_queries: Callable[[], Any],
) -> None:
    def counted() -> int:
        with count_queries() as statements:
            assert caller.get(path, variation="improvement_high").status_code == 200
        return len(statements)

    aim_at(session, world.project, improved(session, world.project))
    some_behind, none_behind = counted(), counted()
    for _ in range(4):
        project = make_project(session, team=world.team)
        improved(session, project, is_headline=True)
        aim_at(session, project, improved(session, project))
    assert counted() == some_behind
    assert counted() == none_behind
    assert some_behind == none_behind + 4  # measures, points, marks, and the store


def test_a_team_sees_its_own_and_a_commissioner_counts_nothing(
    call: Call, session: Session, world: World, path: str
) -> None:
    improved(session, world.project)
    improved(session, world.other_project)
    own = call(world.member).ok(path)
    assert titles(own) == [world.project.title]
    assert own["totals"]["projects"] == 1
    assert own["totals"]["variation"]["improvement_high"] == 1
    assert call(world.facilitator).ok(path)["totals"]["variation"]["improvement_high"] == 2
    commissioner = call(world.people[Role.COMMISSIONER]).ok(path)
    assert (commissioner["items"], commissioner["totals"]["projects"]) == ([], 0)
    assert call(world.stranger).get(path).status_code == 404
    assert call().get(path).status_code == 401


def test_who_sees_the_attainment_of_a_project(call: Call, world: World) -> None:
    path = f"/projects/{world.project.id}/attainment"
    for role in Role:
        expected = 404 if role is Role.COMMISSIONER else 200
        assert call(world.people[role]).get(path).status_code == expected, role
    other = f"/projects/{world.other_project.id}/attainment"
    assert call(world.member).get(other).status_code == 404
    assert call(world.stranger).get(path).status_code == 404
    assert call().get(path).status_code == 401
