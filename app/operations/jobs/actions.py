"""Puts a job back that was given up."""

import uuid

import structlog
from sqlmodel import Session

from app.access.actor import Actor
from app.access.permissions import Permission
from app.jobs import actions
from app.operations.jobs import queries

log = structlog.get_logger()


def retry_dead_job(session: Session, *, actor: Actor, dead_job_id: uuid.UUID) -> None:
    """It waits again, with all its attempts; if the same is waiting already, that stands for it."""
    dead = queries.get_dead_job(session, actor=actor, dead_job_id=dead_job_id)
    actor.require(Permission.JOB_WRITE)
    actions.retry_dead_job(session, dead)
    log.info("dead_job_retried", job_id=dead.job_id, kind=dead.kind, by=str(actor.user_id))
