"""`visible_to` as SQL: each role against rows of its team, its programme and another one."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from app.access import scope
from app.access.actor import Actor
from app.access.permissions import Permission, Role
from app.access.queries import find_actor_by_login
from app.events import outbox
from app.events.catalogue import Resource, Verb
from app.events.models import Event
from app.events.outbox import Origin
from app.identity.models import LoginSession, User
from app.kit.errors import Archived, NotFound, ReferenceNotFound
from app.kit.ids import new_id
from app.measures.models import Measure
from app.projects.models import Project
from app.teams.models import Team
from tests.builders import make_measure, make_membership, make_user
from tests.exchange import make_release
from tests.world import World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = NOW.date()
OWN, SIBLING, FOREIGN = "own team", "other team", "other programme"
ALL, PROGRAMME = {OWN, SIBLING, FOREIGN}, {OWN, SIBLING}
PROJECTS_SEEN = {
    Role.PLATFORM_ADMIN: ALL,
    Role.PROVIDER_ADMIN: PROGRAMME,
    Role.FACILITATOR: PROGRAMME,
    Role.COACH: PROGRAMME,
    Role.TEAM_LEAD: {OWN},
    Role.MEMBER: {OWN},
    Role.COMMISSIONER: set(),
    Role.OBSERVER: PROGRAMME,
    Role.INTEGRATION: PROGRAMME,
}


def actor_of(session: Session, user: User, now: datetime = NOW) -> Actor:
    login = LoginSession(user_id=user.id, expires_at=now + timedelta(hours=1))
    session.add(login)
    session.commit()
    actor = find_actor_by_login(
        session.connection(), user_id=user.id, session_id=login.id, request_id=None, now=now
    )
    assert actor is not None
    return actor


@pytest.mark.parametrize("role", Role)
def test_projects_by_role(session: Session, world: World, role: Role) -> None:
    actor = actor_of(session, world.people[role])
    rows = session.exec(scope.select_visible(actor, Project, Permission.PROJECT_READ)).all()
    named = {
        world.project.id: OWN,
        world.other_project.id: SIBLING,
        world.foreign_project.id: FOREIGN,
    }
    assert {named[row.id] for row in rows} == PROJECTS_SEEN[role]


@pytest.mark.parametrize("role", Role)
def test_measures_follow_the_owner_of_their_project(
    session: Session, world: World, role: Role
) -> None:
    projects = {OWN: world.project, SIBLING: world.other_project, FOREIGN: world.foreign_project}
    measures = {where: make_measure(session, project=row) for where, row in projects.items()}
    actor = actor_of(session, world.people[role])
    seen = {
        where
        for where, row in measures.items()
        if scope.find_visible(
            session,
            actor=actor,
            entity=type(row),
            permission=Permission.MEASURE_READ,
            row_id=row.id,
        )
    }
    assert seen == PROJECTS_SEEN[role]


@pytest.mark.parametrize("role", Role)
def test_what_is_released_is_seen_by_every_role_with_its_events(
    session: Session, world: World, role: Role
) -> None:
    for project in (world.other_project, world.foreign_project):
        make_release(session, project=project)
        make_measure(session, project=project)
        outbox.record(
            session,
            noun=Resource.MEASURE,
            verb=Verb.UPDATED,
            resource_id=project.id,
            revision=1,
            programme_id=project.programme_id,
            project_id=project.id,
            origin=Origin(),
            now=NOW,
        )
    session.commit()
    actor = actor_of(session, world.people[role])
    measures = session.exec(scope.select_visible(actor, Measure, Permission.MEASURE_READ)).all()
    statement = scope.visible_to(select(Event), actor, Event, Permission.MEASURE_READ)
    events = session.exec(statement.where(Event.type == "measure.updated")).all()
    is_admin = role is Role.PLATFORM_ADMIN
    seen = {world.other_project.id} | ({world.foreign_project.id} if is_admin else set())
    assert {row.project_id for row in measures} == seen
    assert {event.project_id for event in events} == seen


def test_somebody_without_a_role_sees_nothing(session: Session, world: World) -> None:
    assert world.stranger is not None
    actor = actor_of(session, world.stranger)
    for entity, permission in ((Project, Permission.PROJECT_READ), (Team, Permission.TEAM_READ)):
        assert session.exec(scope.select_visible(actor, entity, permission)).all() == []


def test_unknown_and_invisible_look_the_same(session: Session, world: World) -> None:
    actor = actor_of(session, world.member)
    for row_id in (world.other_project.id, world.foreign_project.id, new_id()):
        with pytest.raises(NotFound):
            scope.get_visible(
                session,
                actor=actor,
                entity=Project,
                permission=Permission.PROJECT_READ,
                row_id=row_id,
            )
        with pytest.raises(ReferenceNotFound) as refusal:
            scope.get_reference(
                session,
                actor=actor,
                entity=Project,
                permission=Permission.PROJECT_READ,
                row_id=row_id,
                field="project_id",
            )
        assert refusal.value.errors[0].pointer == "#/project_id"


def test_archived_rows_are_refused(world: World) -> None:
    world.team.archived_at = NOW
    with pytest.raises(Archived, match="team"):
        scope.refuse_archived(world.programme, world.team)
    world.team.archived_at = None
    scope.refuse_archived(world.programme, world.team)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "holds"),
    [
        (TODAY, None, True),
        (date(2017, 1, 1), TODAY + timedelta(1), True),
        (TODAY, TODAY + timedelta(1), True),
        (TODAY + timedelta(1), None, False),
        (date(2017, 1, 1), TODAY, False),
        (TODAY, TODAY, False),
    ],
)
def test_a_role_holds_from_its_first_day_until_before_its_last(
    session: Session, world: World, starts_on: date, ends_on: date | None, holds: bool
) -> None:
    user = make_user(session)
    make_membership(
        session,
        user=user,
        role=Role.OBSERVER,
        programme=world.programme,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    actor = actor_of(session, user)
    assert bool(actor.grants) is holds
    assert bool(actor.span(Permission.PROJECT_READ)) is holds


def test_days_are_those_of_utc(session: Session, world: World) -> None:
    user = make_user(session)
    make_membership(
        session, user=user, role=Role.OBSERVER, programme=world.programme, starts_on=TODAY
    )
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    assert actor_of(session, user, midnight).grants
    assert not actor_of(session, user, midnight - timedelta(seconds=1)).grants
