"""What a fetch stores: rows of our own, changes alone, nothing that is older, and what is gone."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.permissions import Role
from app.events.models import Event
from app.integrations.models import Integration
from app.jobs.handlers import Done
from app.measures.models import Annotation, DataPoint, Measure, Phase
from app.pdsa.models import PDSACycle
from app.references.models import ExternalReference
from app.sharing.models import ReceivedProject
from tests.calling import Caller
from tests.integrations.pulling.conftest import Pull
from tests.integrations.pulling.kept import brought, changed_by, events_of, live, the_one
from tests.integrations.pulling.other import Other, point
from tests.world import World

Call = Callable[..., Caller]


def test_everything_gets_an_identifier_here_and_a_reference_to_theirs(
    session: Session, world: World, integration: Integration, other: Other, pull: Pull
) -> None:
    assert pull() == [Done()]
    project = brought(session)
    assert project.programme_id == world.programme.id
    assert project.team_id is None
    assert project.title == other.document["title"]
    assert project.created_by == integration.owner_id
    measure, cycle = the_one(session, Measure), the_one(session, PDSACycle)
    assert project.aim is not None
    assert project.aim["measure_id"] == str(measure.id)
    phase, annotation = the_one(session, Phase), the_one(session, Annotation)
    assert phase.pdsa_cycle_ids == [str(cycle.id)]
    theirs = {
        "project": other.document["id"],
        "measure": other.measure["id"],
        "pdsa_cycle": other.document["pdsa_cycles"][0]["id"],
        "phase": other.measure["phases"][0]["id"],
        "annotation": other.measure["annotations"][0]["id"],
    }
    ours = {
        "project": project.id,
        "measure": measure.id,
        "pdsa_cycle": cycle.id,
        "phase": phase.id,
        "annotation": annotation.id,
    }
    references = session.exec(select(ExternalReference)).all()
    assert {row.system for row in references} == {integration.system}
    assert {row.resource_type: row.external_id for row in references} == theirs
    assert {row.resource_type: row.resource_id for row in references} == ours
    assert not {str(identifier) for identifier in ours.values()} & set(theirs.values())


def test_its_events_say_where_it_came_from(
    session: Session, other: Other, pull: Pull, address: str
) -> None:
    pull()
    assert events_of(session) == [
        "annotation.created",
        "data_point.recorded",
        "measure.created",
        "pdsa_cycle.created",
        "phase.created",
        "project.created",
    ]
    events = session.exec(select(Event).where(col(Event.project_id) == brought(session).id)).all()
    assert {event.origin for event in events} == {address}
    assert all(f'"origin":"{address}"' in event.payload for event in events)
    before = len(events)
    assert pull() == [Done()]
    assert len(events_of(session)) == before


def test_the_project_says_where_it_came_from(
    call: Call, world: World, session: Session, other: Other, pull: Pull, address: str
) -> None:
    pull()
    project = brought(session)
    shown = call(world.facilitator).ok(f"/projects/{project.id}")
    provenance = shown["provenance"]
    assert provenance | {"received_at": None, "fetched_at": None} == {
        "source": address,
        "source_project_id": other.document["id"],
        "source_release_id": other.document["provenance"]["release_id"],
        "license": "CC-BY-4.0",
        "received_at": None,
        "fetched_at": None,
        "withdrawn_at": None,
    }
    listed = call(world.facilitator).ok(f"/programmes/{world.programme.id}/projects")["items"]
    found = {item["id"]: item["provenance"] for item in listed}
    assert found.pop(str(project.id)) == provenance
    assert set(found.values()) == {None}


def test_everybody_in_the_programme_reads_it_and_the_catalogue_does_not_have_it(
    call: Call, world: World, session: Session, pull: Pull
) -> None:
    pull()
    path = f"/projects/{brought(session).id}"
    for role in (Role.MEMBER, Role.COMMISSIONER, Role.COACH):
        assert call(world.people[role]).get(path).status_code == 200, role
    assert call(world.stranger).get(path).status_code == 404
    assert call(world.stranger).ok("/shared/projects")["items"] == []


def test_only_what_differs_is_written(session: Session, other: Other, pull: Pull) -> None:
    pull()
    other.document["title"] = "Ready on the day"
    assert changed_by(session, pull, other) == ["project.updated"]
    assert brought(session).title == "Ready on the day"
    other.document["state"] = "completed"
    assert changed_by(session, pull, other) == ["project.state_changed"]
    other.document["pdsa_cycles"][0]["state"] = "cancelled"
    assert changed_by(session, pull, other) == ["pdsa_cycle.state_changed"]
    other.measure["annotations"][0]["text"] = "Second morning"
    assert changed_by(session, pull, other) == ["annotation.updated"]
    other.measure["name"] = "Ready within a day"
    assert changed_by(session, pull, other) == ["measure.updated"]
    assert changed_by(session, pull, other) == []


def test_points_are_added_changed_and_taken_out(session: Session, other: Other, pull: Pull) -> None:
    other.measure["data_points"] = [point("2018-01-08"), point("2018-01-15", 30)]
    pull()
    measure = the_one(session, Measure)
    before = measure.series_revision
    other.measure["data_points"] = [point("2018-01-15", 31), point("2018-01-22", None, None)]
    assert changed_by(session, pull, other) == ["data_point.recorded"]
    found = {row.period_start: (row.numerator, row.value) for row in live(session, DataPoint)}
    assert found == {date(2018, 1, 15): (31, 31 / 60), date(2018, 1, 22): (None, None)}
    assert len(session.exec(select(DataPoint)).all()) == 3
    session.refresh(measure)
    assert measure.series_revision > before


@pytest.mark.parametrize("part", ["phases", "annotations"])
def test_what_is_marked_moves_the_chart(
    session: Session, other: Other, pull: Pull, part: str
) -> None:
    pull()
    measure = the_one(session, Measure)
    before = measure.series_revision
    other.measure[part] = []
    assert changed_by(session, pull, other) == [f"{part[:-1]}.archived"]
    session.refresh(measure)
    assert measure.series_revision == before + 1


def test_what_comes_back_is_restored(session: Session, other: Other, pull: Pull) -> None:
    pull()
    measure_id, kept = the_one(session, Measure).id, other.document["measures"]
    other.document["measures"] = []
    assert sorted(changed_by(session, pull, other)) == [
        "annotation.archived",
        "measure.archived",
        "phase.archived",
        "project.updated",  # the measure of its aim
    ]
    assert live(session, Measure) == []
    other.document["measures"] = kept
    assert sorted(changed_by(session, pull, other)) == [
        "annotation.restored",
        "measure.restored",
        "phase.restored",
        "project.updated",
    ]
    assert [row.id for row in live(session, Measure)] == [measure_id]
    assert len(live(session, DataPoint)) == 1


def _twin(measure: dict[str, Any], code: str) -> dict[str, Any]:
    identifier = "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2dff"
    parts: dict[str, Any] = {"phases": [], "annotations": [], "data_points": []}
    return measure | parts | {"id": identifier, "code": code, "is_headline": False}


def test_two_measures_change_places(session: Session, other: Other, pull: Pull) -> None:
    first = other.measure
    second = _twin(first, "second")
    other.document["measures"].append(second)
    pull()
    first["code"], second["code"] = second["code"], first["code"]
    first["is_headline"], second["is_headline"] = False, True
    assert changed_by(session, pull, other) == ["measure.updated", "measure.updated"]
    found = {(row.code, row.is_headline) for row in live(session, Measure)}
    assert found == {("second", False), ("ready-48h", True)}


def test_two_phases_change_places(session: Session, other: Other, pull: Pull) -> None:
    first = other.measure["phases"][0]
    second = first | {"id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2dfe", "starts_on": "2018-06-04"}
    other.measure["phases"].append(second | {"label": "Second"})
    pull()
    one, two = other.measure["phases"]
    one["starts_on"], two["starts_on"] = two["starts_on"], one["starts_on"]
    assert changed_by(session, pull, other) == ["phase.updated", "phase.updated"]
    found = {row.label: row.starts_on for row in live(session, Phase)}
    assert found["Second"] == date(2018, 5, 14)
    assert {row.status for row in live(session, Phase)} == {"approved"}


def test_an_older_document_changes_nothing(session: Session, other: Other, pull: Pull) -> None:
    other.renew(50)
    pull()
    (row,) = session.exec(select(ReceivedProject)).all()
    stored = row.source_revision
    other.document["title"] = "As it was before"
    other.renew(49)
    before = events_of(session)
    assert pull() == [Done()]
    session.refresh(row)
    assert row.source_revision == stored
    assert brought(session).title != "As it was before"
    assert events_of(session) == before
