"""Lists and counts of participants over HTTP."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session

from app.participants.models import ProfessionalRole as Job
from tests.builders import make_organisation, make_participant
from tests.calling import Caller
from tests.participants.enrolling import enrol
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def names(call: Call, world: World, session: Session) -> list[str]:
    """Three participants: a GP in a team, a late manager, a patient partner."""
    facilitator = call(world.facilitator)
    world.programme.first_session_on = date(2017, 12, 7)
    session.commit()
    people: list[dict[str, Any]] = [
        {"family_name": "Ashen", "role": "gp"},
        {"family_name": "Brook", "role": "practice_manager", "joined_on": "2018-01-18"},
        {"family_name": "Cairn_x", "role": "patient_partner"},
    ]
    made = [enrol(facilitator, session, world.programme, **person) for person in people]
    body = {"participant_id": made[0]["id"], "starts_on": "2017-12-07"}
    facilitator.create(f"/teams/{world.team.id}/members", body)
    facilitator.post(f"/participants/{made[1]['id']}/transitions", {"to": "active"})
    return [person["family_name"] for person in people]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, "ABC"),
        ({"role": ["gp", "practice_manager"]}, "AB"),
        ({"entry": "late"}, "B"),
        ({"entry": "launch"}, "AC"),
        ({"clinical": "true"}, "A"),
        ({"clinical": "false"}, "B"),
        ({"clinical": "null"}, "C"),
        ({"status": "active"}, "B"),
        ({"has_team": "true"}, "A"),
        ({"has_team": "false"}, "BC"),
        ({"q": "edda ash"}, "A"),
        ({"q": "_"}, "C"),
        ({"q": "%"}, ""),
        ({"archived": "true"}, ""),
        ({"sort": "-joined_on,-family_name"}, "BCA"),
        ({"updated_since": "2999-01-01T00:00:00Z"}, ""),
    ],
)
def test_filters_and_sorts(
    call: Call, world: World, names: list[str], filters: dict[str, Any], found: str
) -> None:
    path = f"/programmes/{world.programme.id}/participants"
    page = call(world.facilitator).ok(path, with_total="true", **filters)
    assert "".join(item["family_name"][0] for item in page["items"]) == found
    assert page["total"] == len(found)


def test_filter_by_team(call: Call, world: World, names: list[str]) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/participants"
    in_team = facilitator.ok(path, team_id=str(world.team.id))["items"]
    assert [item["family_name"] for item in in_team] == ["Ashen"]
    assert facilitator.ok(path, team_id=str(world.other_team.id))["items"] == []


@pytest.mark.parametrize(
    "filters", [{"sort": "email"}, {"role": "wizard"}, {"team_id": "x"}, {"q": "\x00"}, {"p": 1}]
)
def test_unknown_parameters_are_422(call: Call, world: World, filters: dict[str, Any]) -> None:
    path = f"/programmes/{world.programme.id}/participants"
    assert call(world.facilitator).get(path, **filters).status_code == 422


def test_before_the_first_session_is_dated_nobody_is_late(
    call: Call, world: World, session: Session
) -> None:
    facilitator = call(world.facilitator)
    enrol(facilitator, session, world.programme, joined_on="2018-09-30")
    path = f"/programmes/{world.programme.id}/participants"
    assert len(facilitator.ok(path, entry="launch")["items"]) == 1
    assert facilitator.ok(path, entry="late")["items"] == []


def test_pages_hold_everybody_once(call: Call, world: World, names: list[str]) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/participants"
    seen, cursor = [], None
    while True:
        page = facilitator.ok(path, limit=1, **({"cursor": cursor} if cursor else {}))
        seen += [item["family_name"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names


def test_summary(call: Call, world: World, session: Session, names: list[str]) -> None:
    place = make_organisation(session, area="North")
    enrol(call(world.admin), session, world.programme, organisation_id=str(place.id))
    gone = enrol(call(world.admin), session, world.programme)
    call(world.admin).delete(f"/participants/{gone['id']}")
    path = f"/programmes/{world.programme.id}/participants/summary"
    summary = call(world.admin).ok(path)
    assert summary["total"] == 4
    assert summary["by_role"] == [
        {"value": "gp", "count": 2},
        {"value": "patient_partner", "count": 1},
        {"value": "practice_manager", "count": 1},
    ]
    assert summary["by_clinical"] == [
        {"value": "clinician", "count": 2},
        {"value": "neither", "count": 1},
        {"value": "non_clinician", "count": 1},
    ]
    assert summary["by_area"] == [{"value": "North", "count": 1}, {"value": None, "count": 3}]
    assert summary["by_team"] == [
        {"value": str(world.team.id), "count": 1},
        {"value": None, "count": 3},
    ]
    assert summary["by_entry"] == [
        {"value": "late", "count": 1},
        {"value": "launch", "count": 3},
    ]
    assert summary["by_status"] == [
        {"value": "active", "count": 1},
        {"value": "enrolled", "count": 3},
    ]


def test_a_list_costs_the_same_for_one_and_for_many(
    call: Call,
    world: World,
    session: Session,
    count_queries: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    facilitator = call(world.facilitator)
    path = f"/programmes/{world.programme.id}/participants"
    make_participant(session, programme=world.programme, team=world.team)
    with count_queries() as few:
        assert len(facilitator.ok(path)["items"]) == 1
    for role in (Job.GP, Job.HCA, Job.PRACTICE_MANAGER):
        make_participant(session, programme=world.programme, role=role)
    session.expire_all()
    with count_queries() as many:
        assert len(facilitator.ok(path)["items"]) == 4
    assert len(many) == len(few) <= 5
