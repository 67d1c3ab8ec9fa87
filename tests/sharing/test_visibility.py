"""What a release gives: everybody with a role in the programme reads the project, nobody writes."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlmodel import Session

from app.access.permissions import Role
from app.sharing.models import Audience
from tests.builders import make_annotation, make_cycle, make_membership, make_phase, make_user
from tests.calling import Caller
from tests.exchange import make_release
from tests.sharing.ready import make_filled, make_ready
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def paths(session: Session, world: World) -> list[str]:
    """Reads of a project of the other team and of all that is in it."""
    project = make_ready(session, world.other_project, weeks=12)
    measure = make_filled(session, project, weeks=12)
    phase = make_phase(session, measure=measure)
    annotation = make_annotation(session, measure=measure)
    return [
        f"/projects/{project.id}",
        f"/projects/{project.id}/measures",
        f"/projects/{project.id}/pdsa-cycles",
        f"/projects/{project.id}/spc",
        f"/pdsa-cycles/{make_cycle(session, project=project).id}",
        f"/measures/{measure.id}",
        f"/measures/{measure.id}/spc",
        f"/measures/{measure.id}/data-points",
        f"/measures/{measure.id}/phases",
        f"/phases/{phase.id}",
        f"/annotations/{annotation.id}",
    ]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.TEAM_LEAD, Role.COMMISSIONER])
@pytest.mark.parametrize("audience", [Audience.PROGRAMME, Audience.NETWORK, Audience.PUBLIC])
def test_everybody_in_the_programme_reads_what_is_released(
    call: Call,
    world: World,
    session: Session,
    paths: list[str],
    role: Role,
    audience: Audience,
) -> None:
    caller = call(world.people[role])
    assert {caller.get(path).status_code for path in paths} == {404}
    make_release(session, project=world.other_project, audience=audience)
    assert {path: caller.get(path).status_code for path in paths} == dict.fromkeys(paths, 200)


@pytest.mark.parametrize("audience", [Audience.PROGRAMME, Audience.NETWORK, Audience.PUBLIC])
def test_nobody_of_another_programme_does(
    call: Call, world: World, session: Session, paths: list[str], audience: Audience
) -> None:
    make_release(session, project=world.other_project, audience=audience)
    outsider = make_user(session)
    make_membership(session, user=outsider, role=Role.FACILITATOR, programme=world.other_programme)
    for caller in (call(outsider), call(world.stranger)):
        assert {caller.get(path).status_code for path in paths} == {404}


def test_reading_is_no_writing(
    call: Call, world: World, session: Session, paths: list[str]
) -> None:
    make_release(session, project=world.other_project)
    caller = call(world.member)
    project = world.other_project.id
    assert caller.patch(f"/projects/{project}", {"title": "Ours"}).status_code == 403
    cycle = {"title": "Ours", "purpose": "test_change"}
    assert caller.post(f"/projects/{project}/pdsa-cycles", cycle).status_code == 403
    assert caller.get(f"/projects/{project}/releases").status_code == 404
    measure = next(path for path in paths if path.endswith("/data-points"))
    body = {"period_start": "2018-05-07", "numerator": 90, "denominator": 200}
    assert caller.post(measure, body).status_code == 403


def test_lists_show_own_and_released_projects(
    call: Call, world: World, session: Session, paths: list[str]
) -> None:
    make_release(session, project=world.other_project)
    own, other = str(world.project.id), str(world.other_project.id)

    def listed(caller: Caller, path: str) -> set[str]:
        return {item["id"] for item in caller.ok(path)["items"]}

    for path in ("/projects", f"/programmes/{world.programme.id}/projects"):
        assert listed(call(world.member), path) == {own, other}
        assert listed(call(world.people[Role.COMMISSIONER]), path) == {other}


def test_a_token_without_the_scope_does_not_read_it(
    call: Call, world: World, session: Session, paths: list[str]
) -> None:
    make_release(session, project=world.other_project)
    caller = call(world.member).with_token("measure:read")
    assert caller.get(f"/projects/{world.other_project.id}").status_code == 403
    chart = next(path for path in paths if path.startswith("/measures") and path.endswith("/spc"))
    assert caller.get(chart).status_code == 200


def test_the_hottest_read_costs_no_more_statements(
    call: Call,
    world: World,
    session: Session,
    paths: list[str],
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    chart = next(path for path in paths if path.startswith("/measures") and path.endswith("/spc"))
    make_release(session, project=world.other_project)
    counts = []
    for person in (world.facilitator, world.member):
        caller = call(person)
        caller.ok(chart)
        with count_queries() as statements:
            caller.ok(chart)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 3
