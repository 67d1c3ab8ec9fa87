"""Lists of projects: visibility, filters, sorts, pages, and a fixed number of queries."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.projects.models import ProjectState
from tests.builders import make_project
from tests.calling import Caller
from tests.world import World

Call = Callable[..., Caller]


def _titles(page: dict[str, Any]) -> list[str]:
    return [item["title"] for item in page["items"]]


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.FACILITATOR, {"own", "other"}),
        (Role.OBSERVER, {"own", "other"}),
        (Role.MEMBER, {"own"}),
        (Role.COMMISSIONER, set()),
        (Role.PLATFORM_ADMIN, {"own", "other", "foreign"}),
    ],
)
def test_everybody_sees_what_is_theirs(
    call: Call, world: World, role: Role, expected: set[str]
) -> None:
    names = {
        str(world.project.id): "own",
        str(world.other_project.id): "other",
        str(world.foreign_project.id): "foreign",
    }
    caller = call(world.people[role])
    listed = caller.ok("/projects")["items"]
    assert {names[item["id"]] for item in listed} == expected
    within = caller.ok(f"/programmes/{world.programme.id}/projects")["items"]
    assert {names[item["id"]] for item in within} == expected - {"foreign"}


def test_a_foreign_programme_has_no_list(call: Call, world: World) -> None:
    path = f"/programmes/{world.other_programme.id}/projects"
    assert call(world.facilitator).get(path).status_code == 404


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"q": "PHONE"}, ["Phones"]),
        ({"q": "%"}, ["100% of calls"]),
        ({"state": ["testing", "paused"]}, ["Phones"]),
        ({"area": "South"}, ["100% of calls"]),
        ({"tag": "access"}, ["100% of calls", "Phones"]),
        ({"tag": ['quo"ted', "nothing"]}, ["Phones"]),
        ({"tag": "quo"}, []),
        ({"tag": "ACCESS"}, []),
        ({"archived": "true"}, ["Gone"]),
        ({"tag": "access", "sort": "-title"}, ["Phones", "100% of calls"]),
    ],
)
def test_filters(
    call: Call, session: Session, world: World, filters: dict[str, Any], expected: list[str]
) -> None:
    make_project(
        session,
        team=world.team,
        title="Phones",
        state=ProjectState.TESTING,
        tags=["access", 'quo"ted'],
    )
    make_project(
        session, team=world.other_team, title="100% of calls", area="South", tags=["access"]
    )
    make_project(
        session, team=world.team, title="Gone", archived_at=world.project.created_at, tags=[]
    )
    caller = call(world.facilitator)
    assert _titles(caller.ok("/projects", **filters)) == expected
    path = f"/programmes/{world.programme.id}/projects"
    assert _titles(caller.ok(path, **filters)) == expected


def test_filters_by_team_and_programme(call: Call, world: World) -> None:
    admin = call(world.admin)
    of_team = admin.ok("/projects", team_id=str(world.other_team.id))["items"]
    assert [item["id"] for item in of_team] == [str(world.other_project.id)]
    foreign = admin.ok("/projects", programme_id=str(world.other_programme.id))["items"]
    assert [item["id"] for item in foreign] == [str(world.foreign_project.id)]


@pytest.mark.parametrize(
    "parameters",
    [
        {"sort": "problem"},
        {"state": "x"},
        {"q": "\x00"},
        {"tag": "\x00"},
        {"team_id": "1"},
        {"typo": "1"},
        {"limit": 0},
        {"updated_since": "2018-01-01T00:00:00"},
    ],
)
def test_bad_parameters_are_422(call: Call, world: World, parameters: dict[str, Any]) -> None:
    assert call(world.facilitator).get("/projects", **parameters).status_code == 422


def test_pages_cover_all_once(call: Call, session: Session, world: World) -> None:
    for _ in range(5):
        make_project(session, team=world.team, title="Same title")
    caller, seen, cursor = call(world.facilitator), [], None
    while True:
        page = caller.ok("/projects", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7


def test_the_number_of_queries_does_not_grow(
    call: Call,
    session: Session,
    world: World,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    caller = call(world.facilitator)
    with count_queries() as few:
        caller.ok("/projects")
    for _ in range(10):
        make_project(session, team=world.team)
    with count_queries() as many:
        assert len(caller.ok("/projects")["items"]) == 12
    assert len(many) == len(few)
