"""Reads of jobs. They belong to the platform, so no programme narrows them."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.jobs.models import DeadJob, Job
from app.kit.clock import unix_ms
from app.kit.errors import NotFound
from app.kit.pagination import Page, Pager, order_by
from app.operations.jobs.schemas import DeadJobQuery, JobQuery, JobRead

_JOB_SORTS: dict[str, Any] = {"run_at": Job.run_at, "created_at": Job.created_at}
_DEAD_SORTS: dict[str, Any] = {"died_at": DeadJob.died_at, "created_at": DeadJob.created_at}


def _is_running(now: datetime) -> sa.ColumnElement[bool]:
    """Claimed, and the lease has not run out."""
    return sa.and_(col(Job.lease).is_not(None), col(Job.run_at) > unix_ms(now))


def list_jobs(
    session: Session, *, actor: Actor, query: JobQuery, pager: Pager, now: datetime
) -> Page[JobRead]:
    """A page of the jobs that wait or run, the one that is due first in front."""
    actor.require(Permission.JOB_READ)
    statement = select(Job)
    if query.queue is not None:
        statement = statement.where(Job.queue == query.queue)
    if query.kind is not None:
        statement = statement.where(Job.kind == query.kind)
    if query.state != "any":
        running = _is_running(now)
        statement = statement.where(running if query.state == "running" else sa.not_(running))
    order = order_by(query.sort, _JOB_SORTS, default="run_at", last=Job.id)
    page: Page[Job] = pager.page(session, statement, query=query, order=order)
    return page.map(lambda job: _read(job, now))


def _read(job: Job, now: datetime) -> JobRead:
    is_running = job.lease is not None and job.run_at > unix_ms(now)
    return JobRead.model_validate(
        job.model_dump() | {"state": "running" if is_running else "waiting"}
    )


def list_dead_jobs(
    session: Session, *, actor: Actor, query: DeadJobQuery, pager: Pager
) -> Page[DeadJob]:
    """A page of the jobs that were given up, the latest first."""
    actor.require(Permission.JOB_READ)
    statement = select(DeadJob)
    if query.queue is not None:
        statement = statement.where(DeadJob.queue == query.queue)
    if query.kind is not None:
        statement = statement.where(DeadJob.kind == query.kind)
    order = order_by(query.sort, _DEAD_SORTS, default="-died_at", last=DeadJob.id)
    return pager.page(session, statement, query=query, order=order)


def get_dead_job(session: Session, *, actor: Actor, dead_job_id: uuid.UUID) -> DeadJob:
    """One of them. Raises `Forbidden` for all but administrators, `NotFound` for them."""
    actor.require(Permission.JOB_READ)
    dead = session.get(DeadJob, dead_job_id)
    if dead is None:
        raise NotFound
    return dead
