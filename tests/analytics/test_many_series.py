"""All charts of a project, and the headline of every project of a programme."""

from collections.abc import Callable
from typing import Any

from sqlmodel import Session

from app.access.permissions import Role
from app.analytics.schemas import ProjectCharts
from app.measures.models import DataType, Family
from tests.analytics.test_measure_spc import BASELINE, SHIFTED, fill
from tests.builders import make_data_point, make_measure, make_project
from tests.calling import Caller
from tests.world import World


def test_every_measure_of_a_project(
    call: Callable[..., Caller], session: Session, world: World
) -> None:
    first = make_measure(session, project=world.project, position=1)
    second = make_measure(session, project=world.project, position=0)
    fill(session, first, BASELINE)
    response = call(world.member).get(f"/projects/{world.project.id}/spc")
    document = ProjectCharts.model_validate_json(response.content)
    assert [item.measure_id for item in document.items] == [second.id, first.id]
    charts = [item.spc for item in document.items]
    assert [len(chart.points) for chart in charts if chart is not None] == [0, 12]
    single = call(world.member).ok(f"/measures/{first.id}/spc")
    assert response.json()["items"][1]["spc"] == single
    again = call(world.member)(
        "GET",
        f"/projects/{world.project.id}/spc",
        headers={"If-None-Match": response.headers["ETag"]},
    )
    assert again.status_code == 304


def test_the_number_of_queries_is_fixed(
    call: Callable[..., Caller],
    session: Session,
    world: World,
    count_queries: Callable[[], Any],
) -> None:
    caller = call(world.facilitator)

    def counted(path: str) -> int:
        with count_queries() as statements:
            assert caller.get(path).status_code == 200
        return len(statements)

    paths = (f"/projects/{world.project.id}/spc", f"/programmes/{world.programme.id}/spc")
    fill(session, make_measure(session, project=world.project), BASELINE)
    few = [counted(path) for path in paths]
    for _ in range(4):
        fill(session, make_measure(session, project=world.project), BASELINE)
        project = make_project(session, team=world.team)
        fill(session, make_measure(session, project=project), BASELINE)
    assert [counted(path) for path in paths] == few


def test_the_headline_is_the_marked_one_else_the_first_outcome(
    call: Callable[..., Caller], session: Session, world: World
) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/spc"
    make_measure(session, project=world.project, family=Family.PROCESS, position=0)
    outcome = make_measure(session, project=world.project, position=1, baseline_points=12)
    fill(session, outcome, BASELINE + SHIFTED)
    lines = {line["project_id"]: line for line in facilitator.ok(path)["items"]}
    mine = lines[str(world.project.id)]
    assert mine["measure_id"] == str(outcome.id)
    assert mine["variation"] == "improvement_high"
    assert mine["latest"] == {"x": "2018-05-14", "value": 88.0}
    assert mine["centre"] is not None
    assert lines[str(world.other_project.id)]["measure_id"] is None
    marked = make_measure(
        session, project=world.project, family=Family.BALANCING, position=2, is_headline=True
    )
    lines = {line["project_id"]: line for line in facilitator.ok(path)["items"]}
    assert lines[str(world.project.id)]["measure_id"] == str(marked.id)


def test_a_team_sees_its_own_line_and_a_commissioner_none(
    call: Callable[..., Caller], world: World
) -> None:
    path = f"/programmes/{world.programme.id}/spc"
    own = call(world.member).ok(path)["items"]
    assert [line["project_id"] for line in own] == [str(world.project.id)]
    assert call(world.people[Role.COMMISSIONER]).ok(path)["items"] == []
    assert call(world.stranger).get(path).status_code == 404


def test_pages(call: Callable[..., Caller], session: Session, world: World) -> None:
    for _ in range(3):
        make_project(session, team=world.team)
    path = f"/programmes/{world.programme.id}/spc"
    caller = call(world.facilitator)
    seen, cursor = [], None
    while True:
        page = caller.ok(path, limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [line["project_title"] for line in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == 5
    assert seen == sorted(seen)


def test_the_tag_covers_what_is_printed_beside_the_charts(
    call: Callable[..., Caller], session: Session, world: World
) -> None:
    measure = make_measure(session, project=world.project)
    lead, path = call(world.team_lead), f"/projects/{world.project.id}/spc"
    before = lead.get(path)
    lead.patch(f"/measures/{measure.id}", {"family": "balancing"})
    after = lead("GET", path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json()["items"][0]["family"] == "balancing"


def test_a_measure_that_cannot_be_charted_spoils_no_other(
    call: Callable[..., Caller], session: Session, world: World
) -> None:
    spoilt = make_measure(
        session, project=world.project, data_type=DataType.TIME_BETWEEN, chart="t", position=1
    )
    make_data_point(session, measure=spoilt, value=0.0)
    fine = make_measure(session, project=world.project, position=2)
    make_data_point(session, measure=fine)
    items = call(world.member).ok(f"/projects/{world.project.id}/spc")["items"]
    assert [item["measure_id"] for item in items] == [str(spoilt.id), str(fine.id)]
    assert items[0]["spc"] is None
    assert items[0]["fault"]["code"] == "time_not_positive"
    assert "choose g" in items[0]["fault"]["detail"]
    assert items[1]["fault"] is None
    assert len(items[1]["spc"]["points"]) == 1
