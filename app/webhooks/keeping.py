"""Stores what came of calls, in the transaction that settles their jobs; many at once.

The rows of the endpoints are locked before those of their deliveries, here and in the actions, so
that no two transactions wait for each other.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from app.events import outbox
from app.events.catalogue import Resource, Verb
from app.jobs.handlers import Death
from app.kit.outbound import Answer
from app.webhooks import lanes, letters
from app.webhooks.models import (
    DeliveryState,
    EndpointState,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
)
from app.webhooks.parcels import Dropped, Waiting
from app.webhooks.verdicts import Call, Health, Prognosis, reckon

_ENDPOINT: sa.Table = WebhookEndpoint.__table__  # type: ignore[attr-defined]
_DELIVERY: sa.Table = WebhookDelivery.__table__  # type: ignore[attr-defined]
_ATTEMPT: sa.Table = WebhookAttempt.__table__  # type: ignore[attr-defined]
GIVEN_UP = "It could not be sent: something went wrong on our side."
_HEALTH = [field.name for field in fields(Health)]
# Plain columns: an object would raise its revision.
_LOCKED = (
    _ENDPOINT.select()
    .where(_ENDPOINT.c.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(_ENDPOINT.c.id)
    .with_for_update(key_share=True)
)


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt of a delivery, and what it means."""

    delivery_id: uuid.UUID
    endpoint_id: uuid.UUID
    number: int
    answer: Answer
    call: Call


def keep_calls(session: Session, tried: Sequence[Tried]) -> None:
    """The attempts, their deliveries, and how the endpoints fare now."""
    by_endpoint: dict[uuid.UUID, list[Call]] = defaultdict(list)
    for each in tried:
        by_endpoint[each.endpoint_id].append(each.call)
    connection = session.connection()
    endpoints = connection.execute(_LOCKED, {"ids": list(by_endpoint)}).all()
    connection.execute(_ATTEMPT.insert(), [_attempt(each) for each in tried])
    connection.execute(_KEEP_DELIVERY, [_delivery(each) for each in tried])
    _keep_health(session, endpoints, by_endpoint)


def _attempt(tried: Tried) -> dict[str, Any]:
    answer = tried.answer
    # PostgreSQL takes no NUL in text, whatever a receiver answers.
    head = answer.body.decode(errors="replace").replace("\x00", "\ufffd")
    return {
        "delivery_id": tried.delivery_id,
        "number": tried.number,
        "at": tried.call.started,
        "milliseconds": answer.milliseconds,
        "status": answer.status,
        "error": tried.call.verdict.error,
        "response_head": head if answer.status is not None else None,
        "remote_address": answer.address,
    }


_SENT = sa.bindparam("to", type_=_DELIVERY.c.state.type)
# What was cancelled while the call was under way stays so, unless the receiver took it after all.
_KEEP_DELIVERY = (
    sa.update(_DELIVERY)
    .where(
        _DELIVERY.c.id == sa.bindparam("of"),
        sa.or_(_DELIVERY.c.state == DeliveryState.PENDING, _SENT == DeliveryState.SUCCEEDED),
    )
    .values(
        state=_SENT,
        attempts=sa.bindparam("number"),
        next_at=sa.bindparam("next"),
        last_status=sa.bindparam("status"),
        last_error=sa.bindparam("error"),
        finished_at=sa.bindparam("finished"),
    )
)
_KEEP_HEALTH = (
    sa.update(_ENDPOINT)
    .where(_ENDPOINT.c.id == sa.bindparam("of"))
    .values({name: sa.bindparam(name) for name in _HEALTH})
)


def _delivery(tried: Tried) -> dict[str, Any]:
    verdict = tried.call.verdict
    return {
        "of": tried.delivery_id,
        "to": verdict.state,
        "number": tried.number,
        "next": verdict.next_at,
        "status": tried.answer.status,
        "error": verdict.error,
        "finished": None if verdict.next_at else tried.call.ended,
    }


def _keep_health(
    session: Session, endpoints: Sequence[Any], calls: Mapping[uuid.UUID, Sequence[Call]]
) -> None:
    changed: list[dict[str, Any]] = []
    followed: list[tuple[Any, Prognosis]] = []
    for row in endpoints:
        health = Health(**{name: getattr(row, name) for name in _HEALTH})
        prognosis = reckon(health, calls[row.id])
        if prognosis.health != health:
            changed.append({"of": row.id, **_columns_of(prognosis.health)})
        if row.archived_at is None and row.state is not EndpointState.DISABLED:
            followed.append((row, prognosis))
    if changed:
        session.connection().execute(_KEEP_HEALTH, changed)
    for row, prognosis in followed:
        _follow_up(session, row, prognosis)


def _columns_of(health: Health) -> dict[str, Any]:
    return {name: getattr(health, name) for name in _HEALTH}


def _follow_up(session: Session, row: Any, prognosis: Prognosis) -> None:
    """What follows from how the endpoint fares; mostly nothing."""
    health = prognosis.health
    if prognosis.disable is not None:
        _disable(session, row, prognosis.disable, prognosis.at)
        return
    if prognosis.has_opened and health.open_until is not None:
        lanes.open_breaker(session, endpoint_id=row.id, until=health.open_until)
    if row.open_until is not None and health.open_until is None:
        # What has a later time of its own keeps it: only the breaker's own delay ends.
        until = lanes.after_probe(row.open_until)
        lanes.wake(session, endpoint_id=row.id, now=prognosis.at, until=until)
    if prognosis.is_first_exhausted:
        letters.warn_of_failures(session, endpoint=row, since=health.failing_since)


def _disable(session: Session, row: Any, reason: str, now: datetime) -> None:
    """Nothing more is sent until a person enables it; the owner hears of it by mail."""
    revision = row.revision + 1
    session.execute(
        sa.update(_ENDPOINT)
        .where(_ENDPOINT.c.id == row.id)
        .values(
            state=EndpointState.DISABLED,
            disabled_reason=reason,
            revision=revision,
            updated_at=now,
        )
    )
    lanes.empty(session, endpoint_id=row.id, reason=reason, now=now)
    outbox.record(
        session,
        noun=Resource.WEBHOOK_ENDPOINT,
        verb=Verb.STATE_CHANGED,
        resource_id=row.id,
        revision=revision,
        programme_id=row.programme_id,
        origin=outbox.Origin(),
        now=now,
        changes={
            "state": (row.state, EndpointState.DISABLED),
            "disabled_reason": (row.disabled_reason, reason),
        },
        data={"state": EndpointState.DISABLED},
    )
    letters.tell_of_disabling(session, endpoint=row, revision=revision)


def cancel(session: Session, dropped: Sequence[tuple[Dropped, datetime]]) -> None:
    """End deliveries that will never be sent."""
    update = (
        sa.update(_DELIVERY)
        .where(_DELIVERY.c.id == sa.bindparam("of"), _DELIVERY.c.state == DeliveryState.PENDING)
        .values(
            state=DeliveryState.CANCELLED,
            next_at=None,
            last_error=sa.bindparam("why"),
            finished_at=sa.bindparam("now"),
        )
    )
    rows = [{"of": each.delivery_id, "why": each.reason, "now": now} for each, now in dropped]
    session.execute(update, rows)


def give_up(session: Session, deaths: Sequence[Death], *, now: datetime) -> None:
    """End deliveries whose job died: nobody would send them. Why it died is not for the owner.

    The receiver has no part in it, so its breaker stays as it is; but messages were given up.
    """
    ids = [uuid.UUID(each.work.args["delivery_id"]) for each in deaths]
    ours = _DELIVERY.c.id.in_(ids)
    of = session.execute(sa.select(_DELIVERY.c.endpoint_id).where(ours)).scalars()
    endpoints = session.connection().execute(_LOCKED, {"ids": list(set(of))}).all()
    update = (
        sa.update(_DELIVERY)
        .where(ours, _DELIVERY.c.state == DeliveryState.PENDING)
        .values(state=DeliveryState.FAILED, next_at=None, last_error=GIVEN_UP, finished_at=now)
        .returning(_DELIVERY.c.endpoint_id)
    )
    ended = Counter(session.execute(update).scalars())
    for row in endpoints:
        if ended[row.id]:
            _count_exhausted(session, row, ended[row.id])


def _count_exhausted(session: Session, row: Any, count: int) -> None:
    update = sa.update(_ENDPOINT).where(_ENDPOINT.c.id == row.id)
    session.execute(update.values(exhausted=row.exhausted + count))
    is_followed = row.archived_at is None and row.state is not EndpointState.DISABLED
    if is_followed and not row.exhausted:
        letters.warn_of_failures(session, endpoint=row, since=row.failing_since)


def hold_paused(session: Session, waiting: Sequence[Waiting]) -> None:
    """The rest of a paused lane waits too. Where somebody has enabled it meanwhile, all of it goes

    on: those that were claimed just then missed the waking.
    """
    until = {each.endpoint_id: each.until for each in waiting}
    states = (
        sa.select(_ENDPOINT.c.id, _ENDPOINT.c.state)
        .where(_ENDPOINT.c.id.in_(list(until)))
        .order_by(_ENDPOINT.c.id)
        .with_for_update(read=True)
    )
    for endpoint_id, state in session.execute(states).all():
        if state is EndpointState.PAUSED:
            lanes.hold(session, endpoint_id=endpoint_id, until=until[endpoint_id])
        elif state is EndpointState.ENABLED:
            now = until[endpoint_id] - lanes.HELD_FOR
            lanes.wake(session, endpoint_id=endpoint_id, now=now)
