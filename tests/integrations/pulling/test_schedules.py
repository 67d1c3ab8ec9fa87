"""Every night all connections ask for what is shared with them."""

from typing import Any

import pytest
from sqlmodel import Session, select

from app.integrations.models import Integration, IntegrationState, Platform
from app.integrations.pulling.schedules import NIGHTLY, REFRESH, refresher
from app.jobs.actions import enqueue
from app.jobs.models import Job
from app.jobs.schedules import next_tick
from app.kit.clock import utc_now
from app.kit.db import Database
from tests.exchange import make_openqi_integration
from tests.jobs.draining import drain
from tests.world import World


def _asked(session: Session, database: Database) -> list[dict[str, Any]]:
    enqueue(session, REFRESH, {})
    session.commit()
    drain(database, [refresher()])
    jobs = session.exec(select(Job).where(Job.kind == "integration.pull"))
    return [dict(job.args) for job in jobs]


def test_each_connection_asks_for_everything(
    session: Session, database: Database, integration: Integration, world: World
) -> None:
    second = make_openqi_integration(
        session, programme=world.other_programme, base_url="https://second.example"
    )
    make_openqi_integration(session, programme=world.programme)  # it only hears
    for _ in range(2):  # what waits is not asked for twice
        asked = _asked(session, database)
        ids = sorted(row.id.hex for row in (integration, second))
        assert sorted(asked, key=str) == [{"integration_id": each} for each in ids]


@pytest.mark.parametrize(
    "change",
    [
        {"state": IntegrationState.PAUSED},
        {"archived_at": utc_now()},
        {"base_url": None},
        {"platform": Platform.GENERIC},
    ],
)
def test_what_cannot_fetch_does_not_ask(
    session: Session, database: Database, integration: Integration, change: dict[str, Any]
) -> None:
    integration.sqlmodel_update(change)
    session.add(integration)
    assert _asked(session, database) == []


def test_an_archived_programme_is_left_alone(
    session: Session, database: Database, integration: Integration, world: World
) -> None:
    world.programme.archived_at = utc_now()
    session.add(world.programme)
    assert _asked(session, database) == []


def test_it_comes_once_a_day() -> None:
    first = next_tick(NIGHTLY.cron, NIGHTLY.tz, 0)
    assert next_tick(NIGHTLY.cron, NIGHTLY.tz, first) - first == 86_400_000
