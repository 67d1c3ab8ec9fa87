"""The catalogue and its document: who sees what, that it is whole, and that it names nobody."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from app.kit.clock import utc_now
from app.programmes.models import Confidentiality
from app.projects.models import Project, ProjectState
from app.sharing.models import Audience, Release
from tests.builders import (
    make_project,
)
from tests.calling import Caller
from tests.exchange import make_release
from tests.sharing.finding import LIST, path_of
from tests.sharing.ready import make_ready
from tests.world import World

Call = Callable[..., Caller]


def _listed(caller: Caller, **params: Any) -> list[str]:
    return [item["project_id"] for item in caller.ok(LIST, **params)["items"]]


def test_public_for_all_network_for_whoever_logs_in_programme_for_neither(
    call: Call, world: World, session: Session
) -> None:
    projects = {
        audience: make_ready(session, make_project(session, team=world.foreign_team))
        for audience in (Audience.PROGRAMME, Audience.NETWORK, Audience.PUBLIC)
    }
    for audience, project in projects.items():
        make_release(session, project=project, audience=audience)
    anonymous, stranger = call(None), call(world.stranger)
    public, network = projects[Audience.PUBLIC], projects[Audience.NETWORK]
    assert _listed(anonymous) == [str(public.id)]
    assert set(_listed(stranger)) == {str(public.id), str(network.id)}
    seen = {
        audience: (
            anonymous.get(path_of(row)).status_code,
            stranger.get(path_of(row)).status_code,
        )
        for audience, row in projects.items()
    }
    assert seen == {
        Audience.PROGRAMME: (404, 404),
        Audience.NETWORK: (404, 200),
        Audience.PUBLIC: (200, 200),
    }


def test_a_token_must_hold_and_have_the_scope(
    call: Call, world: World, session: Session, project: Project
) -> None:
    make_release(session, project=project, audience=Audience.NETWORK)
    lead = call(world.team_lead)
    assert lead.with_token("project:read").get(path_of(project)).status_code == 200
    refused = lead.with_token("measure:read").get(path_of(project))
    assert refused.json()["code"] == "scope_insufficient"
    for header in ("Bearer nonsense", "Basic eDp5", ""):
        answer = call(None)("GET", LIST, headers={"Authorization": header})
        assert answer.status_code == 401, header


def test_a_bound_token_reaches_the_network_of_its_programme_alone(
    call: Call, world: World, session: Session, project: Project
) -> None:
    other = make_ready(session, world.foreign_project)
    make_release(session, project=project, audience=Audience.NETWORK)
    make_release(session, project=other, audience=Audience.NETWORK)
    public = make_ready(session, make_project(session, team=world.foreign_team))
    make_release(session, project=public, audience=Audience.PUBLIC)
    lead = call(world.team_lead)
    bound = lead.with_token("project:read", programme_id=world.programme.id)
    assert set(_listed(bound)) == {str(project.id), str(public.id)}
    assert bound.get(path_of(other)).status_code == 404


def test_what_has_ended_or_is_archived_is_gone(
    call: Call, world: World, session: Session, project: Project, release: Release
) -> None:
    anonymous, lead = call(None), call(world.team_lead)
    assert anonymous.get(path_of(project)).status_code == 200
    lead.delete(f"/projects/{project.id}")
    assert anonymous.get(path_of(project)).status_code == 404
    lead.post(f"/projects/{project.id}/restore")
    assert anonymous.get(path_of(project)).status_code == 200
    world.programme.archived_at = utc_now()
    session.add(world.programme)
    session.commit()
    assert anonymous.get(path_of(project)).status_code == 404
    assert _listed(anonymous) == []
    lead.post(f"/releases/{release.id}/withdraw", {"reason": "Enough."})
    world.programme.archived_at = None
    session.add(world.programme)
    session.commit()
    assert anonymous.get(path_of(project)).status_code == 404


def test_filters_sorts_and_pages(call: Call, world: World, session: Session) -> None:
    rows = []
    for day, (title, area, state) in enumerate(
        [
            ("Beds", "North", ProjectState.COMPLETED),
            ("Falls", "West", ProjectState.STOPPED),
            ("Calls", "North", ProjectState.TESTING),
        ],
        start=1,
    ):
        project = make_project(session, team=world.team, title=title, area=area, state=state)
        at = datetime(2018, 9, day, tzinfo=UTC)
        make_release(session, project=project, audience=Audience.PUBLIC, released_at=at)
        rows.append(str(project.id))
    anonymous = call(None)
    assert _listed(anonymous) == rows[::-1]
    assert _listed(anonymous, sort="title") == [rows[0], rows[2], rows[1]]
    assert _listed(anonymous, q="al") == [rows[2], rows[1]]
    assert _listed(anonymous, area="North") == [rows[2], rows[0]]
    assert set(_listed(anonymous, state=["completed", "stopped"])) == {rows[0], rows[1]}
    page = anonymous.ok(LIST, limit=2, with_total=True)
    assert page["total"] == 3
    rest = anonymous.ok(LIST, limit=2, cursor=page["next_cursor"])
    assert [item["project_id"] for item in rest["items"]] == rows[:1]
    assert rest["next_cursor"] is None
    other = call(world.member).get(LIST, limit=2, cursor=page["next_cursor"])
    assert other.json()["code"] == "invalid_cursor"
    assert anonymous.get(LIST, sort="problem").status_code == 422


def test_an_item_says_where_its_document_stands(
    call: Call, world: World, session: Session, project: Project, release: Release
) -> None:
    (item,) = call(None).ok(LIST)["items"]
    assert item["release_id"] == str(release.id)
    assert item["team"] == world.team.name
    assert item["aim_statement"].startswith("increase requests answered")
    assert call(None).ok(item["url"])["id"] == str(project.id)


@pytest.mark.parametrize(
    ("confidentiality", "audience", "is_known"),
    [
        (Confidentiality.INTERNAL, Audience.NETWORK, False),
        (Confidentiality.NETWORK, Audience.NETWORK, True),
        (Confidentiality.NETWORK, Audience.PUBLIC, False),
        (Confidentiality.PUBLIC, Audience.PUBLIC, True),
    ],
)
def test_a_programme_is_named_as_far_as_it_may_be_known(
    call: Call,
    world: World,
    session: Session,
    project: Project,
    confidentiality: Confidentiality,
    audience: Audience,
    is_known: bool,
) -> None:
    world.programme.confidentiality = confidentiality
    session.add(world.programme)
    make_release(session, project=project, audience=audience)
    caller = call(world.stranger)
    title = world.programme.title if is_known else None
    assert caller.ok(path_of(project))["programme"]["title"] == title
    assert caller.ok(path_of(project))["programme"]["provider"].startswith("Practice")
    (item,) = caller.ok(LIST)["items"]
    assert item["programme"]["title"] == title
