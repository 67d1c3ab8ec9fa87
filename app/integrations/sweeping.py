"""Forgets old lines of the log of messages, whatever became of them.

With its line the sender's id is forgotten. That lets no message in twice that somebody else
recorded: its timestamp is signed and holds for minutes, its line stays for days after it came last.
Only its sender, who can sign it anew, can have it applied again so long after.
"""

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from app.integrations.models import InboundEvent
from app.jobs.handlers import InThread
from app.jobs.kinds import Kind
from app.jobs.schedules import Cron
from app.jobs.sweeping import forgetter
from app.kit.db import Database

SWEEP = Kind("integration.sweep", queue="cron", attempts=3)
NIGHTLY = Cron("integration.sweep", SWEEP, "27 3 * * *")


def sweeper(database: Database, *, days: int, **more: Any) -> InThread:
    """The handler of `integration.sweep`.

    What is pending after so long waits for a fetch that nobody will make; it goes too.
    """
    return forgetter(SWEEP, database, InboundEvent, _old, days=days, **more)


def _old(before: datetime) -> sa.Select[uuid.UUID]:
    repeated = col(InboundEvent.repeated_at)
    return (
        sa.select(col(InboundEvent.id))
        .where(
            col(InboundEvent.received_at) < before,
            sa.or_(repeated.is_(None), repeated < before),
        )
        .order_by(col(InboundEvent.received_at))
    )
