"""Routes of what projects have attained, one by one and for a whole programme."""

import uuid
from typing import Annotated

from fastapi import Query

from app.access.dependencies import CurrentActor
from app.analytics.summaries.dependencies import CurrentStore
from app.kit.dependencies import CurrentPager, Now, ReadSession
from app.kit.routing import Router
from app.progress.results import queries
from app.progress.results.schemas import AnalyticsQuery, ProgrammeAnalytics, ProjectAttainment

router = Router()


@router.get(
    "/programmes/{programme_id}/analytics",
    tags=["programmes"],
    summary="Get the results of a programme's projects",
)
def get_programme_analytics(
    programme_id: uuid.UUID,
    query: Annotated[AnalyticsQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
    store: CurrentStore,
    now: Now,
) -> ProgrammeAnalytics:
    """Each project that you can see with its headline series and the attainment of its aim.

    The totals count all of them, whatever the filters. Charts are computed only of series that
    have changed since somebody last asked.
    """
    return queries.get_programme_analytics(
        session,
        actor=actor,
        programme_id=programme_id,
        query=query,
        pager=pager,
        store=store,
        now=now,
    )


@router.get(
    "/projects/{project_id}/attainment",
    tags=["projects"],
    summary="Get how far a project's aim is attained",
)
def get_project_attainment(
    project_id: uuid.UUID,
    actor: CurrentActor,
    session: ReadSession,
    store: CurrentStore,
    now: Now,
) -> ProjectAttainment:
    """From the centre lines of the first and of the present phase of the measure of the aim."""
    return queries.get_project_attainment(
        session, actor=actor, project_id=project_id, store=store, now=now
    )
