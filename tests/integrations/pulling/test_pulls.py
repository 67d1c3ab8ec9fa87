"""Asking for a fetch: who may, of which connection, and that it waits once."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlmodel import Session, select

from app.access.permissions import Role
from app.integrations.models import Integration, IntegrationState, Platform
from app.jobs.models import Job
from app.kit.clock import utc_now
from app.kit.db import Database
from tests.calling import Caller
from tests.contract.operations import SOME_ID
from tests.exchange import make_openqi_integration
from tests.jobs.draining import waiting
from tests.world import World

Call = Callable[..., Caller]


@pytest.fixture
def connection_to(session: Session, world: World) -> Integration:
    return make_openqi_integration(
        session,
        programme=world.programme,
        owner_id=world.facilitator.id,
        base_url="https://qi.example.org",
    )


def test_one_project_or_all_of_them(
    call: Call, world: World, database: Database, session: Session, connection_to: Integration
) -> None:
    caller, path = call(world.facilitator), f"/integrations/{connection_to.id}/pulls"
    for body in ({"project_id": SOME_ID}, {}, {}):
        answer = caller.post(path, body)
        assert answer.status_code == 202, answer.text
        assert answer.json()["integration_id"] == str(connection_to.id)
        assert answer.json()["project_id"] == body.get("project_id")
    assert waiting(database, "integration.pull") == 2
    jobs = session.exec(select(Job).where(Job.kind == "integration.pull")).all()
    assert {job.queue for job in jobs} == {"pull"}
    assert {job.lane for job in jobs} == {f"integration:{connection_to.id.hex}"}
    assert [job.args for job in jobs if "project_id" in job.args] == [
        {"integration_id": connection_to.id.hex, "project_id": SOME_ID.replace("-", "")}
    ]


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.PROVIDER_ADMIN, 202),
        (Role.TEAM_LEAD, 404),
        (Role.OBSERVER, 404),
        (Role.COMMISSIONER, 404),
        (Role.INTEGRATION, 404),
    ],
)
def test_who_may_ask(
    call: Call, world: World, connection_to: Integration, role: Role, status: int
) -> None:
    path = f"/integrations/{connection_to.id}/pulls"
    assert call(world.people[role]).post(path, {}).status_code == status


def test_a_token_that_only_reads_may_not(
    call: Call, world: World, connection_to: Integration
) -> None:
    caller = call(world.facilitator).with_token("integration:read")
    assert caller.post(f"/integrations/{connection_to.id}/pulls", {}).status_code == 403


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"base_url": None}, "not_pullable"),
        ({"platform": Platform.GENERIC}, "not_pullable"),
        ({"state": IntegrationState.PAUSED}, "not_pullable"),
        ({"archived_at": utc_now()}, "archived"),
    ],
)
def test_what_cannot_fetch_says_so(
    call: Call,
    world: World,
    database: Database,
    session: Session,
    connection_to: Integration,
    change: dict[str, Any],
    code: str,
) -> None:
    connection_to.sqlmodel_update(change)
    session.add(connection_to)
    session.commit()
    answer = call(world.facilitator).post(f"/integrations/{connection_to.id}/pulls", {})
    assert answer.status_code == 409
    assert answer.json()["code"] == code
    assert waiting(database, "integration.pull") == 0
