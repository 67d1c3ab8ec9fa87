"""Writes of webhook endpoints. Whoever says where or what they hear answers for it as the owner."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.scope import get_reference, refuse_archived
from app.events import outbox
from app.events.catalogue import Resource, Verb
from app.kit.errors import (
    Conflict,
    FieldError,
    Forbidden,
    InvalidStateTransition,
    ReferenceNotFound,
    pointer,
)
from app.kit.ids import new_id
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.kit.sealing import Sealer
from app.kit.signing import make_secret
from app.programmes.models import Programme
from app.webhooks import lanes, queries
from app.webhooks.following import delivery_values, keep_deliveries
from app.webhooks.models import EndpointState, WebhookDelivery, WebhookEndpoint, sealed_for
from app.webhooks.schemas import (
    WebhookEndpointBase,
    WebhookEndpointCreate,
    WebhookEndpointPatch,
    WebhookEndpointTransition,
    WebhookSecretRotation,
)
from app.webhooks.subscriptions import inaudible

MOST_ENDPOINTS = 20
OVERLAP = timedelta(hours=24)  # how long an old secret signs beside the new one
ARCHIVED_REASON = "The endpoint was archived."
STEPS: dict[EndpointState, tuple[EndpointState, ...]] = {
    EndpointState.ENABLED: (EndpointState.PAUSED,),
    EndpointState.PAUSED: (EndpointState.ENABLED,),
    EndpointState.DISABLED: (EndpointState.ENABLED,),
}
_PLACE_FIELD = "programme_id"
_ADDRESSED = frozenset({"url", "event_types", "not_from"})
_AFRESH: dict[str, Any] = {"failures": 0, "exhausted": 0, "open_until": None}


class TooManyEndpoints(Conflict):
    """409: the body is right, but each further endpoint costs every event of the programme."""

    code = "too_many_webhook_endpoints"
    title = f"The programme has {MOST_ENDPOINTS} webhook endpoints; archive one first."


class EndpointDisabled(Conflict):
    """409: the address failed for days; nothing is sent to it before a person enables it."""

    code = "webhook_endpoint_disabled"
    title = "The endpoint is disabled; enable it first."


class EventTypeForbidden(Forbidden):
    """403: what the endpoint would hear of is hidden from whoever asks for it."""

    code = "event_type_forbidden"
    title = "You may not read what some of these events tell of."


def _check_types(patterns: Sequence[str], *, actor: Actor, place: Place) -> None:
    faults = [
        FieldError(
            code=EventTypeForbidden.code,
            detail=f"This needs the permission {permission} in the whole programme.",
            pointer=pointer("event_types", index),
        )
        for index, permission in inaudible(patterns, owner=actor, place=place)
    ]
    if faults:
        raise EventTypeForbidden(errors=faults)


def _lock_programme(session: Session, *, actor: Actor, programme_id: uuid.UUID) -> None:
    """Raise where the caller can have no endpoint there; else count one at a time."""
    place = Place(programme_id)
    actor.require(Permission.WEBHOOK_WRITE)
    if not actor.can(Permission.WEBHOOK_WRITE, place):
        get_reference(
            session,
            actor=actor,
            entity=Programme,
            permission=Permission.PROGRAMME_READ,
            row_id=programme_id,
            field=_PLACE_FIELD,
        )
        actor.require(Permission.WEBHOOK_WRITE, place)
    found = select(Programme).where(col(Programme.id) == programme_id)
    programme = session.exec(found.with_for_update(key_share=True)).one_or_none()
    if programme is None:
        raise ReferenceNotFound.in_field(_PLACE_FIELD)
    refuse_archived(programme)
    if queries.count_live(session, programme_id=programme_id) >= MOST_ENDPOINTS:
        raise TooManyEndpoints


def create_webhook_endpoint(
    session: Session, *, actor: Actor, data: WebhookEndpointCreate, sealer: Sealer, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its secret, which is kept sealed. The address has been checked."""
    _lock_programme(session, actor=actor, programme_id=data.programme_id)
    _check_types(data.event_types, actor=actor, place=Place(data.programme_id))
    secret, endpoint_id = make_secret(), new_id()
    row = WebhookEndpoint(
        id=endpoint_id,
        secret=sealer.seal(secret, bound_to=sealed_for(endpoint_id)),
        **_ownership(actor, actor.scopes),
        **column_values(data),
    )
    records.keep_new(
        session,
        actor=actor,
        noun=Resource.WEBHOOK_ENDPOINT,
        row=row,
        now=now,
        data={"state": row.state},
    )
    return row, secret


def _ownership(actor: Actor, scopes: frozenset[str] | None) -> dict[str, Any]:
    return {
        "owner_id": actor.user_id,
        "token_id": actor.token_id,
        "scopes": None if scopes is None else sorted(scopes),
    }


def _narrowed(row: WebhookEndpoint, actor: Actor) -> frozenset[str] | None:
    """The scopes of both: they never widen again."""
    if row.scopes is None or actor.scopes is None:
        return actor.scopes if row.scopes is None else frozenset(row.scopes)
    return actor.scopes & frozenset(row.scopes)


def _writable(session: Session, *, actor: Actor, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    row = queries.get_webhook_endpoint(session, actor=actor, endpoint_id=endpoint_id)
    actor.require(Permission.WEBHOOK_WRITE, row.place)
    return row


def get_sending(session: Session, *, actor: Actor, endpoint_id: uuid.UUID) -> WebhookEndpoint:
    """An endpoint that the caller may have something sent to."""
    row = _writable(session, actor=actor, endpoint_id=endpoint_id)
    refuse_archived(row)
    if row.state is EndpointState.DISABLED:
        raise EndpointDisabled
    return row


def _keep(
    session: Session,
    *,
    actor: Actor,
    row: WebhookEndpoint,
    values: dict[str, Any],
    now: datetime,
    verb: Verb = Verb.UPDATED,
) -> WebhookEndpoint:
    return records.keep_changes(
        session,
        actor=actor,
        noun=Resource.WEBHOOK_ENDPOINT,
        row=row,
        values=values,
        now=now,
        verb=verb,
        data={"state": values.get("state", row.state)},
    )


def update_webhook_endpoint(
    session: Session,
    *,
    actor: Actor,
    endpoint_id: uuid.UUID,
    patch: WebhookEndpointPatch,
    condition: Precondition,
    now: datetime,
) -> WebhookEndpoint:
    """Change it. A new address or other types make the caller its owner, with the rights of both

    at most: else whoever may write could have another's messages sent to a place of their own.
    """
    row = _writable(session, actor=actor, endpoint_id=endpoint_id)
    condition.check(row.revision)
    refuse_archived(row)
    values = patched_values(WebhookEndpointBase, row, patch)
    if any(values[name] != getattr(row, name) for name in _ADDRESSED):
        _check_types(values["event_types"], actor=actor, place=row.place)
        values |= _ownership(actor, _narrowed(row, actor))
    has_moved = values["url"] != row.url
    if has_moved:
        values |= _AFRESH
    _keep(session, actor=actor, row=row, values=values, now=now)
    if has_moved and row.state is EndpointState.ENABLED:
        lanes.wake(session, endpoint_id=row.id, now=now)
    return row


def archive_webhook_endpoint(
    session: Session,
    *,
    actor: Actor,
    endpoint_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """End it: what is pending is cancelled. Archiving what is archived changes nothing."""
    row = _writable(session, actor=actor, endpoint_id=endpoint_id)
    condition.check(row.revision, required=False)
    records.archive(session, actor=actor, noun=Resource.WEBHOOK_ENDPOINT, row=row, now=now)
    lanes.empty(session, endpoint_id=row.id, reason=ARCHIVED_REASON, now=now)


def transition_webhook_endpoint(
    session: Session,
    *,
    actor: Actor,
    endpoint_id: uuid.UUID,
    data: WebhookEndpointTransition,
    now: datetime,
) -> WebhookEndpoint:
    """Pause it, or enable it; then `failing_since` still says from when on to recover."""
    row = _writable(session, actor=actor, endpoint_id=endpoint_id)
    refuse_archived(row)
    if data.to not in STEPS[row.state]:
        raise InvalidStateTransition(state=row.state, to=data.to, allowed=STEPS[row.state])
    values: dict[str, Any] = {"state": data.to, "disabled_reason": None}
    if data.to is EndpointState.ENABLED:
        values |= _AFRESH
    _keep(session, actor=actor, row=row, values=values, now=now, verb=Verb.STATE_CHANGED)
    if data.to is EndpointState.ENABLED:
        lanes.wake(session, endpoint_id=row.id, now=now)
    else:
        lanes.hold(session, endpoint_id=row.id, until=now + lanes.HELD_FOR)
    return row


def rotate_webhook_secret(
    session: Session,
    *,
    actor: Actor,
    endpoint_id: uuid.UUID,
    data: WebhookSecretRotation,
    sealer: Sealer,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """A new secret. The one before also signs for a day, unless it is to end at once."""
    row = _writable(session, actor=actor, endpoint_id=endpoint_id)
    refuse_archived(row)
    secret = make_secret()
    values = {
        "secret": sealer.seal(secret, bound_to=row.sealed_for),
        "old_secret": None if data.expire_old else row.secret,
        "old_secret_until": None if data.expire_old else now + OVERLAP,
    }
    return _keep(session, actor=actor, row=row, values=values, now=now), secret


def expire_old_webhook_secret(
    session: Session, *, actor: Actor, endpoint_id: uuid.UUID, now: datetime
) -> None:
    """The receiver has the new secret: the old one signs no more."""
    row = _writable(session, actor=actor, endpoint_id=endpoint_id)
    refuse_archived(row)
    values = {"old_secret": None, "old_secret_until": None}
    _keep(session, actor=actor, row=row, values=values, now=now)


def ping_webhook_endpoint(
    session: Session, *, actor: Actor, endpoint_id: uuid.UUID, now: datetime
) -> WebhookDelivery:
    """A test message to this endpoint alone, by the same path as every other."""
    row = get_sending(session, actor=actor, endpoint_id=endpoint_id)
    event = outbox.record(
        session,
        noun=Resource.WEBHOOK_ENDPOINT,
        verb=Verb.PINGED,
        resource_id=row.id,
        revision=row.revision,
        programme_id=row.programme_id,
        origin=actor.origin,
        now=now,
    )
    session.flush()
    values = delivery_values(row, event_id=event.id, event_type=event.type, now=now)
    keep_deliveries(session, [(row, values)], now=now)
    return session.get_one(WebhookDelivery, values["id"])
