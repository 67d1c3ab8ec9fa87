"""Routes of jobs, for administrators of the platform."""

import uuid
from typing import Annotated

from fastapi import Query

from app.access.dependencies import CurrentActor
from app.kit.dependencies import CurrentPager, Now, ReadSession, WriteSession
from app.kit.pagination import Page
from app.kit.routing import Router
from app.operations.jobs import actions, queries
from app.operations.jobs.schemas import DeadJobQuery, DeadJobRead, JobQuery, JobRead

router = Router(tags=["jobs"])


@router.get("/jobs", summary="List jobs")
def list_jobs(
    query: Annotated[JobQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
    now: Now,
) -> Page[JobRead]:
    """Background work that waits or runs; what is due first stands in front."""
    return queries.list_jobs(session, actor=actor, query=query, pager=pager, now=now)


@router.get("/dead-jobs", summary="List dead jobs")
def list_dead_jobs(
    query: Annotated[DeadJobQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[DeadJobRead]:
    """Background work that was given up after all its attempts, the latest first."""
    page = queries.list_dead_jobs(session, actor=actor, query=query, pager=pager)
    return page.map(DeadJobRead.model_validate)


@router.post("/dead-jobs/{dead_job_id}/retry", status_code=204, summary="Retry a dead job")
def retry_dead_job(dead_job_id: uuid.UUID, actor: CurrentActor, session: WriteSession) -> None:
    """It waits again with all its attempts, and leaves the list. Mend first what made it fail."""
    actions.retry_dead_job(session, actor=actor, dead_job_id=dead_job_id)
