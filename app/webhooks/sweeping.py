"""Forgets old deliveries and their attempts; the events stay, for they are the audit trail."""

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlmodel import col

from app.jobs.handlers import Done, InThread, Outcome, Work
from app.jobs.kinds import Kind
from app.jobs.schedules import Cron
from app.kit.clock import utc_now
from app.kit.db import Database
from app.webhooks.models import DeliveryState, WebhookDelivery

SWEEP = Kind("webhook.sweep", queue="cron", attempts=3)
NIGHTLY = Cron("webhook.sweep", SWEEP, "17 3 * * *")
CHUNK = 1_000


def sweeper(
    database: Database, *, days: int, clock: Callable[[], datetime] = utc_now, chunk: int = CHUNK
) -> InThread:
    """The handler of `webhook.sweep`: chunks in transactions of their own, so nobody waits long.

    What is still pending stays: a paused endpoint loses nothing.
    """

    def run(_work: Work) -> Outcome:
        before = clock() - timedelta(days=days)
        while _forget(database, before, chunk) == chunk:
            pass
        return Done()

    return InThread(SWEEP, run)


def _forget(database: Database, before: datetime, chunk: int) -> int:
    """Delete one chunk; the attempts go with their deliveries. Says how many went."""
    old = (
        sa.select(col(WebhookDelivery.id))
        .where(
            col(WebhookDelivery.created_at) < before,
            col(WebhookDelivery.state) != DeliveryState.PENDING,
        )
        .order_by(col(WebhookDelivery.created_at))
        .limit(chunk)
    )
    with database.transaction() as session:
        ids = session.execute(old).scalars().all()
        if ids:
            session.execute(
                sa.delete(WebhookDelivery)
                .where(col(WebhookDelivery.id).in_(ids))
                .execution_options(synchronize_session=False)
            )
        return len(ids)
