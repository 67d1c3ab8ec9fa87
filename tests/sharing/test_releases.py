"""Releases: who may give a project to whom, what stops it, what it changes, how it ends."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.kit.clock import utc_now
from app.measures.models import DataType
from app.projects.models import Project
from app.sharing.models import Audience, Release, ReleaseState
from tests.builders import make_data_point, make_measure
from tests.calling import Caller
from tests.exchange import make_release
from tests.sharing.ready import AIM, make_ready
from tests.world import World

Call = Callable[..., Caller]
PUBLIC, NETWORK, PROGRAMME = "public", "network", "programme"
REASON = {"reason": "One practice no longer agrees."}


@pytest.fixture
def project(session: Session, world: World) -> Project:
    return make_ready(session, world.project)


def _release(caller: Caller, project: Project, audience: str = PROGRAMME, **more: Any) -> Any:
    return caller.post(f"/projects/{project.id}/releases", {"audience": audience, **more})


def _events(session: Session, project: Project) -> list[str]:
    session.expire_all()
    statement = select(Event.type).where(col(Event.project_id) == project.id)
    return list(session.exec(statement.order_by(col(Event.created_at), col(Event.id))))


def test_a_lead_releases_to_the_programme(
    call: Call, world: World, session: Session, project: Project
) -> None:
    answer = _release(call(world.team_lead), project, note="Agreed with the team.")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/api/v1/releases/{made['id']}"
    assert made["state"] == "published"
    assert made["license"] == "CC-BY-4.0"
    assert made["released_by"] == str(world.team_lead.id)
    assert made["small_numbers"]["points"] == 0
    shown = call(world.team_lead).ok(f"/projects/{project.id}")
    assert shown["visibility"] == PROGRAMME
    assert _events(session, project) == ["release.published", "project.updated"]
    assert call(world.member).ok(f"/releases/{made['id']}")["note"] == "Agreed with the team."


@pytest.mark.parametrize("audience", [NETWORK, PUBLIC])
def test_a_lead_cannot_release_beyond_the_programme(
    call: Call, world: World, project: Project, audience: str
) -> None:
    assert _release(call(world.team_lead), project, audience).status_code == 403
    for person in (world.people[Role.PROVIDER_ADMIN], world.facilitator):
        answer = _release(call(person), project, audience)
        assert answer.status_code in {201, 409}, answer.text
    assert call(world.member).ok(f"/projects/{project.id}")["visibility"] == audience


def test_another_audience_takes_the_place_of_the_one_before(
    call: Call, world: World, session: Session, project: Project
) -> None:
    caller = call(world.facilitator)
    first = _release(caller, project).json()
    again = _release(caller, project)
    assert again.status_code == 409
    assert again.json()["code"] == "already_released"
    assert again.json()["release_id"] == first["id"]
    second = _release(caller, project, PUBLIC).json()
    ended = caller.ok(f"/releases/{first['id']}")
    assert ended["state"] == "withdrawn"
    assert ended["withdrawn_at"] is not None
    listed = caller.ok(f"/projects/{project.id}/releases")["items"]
    assert [item["id"] for item in listed] == [second["id"], first["id"]]
    held = caller.ok(f"/projects/{project.id}/releases", state="published")["items"]
    assert [item["id"] for item in held] == [second["id"]]
    assert _events(session, project)[2:] == [
        "release.withdrawn",
        "release.published",
        "project.updated",
    ]


def test_the_event_is_thin_and_names_the_audience(
    call: Call, world: World, session: Session, project: Project
) -> None:
    release = _release(call(world.facilitator), project, PUBLIC, note="Private note").json()
    event = session.exec(select(Event).where(Event.type == "release.published")).one()
    assert '"audience":"public"' in event.payload
    assert f'"project_id":"{project.id}"' in event.payload
    assert '"license":"CC-BY-4.0"' in event.payload
    assert "Private note" not in event.payload
    assert str(event.resource_id) == release["id"]


def test_withdrawing_hides_it_from_all_but_the_team(
    call: Call, world: World, session: Session, project: Project
) -> None:
    lead, commissioner = call(world.team_lead), call(world.people[Role.COMMISSIONER])
    release = _release(call(world.facilitator), project, PUBLIC).json()
    assert commissioner.get(f"/projects/{project.id}").status_code == 200
    answer = lead.post(f"/releases/{release['id']}/withdraw", REASON)
    assert answer.status_code == 200, answer.text
    assert answer.json()["withdrawn_by"] == str(world.team_lead.id)
    assert commissioner.get(f"/projects/{project.id}").status_code == 404
    assert lead.ok(f"/projects/{project.id}")["visibility"] == "team"
    again = lead.post(f"/releases/{release['id']}/withdraw", REASON)
    assert again.status_code == 409
    assert again.json()["code"] == "invalid_state_transition"
    assert _events(session, project)[-2:] == ["release.withdrawn", "project.updated"]
    event = session.exec(select(Event).where(Event.type == "release.withdrawn")).one()
    assert REASON["reason"] not in event.payload
    assert _release(lead, project).status_code == 201


def test_a_withdrawal_needs_a_reason_and_the_right(
    call: Call, world: World, project: Project
) -> None:
    release = _release(call(world.facilitator), project).json()
    path = f"/releases/{release['id']}/withdraw"
    assert call(world.team_lead).post(path, {"reason": " "}).status_code == 422
    assert call(world.member).post(path, REASON).status_code == 403
    assert call(world.people[Role.COMMISSIONER]).post(path, REASON).status_code == 404
    assert call(world.stranger).post(path, REASON).status_code == 404


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"aim": None}, ["complete_aim"]),
        ({"aim": {**AIM, "unit": None}}, ["complete_aim"]),
    ],
)
def test_an_incomplete_charter_is_not_released(
    call: Call,
    world: World,
    session: Session,
    project: Project,
    change: dict[str, Any],
    missing: list[str],
) -> None:
    project.sqlmodel_update(change)
    session.add(project)
    session.commit()
    answer = _release(call(world.team_lead), project)
    assert answer.status_code == 409
    assert answer.json()["code"] == "release_blocked"
    assert answer.json()["missing"] == missing


def test_a_project_without_data_is_not_released(call: Call, world: World, session: Session) -> None:
    bare = world.project
    bare.aim = AIM
    session.add(bare)
    measure = make_measure(session, project=bare)
    point = make_data_point(session, measure=measure, numerator=80.0, denominator=200.0)
    point.archived_at = utc_now()
    session.add(point)
    session.commit()
    answer = _release(call(world.team_lead), bare)
    assert answer.json()["missing"] == ["measure_with_data"]


def test_an_archived_project_is_not_released_but_its_release_is_withdrawn(
    call: Call, world: World, project: Project
) -> None:
    lead = call(world.team_lead)
    release = _release(lead, project).json()
    assert lead.delete(f"/projects/{project.id}").status_code == 204
    answer = _release(call(world.facilitator), project, PUBLIC)
    assert answer.json()["code"] == "archived"
    assert lead.post(f"/releases/{release['id']}/withdraw", REASON).status_code == 200


def _small(session: Session, project: Project, data_type: DataType, **numbers: Any) -> str:
    measure = make_measure(session, project=project, data_type=data_type, name="Falls")
    make_data_point(session, measure=measure, **numbers)
    return str(measure.id)


@pytest.mark.parametrize(
    ("data_type", "numbers"),
    [
        (DataType.PROPORTION, {"numerator": 7.0, "denominator": 20.0}),
        (DataType.PROPORTION, {"numerator": 0.0, "denominator": 5.0}),
        (DataType.RATE, {"numerator": 1.0, "denominator": 400.0}),
        (DataType.COUNT, {"value": 1.0}),
        (DataType.COUNT, {"value": 7.0}),
        (DataType.YES_NO, {"numerator": 1.0, "denominator": 1.0}),
    ],
)
def test_small_numbers_stop_a_wide_release(
    call: Call,
    world: World,
    session: Session,
    project: Project,
    data_type: DataType,
    numbers: dict[str, Any],
) -> None:
    measure_id = _small(session, project, data_type, **numbers)
    caller = call(world.facilitator)
    for audience in (NETWORK, PUBLIC):
        answer = _release(caller, project, audience)
        assert answer.status_code == 409
        problem = answer.json()
        assert problem["code"] == "small_numbers"
        assert problem["missing"] == ["small_numbers_accepted"]
        assert problem["measures"] == [{"measure_id": measure_id, "name": "Falls", "points": 1}]
    assert _release(caller, project).json()["small_numbers"]["points"] == 1


@pytest.mark.parametrize(
    ("data_type", "numbers"),
    [
        (DataType.PROPORTION, {"numerator": 8.0, "denominator": 8.0}),
        (DataType.PROPORTION, {"numerator": 0.0, "denominator": 0.0}),
        (DataType.PROPORTION, {"numerator": None, "denominator": None}),
        (DataType.COUNT, {"value": 0.0}),
        (DataType.COUNT, {"value": None}),
        (DataType.CONTINUOUS, {"value": 3.0}),
        (DataType.TIME_BETWEEN, {"value": 3.0}),
    ],
)
def test_what_counts_enough_or_nobody_does_not(
    call: Call,
    world: World,
    session: Session,
    project: Project,
    data_type: DataType,
    numbers: dict[str, Any],
) -> None:
    _small(session, project, data_type, **numbers)
    assert _release(call(world.facilitator), project, PUBLIC).status_code == 201


def test_small_numbers_are_accepted_with_a_reason_and_a_name(
    call: Call, world: World, session: Session, project: Project
) -> None:
    measure_id = _small(session, project, DataType.COUNT, value=3.0)
    caller = call(world.facilitator)
    bare = _release(caller, project, PUBLIC, accept_small_numbers=True)
    assert bare.status_code == 422
    assert bare.json()["errors"][0]["pointer"] == "#/small_numbers_reason"
    body = {"accept_small_numbers": True, "small_numbers_reason": "Falls of a whole district."}
    assert _release(call(world.team_lead), project, PUBLIC, **body).status_code == 403
    kept = _release(caller, project, PUBLIC, **body).json()["small_numbers"]
    assert kept == {
        "up_to": 7,
        "points": 1,
        "measures": [{"measure_id": measure_id, "points": 1}],
        "accepted": True,
        "accepted_by": str(world.facilitator.id),
        "reason": "Falls of a whole district.",
    }


def test_archived_points_and_measures_are_not_looked_at(
    call: Call, world: World, session: Session, project: Project
) -> None:
    measure = make_measure(session, project=project, data_type=DataType.COUNT)
    gone = make_data_point(session, measure=measure, value=2.0)
    gone.archived_at = utc_now()
    archived = make_measure(session, project=project, archived_at=utc_now())
    make_data_point(session, measure=archived)
    session.add(gone)
    session.commit()
    assert _release(call(world.facilitator), project, PUBLIC).status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"audience": "team"},
        {"audience": "everybody"},
        {"audience": "public", "license": "Proprietary"},
        {"audience": "public", "note": "Patient 943 476 5919"},
        {"audience": "public", "accept_small_numbers": "yes"},
    ],
)
def test_what_is_no_release_is_refused(
    call: Call, world: World, project: Project, body: dict[str, Any]
) -> None:
    path = f"/projects/{project.id}/releases"
    assert call(world.facilitator).post(path, body).status_code == 422


def test_only_one_release_holds(session: Session, project: Project) -> None:
    make_release(session, project=project)
    with pytest.raises(Exception, match=r"(?i)unique"):
        make_release(session, project=project, audience=Audience.PUBLIC)
    session.rollback()
    make_release(session, project=project, state=ReleaseState.WITHDRAWN)
    rows = session.exec(select(Release).where(col(Release.project_id) == project.id)).all()
    assert len(rows) == 2


def test_releases_are_for_who_may_read_them(call: Call, world: World, project: Project) -> None:
    release = _release(call(world.facilitator), project).json()
    for role, status in {
        Role.COACH: 200,
        Role.MEMBER: 200,
        Role.INTEGRATION: 200,
        Role.OBSERVER: 404,
        Role.COMMISSIONER: 404,
    }.items():
        caller = call(world.people[role])
        assert caller.get(f"/releases/{release['id']}").status_code == status, role
        assert caller.get(f"/projects/{project.id}/releases").status_code == status, role
