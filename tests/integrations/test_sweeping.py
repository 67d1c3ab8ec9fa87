"""Old lines of the log are forgotten; a message that was recorded elsewhere stays void."""

import uuid
from datetime import datetime, timedelta

from sqlmodel import Session, select

from app.integrations.models import InboundEvent, InboundOutcome, Integration
from app.integrations.sweeping import NIGHTLY, SWEEP, sweeper
from app.jobs.actions import enqueue
from app.jobs.handlers import Done
from app.jobs.schedules import next_tick
from app.kit.clock import utc_now
from app.kit.db import Database
from tests.exchange import make_inbound_event, make_integration
from tests.integrations.sending import Platform, project
from tests.jobs.draining import drain

DAYS = 90


def _sweep(session: Session, database: Database, *, now: datetime, chunk: int = 1_000) -> None:
    enqueue(session, SWEEP, {})
    session.commit()
    handler = sweeper(database, days=DAYS, clock=lambda: now, chunk=chunk)
    assert drain(database, [handler]) == [Done()]
    session.expire_all()


def _left(session: Session) -> set[uuid.UUID]:
    return set(session.exec(select(InboundEvent.id)))


def test_what_is_older_than_the_days_goes_in_chunks(session: Session, database: Database) -> None:
    integration, now = make_integration(session), utc_now()
    border = now - timedelta(days=DAYS)
    for outcome in InboundOutcome:
        old = border - timedelta(microseconds=1)
        make_inbound_event(session, integration=integration, outcome=outcome, received_at=old)
    kept = {
        make_inbound_event(session, integration=integration, outcome=outcome, received_at=border).id
        for outcome in InboundOutcome
    }
    _sweep(session, database, now=now, chunk=4)
    assert _left(session) == kept


def test_what_came_again_lately_is_still_known(
    platform: Platform, session: Session, database: Database
) -> None:
    """Else the repeat, recorded on its way, could be sent once more within the tolerance."""
    platform.outcome(project(), message_id="msg_1")
    row = session.exec(select(InboundEvent)).one()
    row.received_at = utc_now() - timedelta(days=DAYS + 1)
    session.commit()
    assert platform.send(project(), message_id="msg_1").status_code == 200
    _sweep(session, database, now=utc_now())
    again = platform.send(project(), message_id="msg_1")
    assert (again.status_code, again.json()["id"]) == (200, str(row.id))
    _sweep(session, database, now=utc_now() + timedelta(days=DAYS, minutes=1))
    assert _left(session) == set()


def test_a_recorded_message_is_void_after_its_line_is_gone(
    platform: Platform, session: Session, database: Database
) -> None:
    then = utc_now() - timedelta(days=DAYS, minutes=1)
    integration = session.get_one(Integration, uuid.UUID(platform.integration["id"]))
    make_inbound_event(session, integration=integration, sender_id="msg_1", received_at=then)
    _sweep(session, database, now=utc_now())
    assert _left(session) == set()
    recorded = int(then.timestamp())
    replayed = platform.send(project(), message_id="msg_1", timestamp=recorded)
    assert (replayed.status_code, replayed.json()["code"]) == (401, "invalid_signature")
    signed_anew = platform.send(project(), message_id="msg_1")
    assert signed_anew.status_code == 202


def test_it_returns_every_night() -> None:
    first = next_tick(NIGHTLY.cron, NIGHTLY.tz, 0)
    assert next_tick(NIGHTLY.cron, NIGHTLY.tz, first) - first == 86_400_000
