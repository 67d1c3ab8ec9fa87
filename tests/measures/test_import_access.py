"""On whose behalf an import writes: whoever asked for it, with the roles and the token of now."""

from collections.abc import Callable

import pytest
from sqlmodel import Session, col, select

from app.access.models import Membership
from app.access.permissions import Role
from app.events.models import Event
from app.kit.clock import utc_now
from app.kit.db import Database
from app.measures.models import Measure
from app.operations.running import operator
from tests.builders import make_measure
from tests.calling import Caller
from tests.jobs.draining import drain
from tests.measures.bodies import refused
from tests.measures.importing import RUNNERS, count_points, csv_of, load, points, post
from tests.operations.bodies import ended, work_off
from tests.world import World

Call = Callable[..., Caller]
MAY = {
    Role.PLATFORM_ADMIN,
    Role.PROVIDER_ADMIN,
    Role.FACILITATOR,
    Role.COACH,
    Role.TEAM_LEAD,
    Role.MEMBER,
    Role.INTEGRATION,
}


@pytest.fixture
def measure(session: Session, world: World) -> Measure:
    return make_measure(session, project=world.project)


def test_who_may_import(call: Call, world: World, measure: Measure, database: Database) -> None:
    for role, user in world.people.items():
        caller = call(user)
        response = post(caller, measure, csv_of(points(2)))
        if role in MAY:
            work_off(database, RUNNERS)
            assert ended(caller, response)["state"] == "succeeded", role
        else:
            refused(
                response, *((404, "not_found") if role is Role.COMMISSIONER else (403, "forbidden"))
            )


def test_another_programme(call: Call, world: World, session: Session) -> None:
    foreign = make_measure(session, project=world.foreign_project)
    refused(post(call(world.facilitator), foreign, csv_of(points(2))), 404, "not_found")


def test_a_token_needs_its_scopes(
    call: Call, world: World, measure: Measure, database: Database, session: Session
) -> None:
    login = call(world.member)
    reader = login.with_token("measure:read", "project:read")
    refused(post(reader, measure, csv_of(points(2))), 403, "scope_insufficient")
    writer = login.with_token("measure:read", "data_point:write")
    done = load(writer, database, measure, csv_of(points(2)))
    assert done["state"] == "succeeded"
    token_ids = session.exec(
        select(Event.token_id).where(
            col(Event.type).in_(["data_point.recorded", "operation.finished"])
        )
    ).all()
    assert len(token_ids) == 2
    assert None not in token_ids


def test_a_role_that_ends_meanwhile(
    call: Call, world: World, measure: Measure, database: Database, session: Session
) -> None:
    member = call(world.member)
    response = post(member, measure, csv_of(points(1_400)))
    pauses = iter(range(1, 100))

    def pause(_seconds: float) -> None:
        if next(pauses) == 3:  # the permission is checked first, then come the batches
            statement = select(Membership).where(Membership.user_id == world.member.id)
            session.exec(statement).one().ends_on = utc_now().date()
            session.commit()

    drain(database, [operator(RUNNERS, database=database, pause=pause)])
    done = ended(member, response)
    assert (done["state"], done["error"]["code"]) == ("failed", "forbidden")
    assert done["progress"] == {"done": 1_000, "total": 1_400}
    assert count_points(session, measure) == 1_000


def test_a_role_that_ends_before_it_starts(
    call: Call, world: World, measure: Measure, database: Database, session: Session
) -> None:
    member = call(world.member)
    response = post(member, measure, csv_of(points(3)))
    statement = select(Membership).where(Membership.user_id == world.member.id)
    session.exec(statement).one().role = Role.TEAM_LEAD  # another role that may
    session.commit()
    work_off(database, RUNNERS)
    assert ended(member, response)["state"] == "succeeded"
    response = post(member, measure, csv_of(points(5)))
    held = session.exec(statement).one()
    held.role, held.team_id = Role.OBSERVER, None
    session.commit()
    work_off(database, RUNNERS)
    done = ended(member, response)
    assert (done["state"], done["error"]["code"]) == ("failed", "forbidden")
    assert count_points(session, measure) == 3


def test_two_programmes_and_a_bound_token(
    call: Call, world: World, measure: Measure, database: Database
) -> None:
    token = call(world.admin).with_token(
        "measure:read", "data_point:write", "project:read", programme_id=world.programme.id
    )
    assert load(token, database, measure, csv_of(points(2)))["state"] == "succeeded"
