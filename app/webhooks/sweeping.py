"""Forgets old deliveries and their attempts; the events stay, for they are the audit trail."""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.jobs.handlers import InThread
from app.jobs.kinds import Kind
from app.jobs.schedules import Cron
from app.jobs.sweeping import forgetter
from app.kit.db import Database
from app.webhooks.models import DeliveryState, WebhookDelivery

SWEEP = Kind("webhook.sweep", queue="cron", attempts=3)
NIGHTLY = Cron("webhook.sweep", SWEEP, "17 3 * * *")


def sweeper(database: Database, *, days: int, **more: Any) -> InThread:
    """The handler of `webhook.sweep`; the attempts go with their deliveries.

    What is still pending stays: a paused endpoint loses nothing.
    """
    return forgetter(SWEEP, database, WebhookDelivery, _old, days=days, **more)


def _old(before: datetime) -> sa.Select[uuid.UUID]:
    return (
        sa.select(col(WebhookDelivery.id))
        .where(
            col(WebhookDelivery.created_at) < before,
            col(WebhookDelivery.state) != DeliveryState.PENDING,
        )
        .order_by(col(WebhookDelivery.created_at))
    )
