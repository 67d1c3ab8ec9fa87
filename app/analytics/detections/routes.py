"""Routes of remembered signals."""

import uuid
from typing import Annotated

from fastapi import Query

from app.access.dependencies import CurrentActor
from app.analytics.detections import queries
from app.analytics.detections.schemas import DetectedSignalQuery, DetectedSignalRead
from app.kit.dependencies import CurrentPager, ReadSession
from app.kit.pagination import Page
from app.kit.routing import Router

router = Router()


@router.get("/measures/{measure_id}/signals", summary="List a measure's detected signals")
def list_measure_signals(
    measure_id: uuid.UUID,
    query: Annotated[DetectedSignalQuery, Query()],
    actor: CurrentActor,
    session: ReadSession,
    pager: CurrentPager,
) -> Page[DetectedSignalRead]:
    """What the events `measure.signal_detected` and `measure.signal_retracted` told of, and what

    stood before there was anybody to tell. Shortly behind the chart, which is always up to date.
    """
    return queries.list_measure_signals(
        session, actor=actor, measure_id=measure_id, query=query, pager=pager
    ).map(DetectedSignalRead.model_validate)
