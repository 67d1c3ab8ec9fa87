"""Teams or projects of a programme as a funnel plot: sums, scope, refusals, entity tags."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.analytics.comparisons.documents import ProgrammeFunnel
from app.kit.clock import utc_now
from app.measures.models import DataType, Direction, Measure
from app.projects.models import Project
from tests.builders import make_data_point, make_measure, make_project, make_team
from tests.calling import Caller
from tests.world import World

CODE = "answered-48h"


def coded(session: Session, project: Project, *sums: tuple[int, int], **over: Any) -> Measure:
    """A measure of the code with a point a month."""
    measure = make_measure(session, project=project, **({"code": CODE, "name": "Answered"} | over))
    for month, (numerator, denominator) in enumerate(sums, 1):
        make_data_point(
            session,
            measure=measure,
            period_start=date(2018, month, 1),
            numerator=float(numerator),
            denominator=float(denominator),
        )
    return measure


@pytest.fixture
def path(session: Session, world: World) -> str:
    coded(session, world.project, (10, 20), (12, 20))
    coded(session, world.other_project, (30, 40), (3, 40))
    coded(session, world.foreign_project, (1, 100))
    return f"/programmes/{world.programme.id}/funnel"


@pytest.fixture
def caller(call: Callable[..., Caller], world: World) -> Caller:
    return call(world.facilitator)


def units(document: dict[str, Any]) -> dict[str, tuple[float, float]]:
    return {unit["label"]: (unit["numerator"], unit["n"]) for unit in document["units"]}


def codes(document: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in document["quality"]["warnings"]]


def test_sums_per_team(caller: Caller, path: str, world: World) -> None:
    response = caller.get(path, measure_code=CODE)
    assert response.status_code == 200, response.text
    plot = ProgrammeFunnel.model_validate_json(response.content)
    assert plot.centre == pytest.approx(100 * 55 / 120)
    assert (plot.title, plot.unit, plot.settings.direction) == ("Answered", "%", "increase")
    assert (plot.selection.by, plot.selection.measures) == ("team", 2)
    assert units(response.json()) == {world.team.name: (22, 40), world.other_team.name: (33, 80)}
    assert {unit.id for unit in plot.units} == {str(world.team.id), str(world.other_team.id)}


def test_the_periods_are_those_asked_for(caller: Caller, path: str, world: World) -> None:
    january = caller.ok(path, measure_code=CODE, to="2018-01-31")
    assert units(january)[world.other_team.name] == (30, 40)
    february = caller.ok(path, measure_code=CODE, **{"from": "2018-02-01", "to": "2018-02-01"})
    assert units(february)[world.other_team.name] == (3, 40)
    assert february["selection"]["from"] == "2018-02-01"
    never = caller.ok(path, measure_code=CODE, **{"from": "2019-01-01"})
    assert units(never)[world.team.name] == (0, 0)
    assert "denominator_zero" in codes(never)
    assert never["curve"] == []
    wrong = caller.get(path, measure_code=CODE, **{"from": "2018-02-01", "to": "2018-01-31"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["parameter"] == "to"


def test_one_team_s_projects_are_summed_or_apart(
    session: Session, caller: Caller, path: str, world: World
) -> None:
    second = make_project(session, team=world.team, title="Second")
    coded(session, second, (5, 10))
    by_team = caller.ok(path, measure_code=CODE)
    assert units(by_team)[world.team.name] == (27, 50)
    by_project = caller.ok(path, measure_code=CODE, by="project")
    assert units(by_project)["Second"] == (5, 10)
    assert len(by_project["units"]) == 3


def test_units_of_one_name_stay_apart(session: Session, caller: Caller, world: World) -> None:
    for _ in range(2):
        coded(session, make_project(session, team=world.team, title="Same"), (5, 10))
    plot = caller.ok(f"/programmes/{world.programme.id}/funnel", measure_code=CODE, by="project")
    assert [unit["n"] for unit in plot["units"]] == [10, 10]


def test_what_no_chart_counts_is_left_out(
    session: Session, caller: Caller, path: str, world: World
) -> None:
    measure = coded(session, make_project(session, team=world.team))
    odd: list[dict[str, Any]] = [
        {"excluded": True},
        {"archived_at": utc_now()},
        {"stratum": "evening"},
        {"numerator": None},
        {"denominator": 0.0},
    ]
    for day, over in enumerate(odd, 1):
        make_data_point(session, measure=measure, period_start=date(2018, 5, day), **over)
    coded(session, make_project(session, team=world.team), (9, 9), archived_at=utc_now())
    gone = make_project(session, team=world.team, archived_at=utc_now())
    coded(session, gone, (9, 9))
    plot = caller.ok(path, measure_code=CODE)
    assert units(plot)[world.team.name] == (22, 40)
    evening = caller.ok(path, measure_code=CODE, stratum="evening")
    assert units(evening)[world.team.name] == (8, 20)


def test_only_what_you_can_see_is_compared(
    call: Callable[..., Caller], path: str, world: World
) -> None:
    plot = call(world.member).ok(path, measure_code=CODE)
    assert list(units(plot)) == [world.team.name]
    assert plot["centre"] == pytest.approx(55)
    nothing = call(world.people[Role.COMMISSIONER]).ok(path, measure_code=CODE)
    assert (nothing["units"], nothing["as_of"]) == ([], None)
    assert codes(nothing) == ["no_units"]
    assert call(world.stranger).get(path, measure_code=CODE).status_code == 404
    foreign = f"/programmes/{world.other_programme.id}/funnel"
    assert call(world.facilitator).get(foreign, measure_code=CODE).status_code == 404
    token = call(world.member).with_token("programme:read")
    assert token.get(path, measure_code=CODE).json()["code"] == "scope_insufficient"


def test_a_code_is_needed_and_the_known_ones_are_named(
    call: Callable[..., Caller], caller: Caller, path: str, world: World
) -> None:
    response = caller.get(path)
    assert response.status_code == 422
    assert response.json()["code"] == "measure_code_missing"
    assert response.json()["codes"] == [CODE]
    assert response.json()["errors"][0]["parameter"] == "measure_code"
    assert call(world.people[Role.COMMISSIONER]).get(path).json()["codes"] == []


def test_single_values_cannot_be_compared(
    session: Session, caller: Caller, path: str, world: World
) -> None:
    coded(session, make_project(session, team=world.team), data_type=DataType.CONTINUOUS)
    response = caller.get(path, measure_code=CODE)
    assert response.status_code == 422
    assert response.json()["code"] == "incomparable"
    assert response.json()["errors"][0]["code"] == "single_values"


def test_proportions_beside_rates_ask_which(
    session: Session, caller: Caller, path: str, world: World
) -> None:
    coded(session, make_project(session, team=world.team), (30, 20), data_type=DataType.RATE)
    response = caller.get(path, measure_code=CODE)
    assert response.json()["errors"][0] | {"detail": ""} == {
        "code": "kinds_differ",
        "detail": "",
        "parameter": "kind",
    }
    assert caller.ok(path, measure_code=CODE, kind="rate")["settings"]["kind"] == "rate"


def test_measures_that_differ_are_told(
    session: Session, caller: Caller, path: str, world: World
) -> None:
    project = make_project(session, team=world.team)
    coded(session, project, (1, 2), direction=Direction.DECREASE, multiplier=1.0, unit=None)
    plot = caller.ok(path, measure_code=CODE)
    assert "settings_differ" in codes(plot)
    assert (plot["settings"]["direction"], plot["settings"]["multiplier"]) == ("neutral", 1)
    assert plot["unit"] is None
    stated = caller.ok(path, measure_code=CODE, direction="increase", multiplier=100)
    assert stated["settings"]["direction"] == "increase"
    assert stated["centre"] == pytest.approx(100 * 56 / 122)


def test_projects_without_a_team(session: Session, caller: Caller, path: str, world: World) -> None:
    project = make_project(session, team=world.team, team_id=None, title="Nobody's")
    coded(session, project, (1, 2))
    plot = caller.ok(path, measure_code=CODE)
    assert len(plot["units"]) == 2
    assert "without_team" in codes(plot)
    assert units(caller.ok(path, measure_code=CODE, by="project"))["Nobody's"] == (1, 2)


def test_a_target_and_the_handling_of_dispersion(caller: Caller, path: str) -> None:
    plot = caller.ok(path, measure_code=CODE, target=80, over_dispersion="ignore", winsorise=0)
    assert (plot["centre"], plot["centre_source"]) == (80, "target")
    assert [unit["meaning"] for unit in plot["units"]] == ["worse", "worse"]
    refused = caller.get(path, measure_code=CODE, target=100)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["parameter"] == "target"


def test_the_tag(caller: Caller, path: str, session: Session, world: World) -> None:
    tags = []
    for override in (
        {},
        {"to": "2018-01-31"},
        {"by": "project"},
        {"target": 50},
        {"over_dispersion": "adjust"},
        {"multiplier": 1},
    ):
        tags.append(caller.get(path, measure_code=CODE, **override).headers["ETag"])
    options = {"params": {"measure_code": CODE}, "headers": {"If-None-Match": tags[0]}}
    assert caller("GET", path, **options).status_code == 304
    caller.patch(f"/teams/{world.team.id}", {"name": "Team Alder"})
    tags.append(caller.get(path, measure_code=CODE).headers["ETag"])
    coded(session, make_project(session, team=world.team), (1, 2))
    tags.append(caller.get(path, measure_code=CODE).headers["ETag"])
    assert len(set(tags)) == len(tags)


def test_a_304_sums_nothing_and_queries_do_not_grow(
    caller: Caller, path: str, session: Session, world: World, count_queries: Callable[[], Any]
) -> None:
    tag = caller.get(path, measure_code=CODE).headers["ETag"]
    with count_queries() as few:
        assert caller.get(path, measure_code=CODE).status_code == 200
    options = {"params": {"measure_code": CODE}, "headers": {"If-None-Match": tag}}
    with count_queries() as unchanged:
        assert caller("GET", path, **options).status_code == 304
    assert not any("data_point" in statement for statement in unchanged)
    for _ in range(5):
        team = make_team(session, programme=world.programme)
        coded(session, make_project(session, team=team), (7, 9))
    with count_queries() as many:
        assert len(caller.ok(path, measure_code=CODE)["units"]) == 7
    assert len(many) == len(few)
