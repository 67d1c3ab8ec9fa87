"""Old deliveries are forgotten with their attempts; events and what is pending stay."""

from datetime import timedelta

from sqlmodel import Session, col, select

from app.events.models import Event
from app.jobs.actions import enqueue
from app.jobs.handlers import Done
from app.jobs.schedules import next_tick
from app.kit.clock import utc_now
from app.kit.db import Database
from app.webhooks.models import DeliveryState, WebhookAttempt, WebhookDelivery
from app.webhooks.sweeping import NIGHTLY, SWEEP, sweeper
from tests.exchange import make_webhook_delivery, make_webhook_endpoint
from tests.jobs.draining import drain


def test_what_is_older_than_the_days_goes_in_chunks(session: Session, database: Database) -> None:
    endpoint = make_webhook_endpoint(session)
    old, now = utc_now() - timedelta(days=31), utc_now()
    rows = [
        make_webhook_delivery(session, endpoint=endpoint, state=state, created_at=at)
        for at in (old, now)
        for state in (*DeliveryState, DeliveryState.FAILED)
    ]
    for row in rows:
        session.add(WebhookAttempt(delivery_id=row.id, number=1, at=row.created_at, milliseconds=1))
    events = [row.event_id for row in rows]
    kept = {row.id for row in rows if row.created_at == now or row.state is DeliveryState.PENDING}
    session.commit()
    enqueue(session, SWEEP, {})
    session.commit()
    assert drain(database, [sweeper(database, days=30, clock=lambda: now, chunk=2)]) == [Done()]
    session.expire_all()
    assert set(session.exec(select(WebhookDelivery.id))) == kept
    assert set(session.exec(select(WebhookAttempt.delivery_id))) == kept
    found = session.exec(select(Event.id).where(col(Event.id).in_(events))).all()
    assert len(found) == len(events)


def test_it_returns_every_night() -> None:
    first = next_tick(NIGHTLY.cron, NIGHTLY.tz, 0)
    assert next_tick(NIGHTLY.cron, NIGHTLY.tz, first) - first == 86_400_000
