"""What a fetch stores: rows of our own, changes alone, nothing that is older, and what is gone."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select

from app.access.models import Membership
from app.access.permissions import Role
from app.events.models import Event
from app.identity.models import User
from app.integrations.actions import ask_for_pulls
from app.integrations.models import Integration
from app.jobs.handlers import Done
from app.kit.clock import utc_now
from app.kit.db import Database
from app.measures.models import Annotation, DataPoint, Measure, Phase
from app.pdsa.models import PDSACycle
from app.projects.models import Project
from app.references.models import ExternalReference
from app.sharing.models import ReceivedProject
from tests.builders import make_measure, make_project, make_team
from tests.calling import Caller
from tests.exchange import make_openqi_integration
from tests.integrations.pulling.conftest import Pull
from tests.integrations.pulling.fetching import fetch, said
from tests.integrations.pulling.other import Other, point
from tests.world import World

Call = Callable[..., Caller]


def _project(session: Session) -> Project:
    (row,) = session.exec(select(ReceivedProject)).all()
    return session.get_one(Project, row.project_id)


def _one(session: Session, entity: Any) -> Any:
    statement = select(entity).where(entity.project_id == _project(session).id)
    return session.exec(statement).one()


def _live(session: Session, entity: Any) -> list[Any]:
    statement = select(entity).where(
        entity.project_id == _project(session).id, entity.archived_at.is_(None)
    )
    return list(session.exec(statement))


def _events(session: Session) -> list[str]:
    statement = select(Event).where(col(Event.project_id) == _project(session).id)
    return sorted(event.type for event in session.exec(statement))


def _changes(session: Session, pull: Pull, other: Other) -> list[str]:
    """The events of the next fetch, after `other` was changed."""
    before = _events(session)
    other.renew()
    assert pull() == [Done()]
    after = _events(session)
    for name in before:
        after.remove(name)
    return after


def test_everything_gets_an_identifier_here_and_a_reference_to_theirs(
    session: Session, world: World, integration: Integration, other: Other, pull: Pull
) -> None:
    assert pull() == [Done()]
    project = _project(session)
    assert project.programme_id == world.programme.id
    assert project.team_id is None
    assert project.title == other.document["title"]
    assert project.created_by == integration.owner_id
    measure, cycle = _one(session, Measure), _one(session, PDSACycle)
    assert project.aim is not None
    assert project.aim["measure_id"] == str(measure.id)
    phase, annotation = _one(session, Phase), _one(session, Annotation)
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
    assert _events(session) == [
        "annotation.created",
        "data_point.recorded",
        "measure.created",
        "pdsa_cycle.created",
        "phase.created",
        "project.created",
    ]
    events = session.exec(select(Event).where(col(Event.project_id) == _project(session).id)).all()
    assert {event.origin for event in events} == {address}
    assert all(f'"origin":"{address}"' in event.payload for event in events)
    before = len(events)
    assert pull() == [Done()]
    assert len(_events(session)) == before


def test_the_project_says_where_it_came_from(
    call: Call, world: World, session: Session, other: Other, pull: Pull, address: str
) -> None:
    pull()
    project = _project(session)
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
    path = f"/projects/{_project(session).id}"
    for role in (Role.MEMBER, Role.COMMISSIONER, Role.COACH):
        assert call(world.people[role]).get(path).status_code == 200, role
    assert call(world.stranger).get(path).status_code == 404
    assert call(world.stranger).ok("/shared/projects")["items"] == []


def test_only_what_differs_is_written(session: Session, other: Other, pull: Pull) -> None:
    pull()
    other.document["title"] = "Ready on the day"
    assert _changes(session, pull, other) == ["project.updated"]
    assert _project(session).title == "Ready on the day"
    other.document["state"] = "completed"
    assert _changes(session, pull, other) == ["project.state_changed"]
    other.document["pdsa_cycles"][0]["state"] = "cancelled"
    assert _changes(session, pull, other) == ["pdsa_cycle.state_changed"]
    other.measure["annotations"][0]["text"] = "Second morning"
    assert _changes(session, pull, other) == ["annotation.updated"]
    other.measure["name"] = "Ready within a day"
    assert _changes(session, pull, other) == ["measure.updated"]
    assert _changes(session, pull, other) == []


def test_points_are_added_changed_and_taken_out(session: Session, other: Other, pull: Pull) -> None:
    other.measure["data_points"] = [point("2018-01-08"), point("2018-01-15", 30)]
    pull()
    measure = _one(session, Measure)
    before = measure.series_revision
    other.measure["data_points"] = [point("2018-01-15", 31), point("2018-01-22", None, None)]
    assert _changes(session, pull, other) == ["data_point.recorded"]
    found = {row.period_start: (row.numerator, row.value) for row in _live(session, DataPoint)}
    assert found == {date(2018, 1, 15): (31, 31 / 60), date(2018, 1, 22): (None, None)}
    assert len(session.exec(select(DataPoint)).all()) == 3
    session.refresh(measure)
    assert measure.series_revision > before


@pytest.mark.parametrize("part", ["phases", "annotations"])
def test_what_is_marked_moves_the_chart(
    session: Session, other: Other, pull: Pull, part: str
) -> None:
    pull()
    measure = _one(session, Measure)
    before = measure.series_revision
    other.measure[part] = []
    assert _changes(session, pull, other) == [f"{part[:-1]}.archived"]
    session.refresh(measure)
    assert measure.series_revision == before + 1


def test_what_comes_back_is_restored(session: Session, other: Other, pull: Pull) -> None:
    pull()
    measure_id, kept = _one(session, Measure).id, other.document["measures"]
    other.document["measures"] = []
    assert sorted(_changes(session, pull, other)) == [
        "annotation.archived",
        "measure.archived",
        "phase.archived",
        "project.updated",  # the measure of its aim
    ]
    assert _live(session, Measure) == []
    other.document["measures"] = kept
    assert sorted(_changes(session, pull, other)) == [
        "annotation.restored",
        "measure.restored",
        "phase.restored",
        "project.updated",
    ]
    assert [row.id for row in _live(session, Measure)] == [measure_id]
    assert len(_live(session, DataPoint)) == 1


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
    assert _changes(session, pull, other) == ["measure.updated", "measure.updated"]
    found = {(row.code, row.is_headline) for row in _live(session, Measure)}
    assert found == {("second", False), ("ready-48h", True)}


def test_two_phases_change_places(session: Session, other: Other, pull: Pull) -> None:
    first = other.measure["phases"][0]
    second = first | {"id": "0193a0c2-7d7e-7bd0-9c7b-0f6a3b1c2dfe", "starts_on": "2018-06-04"}
    other.measure["phases"].append(second | {"label": "Second"})
    pull()
    one, two = other.measure["phases"]
    one["starts_on"], two["starts_on"] = two["starts_on"], one["starts_on"]
    assert _changes(session, pull, other) == ["phase.updated", "phase.updated"]
    found = {row.label: row.starts_on for row in _live(session, Phase)}
    assert found["Second"] == date(2018, 5, 14)
    assert {row.status for row in _live(session, Phase)} == {"approved"}


def test_an_older_document_changes_nothing(session: Session, other: Other, pull: Pull) -> None:
    other.renew(50)
    pull()
    (row,) = session.exec(select(ReceivedProject)).all()
    stored = row.source_revision
    other.document["title"] = "As it was before"
    other.renew(49)
    before = _events(session)
    assert pull() == [Done()]
    session.refresh(row)
    assert row.source_revision == stored
    assert _project(session).title != "As it was before"
    assert _events(session) == before


def test_what_is_withdrawn_is_hidden_kept_and_comes_back(
    call: Call, world: World, session: Session, other: Other, pull: Pull
) -> None:
    pull()
    path = f"/projects/{_project(session).id}"
    member = call(world.member)
    other.is_withdrawn = True
    assert _changes(session, pull, other) == ["project.archived"]
    assert member.get(path).status_code == 404
    kept = call(world.facilitator).ok(path)
    assert kept["archived_at"] is not None
    assert kept["provenance"]["withdrawn_at"] is not None
    assert len(_live(session, DataPoint)) == 1
    assert _changes(session, pull, other) == []
    other.is_withdrawn = False
    assert _changes(session, pull, other) == ["project.restored"]
    assert member.ok(path)["provenance"]["withdrawn_at"] is None


def test_it_comes_back_with_the_same_revision_too(
    session: Session, other: Other, pull: Pull
) -> None:
    pull()
    other.is_withdrawn = True
    pull()
    other.is_withdrawn = False
    assert pull() == [Done()]
    assert _project(session).archived_at is None


def test_an_owner_without_the_right_brings_nothing_but_takes_back(
    session: Session, world: World, integration: Integration, other: Other, pull: Pull
) -> None:
    pull()
    statement = select(Membership).where(Membership.user_id == integration.owner_id)
    membership = session.exec(statement).one()
    membership.ends_on = date(2018, 1, 1)
    session.add(membership)
    other.document["title"] = "Other"
    other.renew()
    assert "owner" in said(pull())
    other.is_withdrawn = True
    assert pull() == [Done()]
    assert _project(session).archived_at is not None


@pytest.mark.parametrize("scopes", [[], ["project:read"], ["project:write", "measure:write"]])
def test_the_scopes_of_the_connection_bound_it(
    session: Session, integration: Integration, pull: Pull, scopes: list[str]
) -> None:
    integration.scopes = scopes
    session.add(integration)
    assert "owner" in said(pull())


def test_an_owner_who_is_disabled_brings_nothing(
    session: Session, integration: Integration, pull: Pull
) -> None:
    owner = session.get_one(User, integration.owner_id)
    owner.disabled_at = utc_now()
    session.add(owner)
    assert "owner" in said(pull())


def test_an_archived_programme_takes_nothing(session: Session, world: World, pull: Pull) -> None:
    world.programme.archived_at = utc_now()
    session.add(world.programme)
    assert "archived" in said(pull())


def test_a_project_of_this_server_is_not_received(
    session: Session, world: World, other: Other, pull: Pull
) -> None:
    for where in (other.document, other.document["provenance"]):
        where["id" if "id" in where else "project_id"] = str(world.project.id)
    assert said(pull()) == "It is a project of this server."


def test_a_document_cannot_reach_into_other_projects(
    session: Session, world: World, integration: Integration, other: Other, pull: Pull
) -> None:
    own = make_measure(session, project=world.project, name="Ours")
    session.add(
        ExternalReference(
            programme_id=world.programme.id,
            resource_type="measure",
            resource_id=own.id,
            system=integration.system,
            external_id=other.measure["id"],
            created_at=utc_now(),
        )
    )
    session.commit()
    assert "another project here" in said(pull())
    session.refresh(own)
    assert own.name == "Ours"
    assert session.exec(select(ReceivedProject)).all() == []


def test_a_second_connection_of_the_same_name_does_not_bring_it_twice(
    session: Session,
    database: Database,
    world: World,
    integration: Integration,
    other: Other,
    pull: Pull,
) -> None:
    pull()
    second = make_openqi_integration(
        session,
        programme=world.programme,
        owner_id=integration.owner_id,
        base_url=integration.base_url,
    )
    ask_for_pulls(session, second, [other.project_id])
    session.commit()
    assert "Another connection" in said(fetch(database))


def test_another_programme_may_have_it_too(
    session: Session,
    database: Database,
    world: World,
    integration: Integration,
    pull: Pull,
    other: Other,
) -> None:
    pull()
    elsewhere = make_openqi_integration(
        session,
        programme=world.other_programme,
        owner_id=world.admin.id,
        base_url=integration.base_url,
    )
    ask_for_pulls(session, elsewhere, [other.project_id])
    session.commit()
    assert fetch(database) == [Done()]
    assert len(session.exec(select(ReceivedProject)).all()) == 2


def test_own_projects_have_no_provenance(call: Call, world: World, session: Session) -> None:
    own = make_project(session, team=make_team(session, programme=world.programme))
    assert call(world.facilitator).ok(f"/projects/{own.id}")["provenance"] is None


def test_a_project_without_its_reference_gets_no_stray_one(
    session: Session, other: Other, pull: Pull
) -> None:
    pull()
    statement = select(ExternalReference).where(ExternalReference.resource_type == "project")
    session.delete(session.exec(statement).one())
    session.commit()
    other.renew()
    assert pull() == [Done()]
    assert {row.resource_id for row in session.exec(statement)} <= {_project(session).id}
