"""Readiness: what keeps a process from serving, and what is but a warning."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from app.jobs.models import Job
from app.kit.clock import utc_now
from app.kit.db import Database
from app.main import OpenQI
from tests.calling import Caller


def _due(session: Session, queue: str, seconds: float, **over: Any) -> None:
    instant = int((utc_now() - timedelta(seconds=seconds)).timestamp() * 1000)
    values: dict[str, Any] = {"queue": queue, "kind": "test.kind", "run_at": instant}
    session.add(Job(created_at=instant, **(values | over)))
    session.commit()


@pytest.fixture
def caller(call: Callable[..., Caller]) -> Caller:
    return call()


def test_without_work_there_is_nothing_to_tell(caller: Caller) -> None:
    response = caller.get("/health/ready")
    assert response.json() == {"status": "ok", "reasons": [], "warnings": [], "worker": {}}
    assert response.headers["Cache-Control"] == "no-store"
    assert caller.ok("/health/live") == {"status": "ok", "reasons": []}


def test_a_worker_that_keeps_up_is_no_news(caller: Caller, session: Session) -> None:
    _due(session, "webhook", 5)
    _due(session, "webhook", 3)
    _due(session, "mail", -300)
    health = caller.ok("/health/ready")
    assert (health["status"], health["warnings"]) == ("ok", [])
    assert health["worker"] == {"webhook": pytest.approx(5, abs=5)}


def test_a_worker_that_is_behind_is_a_warning_and_takes_no_replica_away(
    caller: Caller, session: Session
) -> None:
    _due(session, "webhook", 90)
    _due(session, "mail", 1)
    health = caller.ok("/health/ready")
    assert (health["status"], health["reasons"]) == ("ok", [])
    assert health["warnings"] == ["worker_behind"]
    assert health["worker"] == {
        "webhook": pytest.approx(90, abs=10),
        "mail": pytest.approx(1, abs=10),
    }


def test_a_schema_of_another_version_is_a_reason(caller: Caller, session: Session) -> None:
    session.execute(sa.text("UPDATE alembic_version SET version_num = 'of_the_future'"))
    session.commit()
    response = caller.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "reasons": ["schema_not_current"],
        "warnings": [],
        "worker": {},
    }


def test_a_database_that_is_away_is_a_reason(app: OpenQI, caller: Caller) -> None:
    app.state.database = Database("postgresql://nobody@127.0.0.1:1/none")
    response = caller.get("/health/ready")
    assert response.status_code == 503
    assert response.json()["reasons"] == ["database_unreachable"]
    assert "nobody" not in response.text
    assert caller.get("/health/live").status_code == 200
    app.state.database.dispose()
