"""The waiting jobs of an endpoint: its lane, which is held back, woken or emptied as a whole."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col

from app.jobs.actions import job_values
from app.jobs.kinds import Kind
from app.jobs.models import Job
from app.kit.clock import unix_ms
from app.webhooks.models import DeliveryState, WebhookDelivery

# HTTP attempts are counted in the delivery: what is counted here are claims of workers that died.
DELIVER = Kind("webhook.deliver", queue="webhook", attempts=8, lane_cap=4)
HELD_FOR = timedelta(minutes=15)  # how often a paused lane is looked at, should a waking be missed
PROBE_SECONDS = 20  # longer than a call can last
_PAUSE = timedelta(seconds=PROBE_SECONDS)


def lane_of(endpoint_id: uuid.UUID) -> str:
    """The lane of an endpoint."""
    return f"ep:{endpoint_id.hex}"


def delivery_job(
    *, delivery_id: uuid.UUID, endpoint_id: uuid.UUID, programme_id: uuid.UUID, at: datetime
) -> dict[str, Any]:
    """The job of one delivery."""
    return job_values(
        DELIVER,
        {"delivery_id": delivery_id.hex},
        key=f"delivery:{delivery_id.hex}",
        lane=lane_of(endpoint_id),
        programme_id=programme_id,
        at=at,
    )


def after_probe(open_until: datetime) -> datetime:
    """When those go on that wait for the one that tries whether the receiver is back."""
    return open_until + _PAUSE


def _waiting(endpoint_id: uuid.UUID) -> sa.ColumnElement[bool]:
    return sa.and_(col(Job.lane) == lane_of(endpoint_id), col(Job.lease).is_(None))


def hold(session: Session, *, endpoint_id: uuid.UUID, until: datetime) -> None:
    """Nothing of the lane is due before then."""
    at = unix_ms(until)
    early = sa.update(Job).where(_waiting(endpoint_id), col(Job.run_at) < at)
    session.execute(early.values(run_at=at).execution_options(synchronize_session=False))


def open_breaker(session: Session, *, endpoint_id: uuid.UUID, until: datetime) -> None:
    """One probe is due at that instant, everything else a little later. One statement."""
    probe_at, rest_at = unix_ms(until), unix_ms(after_probe(until))
    first = (
        sa.select(col(Job.id))
        .where(_waiting(endpoint_id))
        .order_by(col(Job.run_at), col(Job.id))
        .limit(1)
        .scalar_subquery()
    )
    run_at = sa.case((col(Job.id) == first, probe_at), else_=rest_at)
    early = sa.update(Job).where(_waiting(endpoint_id), col(Job.run_at) < run_at)
    session.execute(early.values(run_at=run_at).execution_options(synchronize_session=False))


def wake(
    session: Session, *, endpoint_id: uuid.UUID, now: datetime, until: datetime | None = None
) -> None:
    """What waits in the lane is due; with `until`, only what would have been due by then."""
    at = unix_ms(now)
    late = sa.update(Job).where(_waiting(endpoint_id), col(Job.run_at) > at)
    if until is not None:
        late = late.where(col(Job.run_at) <= unix_ms(until))
    session.execute(late.values(run_at=at).execution_options(synchronize_session=False))


def empty(session: Session, *, endpoint_id: uuid.UUID, reason: str, now: datetime) -> None:
    """Cancel what is pending and take its jobs away; those under way find their delivery ended.

    The caller holds the lock of the endpoint's row, so that no two wait for each other.
    """
    session.execute(
        sa.update(WebhookDelivery)
        .where(
            col(WebhookDelivery.endpoint_id) == endpoint_id,
            col(WebhookDelivery.state) == DeliveryState.PENDING,
        )
        .values(state=DeliveryState.CANCELLED, last_error=reason, next_at=None, finished_at=now)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        sa.delete(Job).where(_waiting(endpoint_id)).execution_options(synchronize_session=False)
    )
