"""The document of a released project: whole, bounded, without persons; its revision rises."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlmodel import Session, select

from app.kit.clock import utc_now
from app.measures.models import DataPoint, DataType, PhaseStatus
from app.pdsa.models import CycleState
from app.projects.models import Project
from app.sharing.models import Audience, Release
from app.sharing.shared import documents
from app.sharing.shared.schemas import SharedProject
from tests.builders import (
    make_annotation,
    make_cycle,
    make_data_point,
    make_measure,
    make_organisation,
    make_phase,
    make_project,
    make_team,
)
from tests.calling import Caller
from tests.exchange import make_release
from tests.sharing.finding import path_of
from tests.sharing.ready import AIM, make_filled, make_ready
from tests.world import World

Call = Callable[..., Caller]


def test_the_document_is_whole_and_in_its_form(
    call: Call, session: Session, project: Project, release: Release
) -> None:
    cycle = make_cycle(
        session,
        project=project,
        state=CycleState.CLOSED,
        plan={"objective": "Find out", "when_start": "2018-03-05"},
        study={"learning": "It helps."},
        act={"decision": "adopt"},
        started_at=datetime(2018, 3, 5, tzinfo=UTC),
    )
    measure = make_filled(session, project, code="waits", targets=[{"from": None, "value": 80}])
    phase = make_phase(session, measure=measure, pdsa_cycle_ids=[str(cycle.id)])
    make_phase(session, measure=measure, status=PhaseStatus.PROPOSED)
    annotation = make_annotation(session, measure=measure)
    make_measure(session, project=project, archived_at=utc_now())
    answer = call(None).get(path_of(project))
    document = SharedProject.model_validate_json(answer.text)
    assert document.is_complete
    first, second = document.measures
    assert len(first.data_points) == 3
    assert second.code == "waits"
    assert second.targets[0].value == 80
    assert [item.id for item in second.phases] == [phase.id]
    assert [item.id for item in second.annotations] == [annotation.id]
    point = second.data_points[0]
    assert (point.value, point.numerator, point.denominator) == (None, 80, 200)
    (kept,) = document.pdsa_cycles
    assert (kept.id, kept.learning, kept.decision) == (cycle.id, "It helps.", "adopt")
    assert kept.planned_start == date(2018, 3, 5)
    provenance = document.provenance
    assert provenance.source == "http://127.0.0.1:8000"
    assert provenance.release_id == release.id
    assert provenance.license == "CC-BY-4.0"
    assert "Authorization" in answer.headers["Vary"]


def test_nothing_in_it_is_about_persons(
    call: Call, world: World, session: Session, project: Project, release: Release
) -> None:
    named = "Ada Sample"
    world.team.sponsor = named
    session.add(world.team)
    make_measure(session, project=project, collection={"frequency": "weekly", "collector": named})
    make_cycle(
        session,
        project=project,
        plan={"who": [named], "where": named, "tasks": [named], "data_plan": {"who": named}},
        do={"observations": [named], "problems": [named], "unexpected": [named]},
        study={"analysis": named},
        amendments=[{"text": named, "author_id": str(world.member.id)}],
    )
    measure = make_filled(session, project)
    make_data_point(
        session,
        measure=measure,
        period_start=date(2018, 6, 4),
        entered_by=world.member.id,
        created_by=world.member.id,
        excluded=True,
        excluded_by=world.member.id,
    )
    text = call(None).get(path_of(project)).text
    assert named not in text
    for person in world.people.values():
        assert str(person.id) not in text
        assert person.email not in text
    assert str(release.released_by) not in text
    fields = {"collector", "who", "where", "released_by", "entered_by", "created_by", "email"}
    assert not fields & set(_names(json.loads(text)))


def _names(node: Any) -> list[str]:
    if isinstance(node, dict):
        return [*node, *(name for item in node.values() for name in _names(item))]
    return [name for item in node for name in _names(item)] if isinstance(node, list) else []


def test_small_numbers_that_come_later_are_left_out_unless_they_were_accepted(
    call: Call, session: Session, project: Project, release: Release
) -> None:
    measure = make_measure(session, project=project, data_type=DataType.COUNT)
    make_data_point(session, measure=measure, value=3.0, note="Flu")
    make_data_point(session, measure=measure, value=30.0, period_start=date(2018, 1, 8))
    make_filled(session, project)

    def shown() -> list[tuple[float | None, bool]]:
        document = call(None).ok(path_of(project))
        (counted,) = [item for item in document["measures"] if item["id"] == str(measure.id)]
        return [(point["value"], point["is_suppressed"]) for point in counted["data_points"]]

    assert shown() == [(None, True), (30.0, False)]
    document = call(None).ok(path_of(project))
    assert document["provenance"]["small_numbers"] == "left_out"
    release.small_numbers = {**release.small_numbers, "accepted": True}
    session.add(release)
    session.commit()
    assert shown() == [(3.0, False), (30.0, False)]
    document = call(None).ok(path_of(project))
    assert document["provenance"]["small_numbers"] == "shown"


def test_the_total_does_not_tell_what_a_stratum_leaves_out(
    call: Call, session: Session, project: Project, release: Release
) -> None:
    measure = make_measure(session, project=project, data_type=DataType.COUNT)
    for stratum, value in {"": 30.0, "a": 27.0, "b": 3.0}.items():
        make_data_point(session, measure=measure, stratum=stratum, value=value)
    make_data_point(
        session, measure=measure, stratum="a", value=25.0, period_start=date(2018, 1, 8)
    )
    document = call(None).ok(path_of(project))
    (counted,) = [item for item in document["measures"] if item["id"] == str(measure.id)]
    shown = {
        (point["stratum"], point["period_start"]): point["value"]
        for point in counted["data_points"]
    }
    assert shown == {
        ("", "2018-01-01"): 30.0,
        ("a", "2018-01-01"): None,
        ("b", "2018-01-01"): None,
        ("a", "2018-01-08"): 25.0,
    }


def _number(caller: Caller, project: Project) -> int:
    revision: str = caller.ok(path_of(project))["provenance"]["revision"]
    return int(revision.split("-")[0])


def test_the_revision_rises_with_every_change(
    call: Call, world: World, session: Session, project: Project, release: Release
) -> None:
    lead, anonymous = call(world.team_lead), call(None)
    measure = lead.ok(f"/projects/{project.id}/measures")["items"][0]["id"]
    cycle = lead.create(
        f"/projects/{project.id}/pdsa-cycles", {"title": "One", "purpose": "test_change"}
    )["id"]
    point = {"period_start": "2018-05-07", "numerator": 90, "denominator": 200}
    changes: list[tuple[str, str, Any]] = [
        ("PATCH", f"/projects/{project.id}", {"title": "Other"}),
        ("PATCH", f"/measures/{measure}", {"name": "Other"}),
        ("POST", f"/measures/{measure}/data-points", point),
        ("POST", f"/measures/{measure}/annotations", {"happened_on": "2018-01-08", "text": "x"}),
        (
            "POST",
            f"/measures/{measure}/phases",
            {"starts_on": "2018-01-08", "reason": "change_adopted"},
        ),
        ("PATCH", f"/pdsa-cycles/{cycle}", {"title": "Two"}),
        ("DELETE", f"/pdsa-cycles/{cycle}", None),
        ("DELETE", f"/measures/{measure}", None),
        ("POST", f"/measures/{measure}/restore", None),
    ]
    before = _number(anonymous, project)
    for method, path, body in changes:
        answer = lead(method, path, json=body, headers={"If-Match": "*"})
        assert answer.status_code < 300, answer.text
        now = _number(anonymous, project)
        assert now > before, (method, path)
        before = now
    lead.post(f"/releases/{release.id}/withdraw", {"reason": "A pause."})
    body = {"audience": "public"}
    assert call(world.facilitator).post(f"/projects/{project.id}/releases", body).status_code == 201
    assert _number(anonymous, project) > before


def test_names_around_it_change_the_digest(
    call: Call, world: World, session: Session, project: Project, release: Release
) -> None:
    def tag() -> str:
        return str(call(None).get(path_of(project)).headers["ETag"])

    tags = {tag()}
    world.team.name = "Another name"
    session.add(world.team)
    session.commit()
    tags.add(tag())
    world.programme.rule_set = "mdc"
    session.add(world.programme)
    session.commit()
    tags.add(tag())
    assert len(tags) == 3


def test_nothing_is_written_for_whoever_has_it(
    call: Call, project: Project, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = call(None).get(path_of(project))
    tag = first.headers["ETag"]
    assert tag == f'"{first.json()["provenance"]["revision"]}"'
    again = call(None)("GET", path_of(project), headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = call(None)("GET", path_of(project), headers={"If-None-Match": '"0-0"'})
    assert other.json() == first.json()


def test_what_is_too_large_is_cut_and_says_so(
    call: Call,
    session: Session,
    project: Project,
    release: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_filled(session, project, position=1)
    assert call(None).ok(path_of(project))["is_complete"]
    monkeypatch.setattr(documents, "MAX_POINTS", 4)
    document = call(None).ok(path_of(project))
    assert not document["is_complete"]
    assert [len(measure["data_points"]) for measure in document["measures"]] == [3, 1]


@pytest.mark.parametrize(
    ("programme", "over", "drawn"),
    [
        (None, {}, "mdc"),
        ("lifeqi", {}, "lifeqi"),
        ("lifeqi", {"rule_set": "nelson"}, "nelson"),
        ("lifeqi", {"chart": "run"}, "anhoej"),
        ("lifeqi", {"chart": "mr", "data_type": DataType.CONTINUOUS}, None),
    ],
)
def test_the_rule_set_is_the_one_that_the_chart_is_judged_by(
    call: Call,
    world: World,
    session: Session,
    programme: str | None,
    over: dict[str, Any],
    drawn: str | None,
) -> None:
    world.programme.rule_set = programme
    project = world.project
    project.aim = AIM
    session.add_all([world.programme, project])
    measure = make_measure(session, project=project, **over)
    make_release(session, project=project, audience=Audience.PUBLIC)
    (shared,) = call(None).ok(path_of(project))["measures"]
    assert shared["rule_set"] == drawn
    if drawn is not None:
        made = {"value": 3.0} if measure.data_type is DataType.CONTINUOUS else {}
        make_data_point(session, measure=measure, **made)
        chart = call(world.facilitator).ok(f"/measures/{measure.id}/spc")
        assert chart["settings"]["rule_set"] == drawn


def test_a_project_of_no_team_is_shared_too(call: Call, world: World, session: Session) -> None:
    make_organisation(session)
    bare = make_project(session, team=make_team(session, programme=world.programme))
    bare.team_id = None
    make_release(session, project=make_ready(session, bare), audience=Audience.PUBLIC)
    assert call(None).ok(path_of(bare))["team"] is None


def test_it_is_no_larger_than_another_server_reads(
    call: Call,
    session: Session,
    project: Project,
    release: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Long texts count by their bytes, in every part of the document; numbers have the rest."""
    text = 'é"\n' * 300
    measure = make_filled(session, project, position=1, weeks=20, operational_definition=text)
    for point in session.exec(select(DataPoint).where(DataPoint.measure_id == measure.id)):
        point.note = text
        session.add(point)
    for _ in range(4):
        make_annotation(session, measure=measure, text=text)
        make_cycle(session, project=project, plan={"objective": text})
    whole = call(None).get(path_of(project))
    assert whole.json()["is_complete"]
    for most in (len(whole.content), len(whole.content) - 1, 20_000, 10_000, 5_000):
        monkeypatch.setattr(documents, "MAX_BYTES", most)
        answer = call(None).get(path_of(project))
        assert len(answer.content) <= most
        document = SharedProject.model_validate_json(answer.text)
        assert not document.is_complete
    assert len(document.measures) >= 1
    monkeypatch.setattr(documents, "MAX_BYTES", 4 * len(whole.content))
    assert call(None).get(path_of(project)).content == whole.content
