"""Follows the events that may move a chart, and looks at each measure once for all of them."""

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from app.analytics.detections.actions import detect_signals
from app.events.catalogue import Resource, Verb
from app.events.models import Event
from app.jobs.actions import enqueue_all, job_values
from app.jobs.handlers import Together, Work
from app.jobs.kinds import Kind
from app.kit.clock import utc_now
from app.measures.models import Measure

# Coalesces: many points of one measure are one look, and what comes during a look makes another.
SIGNALS = Kind("series.signals", queue="series", lane_cap=1, coalesces=True)
_MEASURE_CHANGES = frozenset(
    f"{Resource.MEASURE}.{verb}" for verb in (Verb.CREATED, Verb.UPDATED, Verb.RESTORED)
)


def follow(session: Session, events: Sequence[Event]) -> None:
    """Ask for a look at each measure whose chart may show something else now.

    Annotations and PDSA cycles move a chart too, but never its signals.
    """
    measures = {
        measure_id: event.programme_id
        for event in events
        if (measure_id := _measure_of(event)) is not None
    }
    judged_anew = {event.programme_id for event in events if _changes_rules(event)}
    if judged_anew:
        statement = select(Measure.id, Measure.programme_id).where(
            col(Measure.programme_id).in_(judged_anew), col(Measure.archived_at).is_(None)
        )
        measures |= dict(session.exec(statement).all())
    enqueue_all(
        session,
        [
            job_values(
                SIGNALS,
                {"measure_id": measure_id.hex},
                key=f"signals:{measure_id.hex}",
                lane=f"measure:{measure_id.hex}",
                programme_id=programme_id,
            )
            for measure_id, programme_id in sorted(measures.items(), key=lambda pair: pair[0])
        ],
    )


def _measure_of(event: Event) -> uuid.UUID | None:
    """The measure whose chart an event may have changed. Of points and phases it is the parent."""
    if event.resource_type in (Resource.DATA_POINT, Resource.PHASE):
        return event.parent_id
    return event.resource_id if event.type in _MEASURE_CHANGES else None


def _changes_rules(event: Event) -> bool:
    return event.resource_type == Resource.PROGRAMME and "rule_set" in event.changes


def detector(clock: Callable[[], datetime] = utc_now) -> Together:
    """The handler of `series.signals`: a batch of measures in one transaction."""

    def apply(session: Session, works: Sequence[Work]) -> None:
        measures = {uuid.UUID(work.args["measure_id"]) for work in works}
        detect_signals(session, measures=measures, now=clock())

    return Together(SIGNALS, apply)
