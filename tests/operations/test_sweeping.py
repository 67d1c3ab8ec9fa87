"""What is forgotten, and what is ended because nobody runs it."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.jobs.handlers import Done, Work
from app.jobs.models import Job
from app.jobs.schedules import next_tick
from app.kit.clock import utc_now
from app.kit.db import Database
from app.operations import sweeping
from app.operations.models import Operation, OperationInput, OperationState
from app.operations.sweeping import NIGHTLY, SWEEP, sweeper
from tests.exchange import make_operation
from tests.operations.bodies import KIND, counting, work_off
from tests.world import World

WORK = Work(1, SWEEP.name, "", {}, 1, 0)


def sweep(database: Database, *, days: float = 0.0) -> None:
    later = utc_now() + timedelta(days=days)
    assert sweeper(database=database, clock=lambda: later).run(WORK) == Done()


def left(session: Session) -> set[Any]:
    session.expire_all()
    return set(session.exec(select(Operation.id)))


def test_it_is_kept_for_seven_days_after_its_end(
    session: Session, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "_AT_ONCE", 2)
    ids = {
        make_operation(session, programme=world.programme, owner=world.member).id for _ in range(5)
    }
    work_off(database, {KIND: counting(1)})
    sweep(database, days=6.9)
    assert left(session) == ids
    waits = make_operation(session, programme=world.programme, owner=world.member).id
    session.add(OperationInput(operation_id=waits, media_type="text/csv", content=b""))
    session.commit()
    sweep(database, days=7.1)
    assert left(session) == {waits}
    assert session.exec(select(OperationInput.operation_id)).all() == [waits]


def test_one_whose_job_is_gone_has_failed(
    session: Session, world: World, database: Database
) -> None:
    states = (OperationState.PENDING, OperationState.RUNNING)
    stranded = {
        make_operation(session, programme=world.programme, owner=world.member, state=state).id
        for state in states
    }
    session.execute(sa.delete(Job).where(col(Job.kind) == "operation.run"))
    waits = make_operation(session, programme=world.programme, owner=world.member).id
    sweep(database)
    session.expire_all()
    found = {row.id: row for row in session.exec(select(Operation))}
    assert found[waits].state is OperationState.PENDING
    for operation_id in stranded:
        row = found[operation_id]
        assert row.state is OperationState.FAILED
        assert row.error is not None
        assert row.error["code"] == "internal_error"
        assert row.finished_at is not None


def test_it_returns_every_night() -> None:
    first = next_tick(NIGHTLY.cron, NIGHTLY.tz, 0)
    assert next_tick(NIGHTLY.cron, NIGHTLY.tz, first) - first == 86_400_000
