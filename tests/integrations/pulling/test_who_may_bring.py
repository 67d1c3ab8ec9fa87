"""Whose rights bring a project here, how it goes away again, and what it cannot reach."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlmodel import Session, select

from app.access.models import Membership
from app.identity.models import User
from app.integrations.actions import ask_for_pulls
from app.integrations.models import Integration
from app.jobs.handlers import Done
from app.kit.clock import utc_now
from app.kit.db import Database
from app.measures.models import DataPoint
from app.references.models import ExternalReference
from app.sharing.models import ReceivedProject
from tests.builders import make_measure, make_project, make_team
from tests.calling import Caller
from tests.exchange import make_openqi_integration
from tests.integrations.pulling.conftest import Pull
from tests.integrations.pulling.fetching import fetch, said
from tests.integrations.pulling.kept import brought, changed_by, live
from tests.integrations.pulling.other import Other
from tests.world import World

Call = Callable[..., Caller]


def test_what_is_withdrawn_is_hidden_kept_and_comes_back(
    call: Call, world: World, session: Session, other: Other, pull: Pull
) -> None:
    pull()
    path = f"/projects/{brought(session).id}"
    member = call(world.member)
    other.is_withdrawn = True
    assert changed_by(session, pull, other) == ["project.archived"]
    assert member.get(path).status_code == 404
    kept = call(world.facilitator).ok(path)
    assert kept["archived_at"] is not None
    assert kept["provenance"]["withdrawn_at"] is not None
    assert len(live(session, DataPoint)) == 1
    assert changed_by(session, pull, other) == []
    other.is_withdrawn = False
    assert changed_by(session, pull, other) == ["project.restored"]
    assert member.ok(path)["provenance"]["withdrawn_at"] is None


def test_it_comes_back_with_the_same_revision_too(
    session: Session, other: Other, pull: Pull
) -> None:
    pull()
    other.is_withdrawn = True
    pull()
    other.is_withdrawn = False
    assert pull() == [Done()]
    assert brought(session).archived_at is None


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
    assert brought(session).archived_at is not None


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
    assert {row.resource_id for row in session.exec(statement)} <= {brought(session).id}
