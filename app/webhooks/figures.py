"""What is told of what leaves the house: endpoints in trouble, events that nobody followed yet."""

from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Session, col

from app.events.models import Event
from app.kit.metrics import Sample, Stated
from app.webhooks.models import EndpointState, WebhookEndpoint

OPEN, DISABLED, UNDISPATCHED, AGE = (
    "openqi_webhook_breakers_open",
    "openqi_webhook_endpoints_disabled",
    "openqi_events_undispatched",
    "openqi_events_oldest_undispatched_seconds",
)
GAUGES = (
    Stated(OPEN, "Endpoints that are left alone for a while after failures."),
    Stated(DISABLED, "Endpoints that were disabled after lasting failure."),
    Stated(UNDISPATCHED, "Events that have no place in the feed yet."),
    Stated(AGE, "How long the oldest of them has waited."),
)


def read_outgoing(session: Session, now: datetime) -> Iterator[Sample]:
    """The figures, by one statement for endpoints and one for events."""
    endpoint = WebhookEndpoint
    statement = sa.select(
        sa.func.count().filter(
            col(endpoint.state) == EndpointState.ENABLED, col(endpoint.open_until) > now
        ),
        sa.func.count().filter(col(endpoint.state) == EndpointState.DISABLED),
    ).where(col(endpoint.archived_at).is_(None))
    opened, disabled = session.execute(statement).one()
    yield Sample(OPEN, (), opened)
    yield Sample(DISABLED, (), disabled)
    waiting = sa.select(sa.func.count(), sa.func.min(col(Event.created_at)))
    count, first = session.execute(waiting.where(col(Event.seq).is_(None))).one()
    yield Sample(UNDISPATCHED, (), count)
    yield Sample(AGE, (), 0 if first is None else max(0.0, (now - first).total_seconds()))
