"""What is told of the job table: what is due, what runs, what was given up. One statement each."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from app.jobs.models import DeadJob, Job
from app.kit.metrics import Sample, Stated

DUE, AGE, RUNNING, WAITING, DEAD = (
    "openqi_jobs_due",
    "openqi_jobs_oldest_due_seconds",
    "openqi_jobs_running",
    "openqi_jobs_waiting",
    "openqi_jobs_dead",
)
GAUGES = (
    Stated(DUE, "Jobs that nobody has taken although they are due.", ("queue",)),
    Stated(AGE, "How long the oldest of them has been due.", ("queue",)),
    Stated(RUNNING, "Jobs that a worker holds.", ("queue",)),
    Stated(WAITING, "Jobs of a later time, retries among them.", ("queue",)),
    Stated(DEAD, "Jobs that were given up and are kept.", ("queue",)),
)


def read_jobs(session: Session, now: datetime) -> Iterator[Sample]:
    """The figures by queue. A claim moves `run_at` on, so what is held is never due."""
    instant = int(now.timestamp() * 1000)
    is_due, is_held = col(Job.run_at) <= instant, col(Job.lease).is_not(None)
    statement = sa.select(
        col(Job.queue),
        sa.func.count().filter(is_due),
        sa.func.min(col(Job.run_at)),
        sa.func.count().filter(~is_due, is_held),
        sa.func.count().filter(~is_due, ~is_held),
    ).group_by(col(Job.queue))
    for queue, due, first, running, waiting in session.execute(statement):
        yield Sample(DUE, (queue,), due)
        yield Sample(AGE, (queue,), max(0, instant - first) / 1000)
        yield Sample(RUNNING, (queue,), running)
        yield Sample(WAITING, (queue,), waiting)
    dead = sa.select(col(DeadJob.queue), sa.func.count()).group_by(col(DeadJob.queue))
    for queue, count in session.execute(dead):
        yield Sample(DEAD, (queue,), count)


def oldest_due(session: Session, now: datetime) -> Mapping[str, float]:
    """Of each queue with work that is due, for how many seconds its oldest has been."""
    instant = int(now.timestamp() * 1000)
    statement = (
        sa.select(col(Job.queue), sa.func.min(col(Job.run_at)))
        .where(col(Job.run_at) <= instant)
        .group_by(col(Job.queue))
    )
    return {queue: (instant - first) / 1000 for queue, first in session.execute(statement)}
