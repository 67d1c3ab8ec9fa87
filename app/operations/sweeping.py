"""Tidies up nightly: forgets operations after their time, and ends those that nobody runs."""

from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.jobs.handlers import Done, InThread, Outcome, Work
from app.jobs.kinds import Kind
from app.jobs.models import Job
from app.jobs.schedules import Cron
from app.kit.clock import utc_now
from app.kit.db import Database
from app.operations.actions import finish, job_key
from app.operations.models import Operation, OperationState
from app.operations.running import broken

SWEEP = Kind("operation.sweep", queue="cron")
NIGHTLY = Cron("operation.sweep", SWEEP, "37 3 * * *")
_AT_ONCE = 500


def sweeper(*, database: Database, clock: Callable[[], datetime] = utc_now) -> InThread:
    """The handler of `operation.sweep`."""

    def run(_work: Work) -> Outcome:
        now = clock()
        with database.transaction() as session:
            _end_stranded(session, now)
        while True:
            with database.transaction() as session:
                if _forget(session, now) < _AT_ONCE:
                    return Done()

    return InThread(SWEEP, run)


def _end_stranded(session: Session, now: datetime) -> None:
    """A job that kills its worker each time dies without a word; its operation must not hang.

    An operation ends before its job goes, so an unfinished one without a job is nobody's.
    """
    unfinished = select(Operation).where(
        col(Operation.state).in_([OperationState.PENDING, OperationState.RUNNING])
    )
    rows = session.exec(unfinished.with_for_update(skip_locked=True)).all()
    keys = {job_key(row.id): row for row in rows}
    for start in range(0, len(keys), _AT_ONCE):
        some = list(keys)[start : start + _AT_ONCE]
        waiting = set(session.exec(select(Job.key).where(col(Job.key).in_(some))))
        for key in some:
            if key not in waiting:
                finish(session, keys[key], state=OperationState.FAILED, now=now, error=broken())


def _forget(session: Session, now: datetime) -> int:
    over = (
        select(Operation.id)
        .where(col(Operation.expires_at) < now, col(Operation.finished_at).is_not(None))
        .limit(_AT_ONCE)
    )
    ids = session.exec(over).all()
    session.execute(sa.delete(Operation).where(col(Operation.id).in_(ids)))
    return len(ids)
