"""Sheets over HTTP: the charts of a project, the headline charts of a programme."""

import struct
from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.analytics.pictures import rendering
from app.analytics.pictures.schemas import MOST_PANELS
from app.measures.models import DataType
from tests.analytics.test_measure_spc import BASELINE, FIRST, SHIFTED, fill
from tests.builders import make_data_point, make_measure, make_project
from tests.calling import Caller
from tests.world import World

VEGA_LITE = "application/vnd.vegalite.v6+json"


@pytest.fixture
def paths(session: Session, world: World) -> tuple[str, str]:
    """The sheets of a project with two measures, and of its programme."""
    for position, numerators in enumerate((BASELINE + SHIFTED, BASELINE)):
        measure = make_measure(
            session,
            project=world.project,
            position=position,
            name=f"Measure {position}",
            baseline_points=12,
        )
        fill(session, measure, numerators)
    return f"/projects/{world.project.id}/charts", f"/programmes/{world.programme.id}/charts"


def texts(made: dict[str, Any]) -> list[str]:
    layer = next(item for item in made["layer"] if item["name"] == "texts")
    return [item["text"] for item in layer["data"]["values"]]


def test_a_sheet_is_svg_unless_asked_otherwise(
    call: Callable[..., Caller], world: World, paths: tuple[str, str]
) -> None:
    caller = call(world.facilitator)
    for path in paths:
        for accept, form, media_type, start in (
            ("*/*", None, "image/svg+xml", b"<svg "),
            ("text/html,image/png,*/*;q=0.8", None, "image/svg+xml", b"<svg "),
            ("image/png", None, "image/png", b"\x89PNG"),
            (VEGA_LITE, None, VEGA_LITE, b"{"),
            ("image/png", "vegalite", VEGA_LITE, b"{"),
        ):
            params = {"format": form} if form else {}
            response = caller("GET", path, headers={"Accept": accept}, params=params)
            assert response.status_code == 200, response.text
            assert response.headers["content-type"] == media_type
            assert response.content.startswith(start)
        refused = caller("GET", path, headers={"Accept": "application/json"})
        assert refused.status_code == 406
        assert refused.json()["code"] == "not_acceptable"
        assert caller.get(path, format="csv").status_code == 422
        assert caller.get(path, columns=5).status_code == 422


def test_the_sheet_of_a_project_has_its_measures_in_order(
    call: Callable[..., Caller], world: World, paths: tuple[str, str]
) -> None:
    made = call(world.member).ok(paths[0], format="vegalite")
    shown = texts(made)
    assert shown.index("Measure 0") < shown.index("Measure 1")
    assert shown[0] == world.project.title
    assert "2 charts: 1 improving, 1 with common cause at present." in shown


def test_the_sheet_of_a_programme_has_a_panel_a_project(
    call: Callable[..., Caller], world: World, paths: tuple[str, str]
) -> None:
    made = call(world.facilitator).ok(paths[1], format="vegalite")
    assert made["usermeta"]["openqi"]["charts"] == 2
    assert "No measure yet" in texts(made)
    assert {point["panel"] for point in made["data"]["values"]} == {0}
    own = call(world.member).ok(paths[1], format="vegalite")
    assert own["usermeta"]["openqi"]["charts"] == 1


def test_a_measure_that_cannot_be_charted_leaves_the_others_on_the_sheet(
    call: Callable[..., Caller], session: Session, world: World, paths: tuple[str, str]
) -> None:
    project = make_project(session, team=world.other_team, title="Falls")
    measure = make_measure(
        session, project=project, name="Days between", data_type=DataType.TIME_BETWEEN, chart="t"
    )
    make_data_point(
        session, measure=measure, value=0, numerator=None, denominator=None, period_start=FIRST
    )
    session.commit()
    for path in (f"/projects/{project.id}/charts", paths[1]):
        made = call(world.facilitator).ok(path, format="vegalite")
        assert any(text.startswith("Cannot be charted: The value must") for text in texts(made))
        assert "1 that cannot be charted" in made["description"]
        assert "choose g" in made["description"]
    assert "Measure 0" in texts(made)


def test_who_may_see_a_sheet(
    call: Callable[..., Caller], world: World, paths: tuple[str, str]
) -> None:
    project, programme = paths
    assert call(None).get(project).status_code == 401
    assert call(world.stranger).get(project).status_code == 404
    assert call(world.stranger).get(programme).status_code == 404
    commissioner = call(world.people[Role.COMMISSIONER])
    assert commissioner.get(project).status_code == 404
    assert "No charts to show." in texts(commissioner.ok(programme, format="vegalite"))


def test_a_sheet_that_is_unchanged_is_not_drawn(
    call: Callable[..., Caller],
    world: World,
    paths: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    count_queries: Callable[[], Any],
) -> None:
    caller = call(world.facilitator)
    looks: list[dict[str, Any]] = [{}, {"format": "png"}, {"columns": 1}, {"scale": 2}]
    looks.append({"format": "vegalite"})
    tags = {
        (path, row): caller.get(path, **look).headers["ETag"]
        for path in paths
        for row, look in enumerate(looks)
    }
    assert len(set(tags.values())) == len(tags)

    def refuse(*_: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(rendering.renderer, "draw", refuse)
    for (path, row), tag in tags.items():
        with count_queries() as statements:
            again = caller("GET", path, params=looks[row], headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again.headers["ETag"] == tag
        assert not any("data_point" in statement for statement in statements)


def test_the_tag_follows_what_the_sheet_prints(
    call: Callable[..., Caller], session: Session, world: World, paths: tuple[str, str]
) -> None:
    caller = call(world.facilitator)

    def tags() -> list[str]:
        return [caller.get(path, format="vegalite").headers["ETag"] for path in paths]

    before = tags()
    assert caller.patch(f"/projects/{world.project.id}", {"title": "Renamed"}).status_code == 200
    renamed = tags()
    assert all(a != b for a, b in zip(before, renamed, strict=True))
    marked = make_measure(session, project=world.project, position=9, is_headline=True)
    fill(session, marked, BASELINE)
    assert all(a != b for a, b in zip(renamed, tags(), strict=True))


def test_a_long_list_says_that_there_is_more(
    call: Callable[..., Caller], session: Session, world: World, paths: tuple[str, str]
) -> None:
    caller = call(world.facilitator)
    for _ in range(MOST_PANELS):
        make_measure(session, project=world.project, position=5)
        make_project(session, team=world.team)
    project, programme = (caller.get(path, format="vegalite", limit=200) for path in paths)
    assert project.status_code == 422  # a project's sheet has no pages
    made = caller.ok(paths[0], format="vegalite")
    assert made["usermeta"]["openqi"]["charts"] == MOST_PANELS
    assert any(f"These are the first 24 of {MOST_PANELS + 2}." in text for text in texts(made))
    assert programme.json()["usermeta"]["openqi"]["charts"] == MOST_PANELS
    assert any("More projects follow on the next page." in text for text in texts(programme.json()))
    link = programme.headers["Link"].split(">")[0].lstrip("<")
    rest = caller("GET", link)
    assert rest.status_code == 200
    assert rest.json()["usermeta"]["openqi"]["charts"] == 2
    assert "Link" not in rest.headers


def test_the_number_of_queries_is_fixed(
    call: Callable[..., Caller],
    session: Session,
    world: World,
    paths: tuple[str, str],
    count_queries: Callable[[], Any],
) -> None:
    caller = call(world.facilitator)

    def counted() -> list[int]:
        numbers = []
        for path in paths:
            with count_queries() as statements:
                assert caller.get(path, format="vegalite").status_code == 200
            numbers.append(len(statements))
        return numbers

    few = counted()
    for _ in range(4):
        fill(session, make_measure(session, project=world.project), BASELINE)
        fill(
            session, make_measure(session, project=make_project(session, team=world.team)), BASELINE
        )
    assert counted() == few


def test_the_png_has_the_scale_asked_for(
    call: Callable[..., Caller], world: World, paths: tuple[str, str]
) -> None:
    caller = call(world.member)
    single, double = (
        struct.unpack(">II", caller.get(paths[0], format="png", scale=scale).content[16:24])
        for scale in (1, 2)
    )
    assert double == (single[0] * 2, single[1] * 2)
