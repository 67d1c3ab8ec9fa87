"""The aim: how it reads, what it lacks, what contradicts it, and when a change needs a reason."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session

from app.measures.models import Family
from app.projects.aims import Aim, latest_day, missing_of, statement_of
from app.projects.models import Project, ProjectState
from tests.builders import make_measure
from tests.calling import Caller
from tests.projects.bodies import AIM
from tests.world import World

Call = Callable[..., Caller]
REQUIRED = ["what", "for_whom", "target_value", "unit", "direction", "by_when"]


@pytest.fixture
def path(world: World) -> str:
    return f"/projects/{world.project.id}"


def test_a_whole_aim_reads_as_a_sentence(call: Call, world: World, path: str) -> None:
    lead = call(world.team_lead)
    assert lead.ok(path)["aim_missing"] == REQUIRED
    assert lead.ok(path)["aim_statement"] is None
    project = lead.patch(path, {"aim": AIM}).json()
    assert project["aim_missing"] == []
    assert project["aim_statement"] == (
        "increase requests ready within 48 hours from 62 to 85 %"
        " for patients of two fictional practices by 2018-09-30"
    )


def test_an_aim_merges_part_by_part(call: Call, world: World, path: str) -> None:
    lead = call(world.team_lead)
    lead.patch(path, {"aim": {"what": "calls answered", "target_value": 0}})
    project = lead.patch(path, {"aim": {"unit": "%", "what": ""}}).json()
    assert project["aim"]["unit"] == "%"
    assert project["aim"]["target_value"] == 0
    assert project["aim_missing"] == ["what", "for_whom", "direction", "by_when"]
    emptied = lead.patch(path, {"aim": {"target_value": None}}).json()
    assert emptied["aim"]["target_value"] is None
    assert lead.patch(path, {"aim": None}).json()["aim"] is None


def test_without_a_baseline_there_is_no_from() -> None:
    aim = Aim.model_validate(AIM | {"baseline_value": None, "target_value": 0.1})
    assert missing_of(aim) == []
    assert " to 0.1 %" in str(statement_of(aim))
    assert "from" not in str(statement_of(aim))


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"target_value": 62}, "target_on_wrong_side", "#/aim/target_value"),
        ({"direction": "decrease"}, "target_on_wrong_side", "#/aim/target_value"),
        ({"by_when": "2019-10-01"}, "by_when_too_late", "#/aim/by_when"),
    ],
)
def test_contradictions_are_refused(
    call: Call, world: World, path: str, change: dict[str, Any], code: str, pointer: str
) -> None:
    refused = call(world.team_lead).patch(path, {"aim": AIM | change})
    assert refused.status_code == 422
    fault = refused.json()["errors"][0]
    assert (fault["code"], fault["pointer"]) == (code, pointer)


@pytest.mark.parametrize(
    "change",
    [
        {"by_when": "2019-09-30"},
        {"direction": "decrease", "target_value": 40},
        {"direction": "maintain", "target_value": 62},
    ],
)
def test_what_is_in_order_is_kept(
    call: Call, world: World, path: str, change: dict[str, Any]
) -> None:
    assert call(world.team_lead).patch(path, {"aim": AIM | change}).status_code == 200


def test_a_year_later_exists_on_every_day() -> None:
    assert latest_day(date(2020, 2, 29)) == date(2021, 2, 28)
    assert latest_day(date(2018, 9, 30)) == date(2019, 9, 30)
    assert latest_day(date(9999, 9, 30)) == date(9999, 9, 30)


def test_the_measure_is_a_live_outcome_of_the_project(
    call: Call, session: Session, world: World, path: str
) -> None:
    lead = call(world.team_lead)
    good = make_measure(session, project=world.project)
    process = make_measure(session, project=world.project, family=Family.PROCESS)
    archived = make_measure(session, project=world.project, archived_at=good.created_at)
    foreign = make_measure(session, project=world.other_project)
    for measure in (process, archived, foreign):
        refused = lead.patch(path, {"aim": {"measure_id": str(measure.id)}})
        assert refused.json()["code"] == "reference_not_found"
        assert refused.json()["errors"][0]["pointer"] == "#/aim/measure_id"
    kept = lead.patch(path, {"aim": {"measure_id": str(good.id)}})
    assert kept.json()["aim"]["measure_id"] == str(good.id)


def _move(session: Session, project: Project, **values: Any) -> None:
    for name, value in values.items():
        setattr(project, name, value)
    session.add(project)
    session.commit()


@pytest.mark.parametrize(
    ("values", "is_needed"),
    [
        ({"state": ProjectState.IDEA}, False),
        ({"state": ProjectState.APPROVED}, False),
        ({"state": ProjectState.BASELINE}, True),
        ({"state": ProjectState.COMPLETED}, True),
        ({"state": ProjectState.STOPPED}, True),
        ({"state": ProjectState.PAUSED, "paused_from": ProjectState.IDEA}, False),
        ({"state": ProjectState.PAUSED, "paused_from": ProjectState.TESTING}, True),
    ],
)
def test_after_the_baseline_a_change_needs_a_reason(
    call: Call,
    session: Session,
    world: World,
    path: str,
    values: dict[str, Any],
    is_needed: bool,
) -> None:
    lead = call(world.team_lead)
    lead.patch(path, {"aim": AIM})
    session.refresh(world.project)
    _move(session, world.project, **values)
    change = {"aim": {"target_value": 90}}
    refused = lead.patch(path, change)
    assert refused.status_code == (422 if is_needed else 200), refused.text
    if not is_needed:
        return
    assert refused.json()["code"] == "aim_change_reason_required"
    assert refused.json()["errors"][0]["pointer"] == "#/aim_change_reason"
    assert lead.patch(path, {"aim": {"target_value": 85}}).status_code == 200
    reason = "The first target was reached."
    assert lead.patch(path, change | {"aim_change_reason": reason}).status_code == 200
    event = lead.ok(f"{path}/history")["items"][0]
    assert event["changes"]["aim_change_reason"] == [None, reason]
    assert event["changes"]["aim"][1]["target_value"] == 90
