"""Routes of what the charts of many measures say, in a line each."""

import uuid
from typing import Annotated

from fastapi import Query

from app.access.dependencies import CurrentActor
from app.analytics.summaries import queries
from app.analytics.summaries.dependencies import CurrentStore
from app.analytics.summaries.schemas import HeadlineQuery, HeadlineRead
from app.kit.dependencies import CurrentPager, Now, ReadSession
from app.kit.pagination import Page
from app.kit.routing import Router

router = Router()


@router.get("/programmes/{programme_id}/spc", summary="Headline series of a programme")
def list_programme_spc(
    programme_id: uuid.UUID,
    query: Annotated[HeadlineQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
    store: CurrentStore,
    now: Now,
) -> Page[HeadlineRead]:
    """Each project that you can see with variation, assurance and latest value of its headline.

    The headline is the measure marked so, else the first outcome measure.
    """
    return queries.list_headlines(
        session,
        actor=actor,
        programme_id=programme_id,
        query=query,
        pager=pager,
        store=store,
        now=now,
    )
