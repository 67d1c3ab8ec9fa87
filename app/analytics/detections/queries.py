"""Reads of remembered signals."""

import uuid

from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.analytics.detections.models import DetectedSignal
from app.analytics.detections.schemas import DetectedSignalQuery
from app.kit.pagination import Page, Pager, order_by
from app.measures.queries import get_measure


def list_measure_signals(
    session: Session,
    *,
    actor: Actor,
    measure_id: uuid.UUID,
    query: DetectedSignalQuery,
    pager: Pager,
) -> Page[DetectedSignal]:
    """A page of what was found in a measure. Raises `NotFound`."""
    measure = get_measure(session, actor=actor, measure_id=measure_id)
    statement = select(DetectedSignal).where(col(DetectedSignal.measure_id) == measure.id)
    if query.state != "any":
        mark = col(DetectedSignal.retracted_at)
        is_standing = query.state == "standing"
        statement = statement.where(mark.is_(None) if is_standing else mark.is_not(None))
    order = order_by(
        [query.sort],
        {"detected_at": DetectedSignal.detected_at},
        default="-detected_at",
        last=DetectedSignal.id,
    )
    return pager.page(session, statement, query=query, order=order)
