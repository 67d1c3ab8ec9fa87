"""Writes of connections. Whoever decides what one does answers for it: it acts as that person."""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import MISSING
from sqlmodel import Session, col

from app.access import records
from app.access.actor import Actor, Place
from app.access.permissions import Permission
from app.access.places import check_programme, get_place_reference
from app.access.scope import refuse_archived
from app.events.catalogue import Resource, Verb
from app.integrations import queries
from app.integrations.kinds import pull_job
from app.integrations.models import (
    InboundEvent,
    InboundOutcome,
    Integration,
    IntegrationState,
    Platform,
)
from app.integrations.rules import faults_of
from app.integrations.schemas import (
    IntegrationBase,
    IntegrationCreate,
    IntegrationPatch,
    SecretRotation,
)
from app.integrations.secrets import seal_secret, seal_token
from app.jobs.actions import enqueue_all
from app.kit.errors import Archived, FieldError, Invalid, InvalidStateTransition, pointer
from app.kit.patching import column_values, patched_values
from app.kit.preconditions import Precondition
from app.kit.sealing import Sealer
from app.kit.signing import make_secret

_NOUN = Resource.INTEGRATION
OLD_SECRET_HOLDS = timedelta(hours=24)


class InvalidMapping(Invalid):
    """422: the rules are well formed but ask for what cannot be; each fault has its place."""

    code = "invalid_mapping"
    title = "The mapping asks for what cannot be done."


def _check(platform: Platform, values: dict[str, Any], *, has_token: bool) -> None:
    """What goes with which platform."""
    is_openqi = platform is Platform.OPENQI
    faults = []
    if is_openqi and not values["base_url"]:
        faults.append(("base_url", "missing", "Say where the other OpenQI is."))
    if not is_openqi and values["base_url"]:
        faults.append(("base_url", "unexpected", "Only another OpenQI is called."))
    if not is_openqi and has_token:
        faults.append(("token", "unexpected", "Only another OpenQI is called."))
    if is_openqi and values["mapping"]:
        faults.append(("mapping", "unexpected", "Another OpenQI is understood without a mapping."))
    if faults:
        raise Invalid(
            errors=[
                FieldError(code=code, detail=detail, pointer=pointer(name))
                for name, code, detail in faults
            ]
        )


def _check_token_stays(row: Integration, patch: IntegrationPatch) -> None:
    """A token was given for one address: whoever changes that must bring the token anew.

    Else somebody who may never see it could have it sent to a server of their own. Asking for it is
    better than dropping it silently: fetches would go on as anybody, and bring less.
    """
    if row.token is None or patch.token is not MISSING:
        return
    if patch.base_url is not MISSING and patch.base_url != row.base_url:
        detail = "It was given for the address before; enter it again for the new one, or null."
        raise Invalid.at("token", code="token_needed", detail=detail)


def _check_rules(data: IntegrationBase | IntegrationPatch) -> None:
    mapping = data.mapping
    if mapping is not None and mapping is not MISSING:
        faults = list(faults_of(mapping))
        if faults:
            raise InvalidMapping(errors=faults)


def create_integration(
    session: Session,
    *,
    actor: Actor,
    data: IntegrationCreate,
    sealer: Sealer,
    now: datetime,
) -> tuple[Integration, str]:
    """The connection and its secret, which is told this once. The address has been checked."""
    actor.require(Permission.INTEGRATION_WRITE)
    place = get_place_reference(session, actor=actor, place=Place(data.programme_id))
    actor.require(Permission.INTEGRATION_WRITE, place)
    _check_rules(data)
    exclude = frozenset({"secret", "token", "mapping"})
    values = column_values(data, exclude=exclude) | {"mapping": _stored(data.mapping)}
    _check(data.platform, values, has_token=data.token is not None)
    secret = data.secret or make_secret()
    row = Integration(**values, secret="", **_owned_by(actor))
    row.secret = seal_secret(sealer, row.id, secret)
    row.token = data.token and seal_token(sealer, row.id, data.token)
    records.keep_new(session, actor=actor, noun=_NOUN, row=row, now=now, data=_about(row))
    return row, secret


def _stored(mapping: Any) -> dict[str, Any]:
    return {} if mapping is None else mapping.model_dump(mode="json")


def _about(row: Integration) -> dict[str, str]:
    return {"platform": row.platform, "system": row.system, "state": row.state}


def _writable(session: Session, *, actor: Actor, integration_id: uuid.UUID) -> Integration:
    row = queries.get_integration(session, actor=actor, integration_id=integration_id)
    actor.require(Permission.INTEGRATION_WRITE, row.place)
    return row


def _refuse_frozen(session: Session, actor: Actor, row: Integration) -> None:
    refuse_archived(row)
    if check_programme(session, actor=actor, programme_id=row.programme_id):
        raise Archived("The programme is archived; restore it first.")


def update_integration(
    session: Session,
    *,
    actor: Actor,
    integration_id: uuid.UUID,
    patch: IntegrationPatch,
    condition: Precondition,
    sealer: Sealer,
    now: datetime,
) -> Integration:
    """Merge the patch. Whoever changes what it does becomes its owner."""
    row = _writable(session, actor=actor, integration_id=integration_id)
    condition.check(row.revision)
    _refuse_frozen(session, actor, row)
    _check_rules(patch)
    _check_token_stays(row, patch)
    current = {"name": row.name, "mapping": row.mapping or None, "base_url": row.base_url}
    merged = patched_values(IntegrationBase, current, _without(patch, "token"))
    values = merged | {"mapping": merged["mapping"] or {}}
    if patch.token is not MISSING:
        values["token"] = patch.token and seal_token(sealer, row.id, patch.token)
    has_token = values.get("token", row.token) is not None
    _check(row.platform, values, has_token=has_token)
    if any(getattr(row, name) != value for name, value in values.items() if name != "name"):
        values |= _owned_by(actor)
    return records.keep_changes(
        session, actor=actor, noun=_NOUN, row=row, values=values, now=now, data=_about(row)
    )


def _without(patch: IntegrationPatch, name: str) -> IntegrationPatch:
    return patch.model_copy(update={name: MISSING})


def _owned_by(actor: Actor) -> dict[str, Any]:
    return {
        "owner_id": actor.user_id,
        "token_id": actor.token_id,
        "scopes": None if actor.scopes is None else sorted(actor.scopes),
    }


def archive_integration(
    session: Session,
    *,
    actor: Actor,
    integration_id: uuid.UUID,
    condition: Precondition,
    now: datetime,
) -> None:
    """Its secret is void at once and for good; its references and its log stay."""
    row = _writable(session, actor=actor, integration_id=integration_id)
    condition.check(row.revision, required=False)
    records.archive(session, actor=actor, noun=_NOUN, row=row, now=now)


def transition_integration(
    session: Session,
    *,
    actor: Actor,
    integration_id: uuid.UUID,
    to: IntegrationState,
    now: datetime,
) -> Integration:
    """Pause it, or go on: then what was missed meanwhile is fetched."""
    row = _writable(session, actor=actor, integration_id=integration_id)
    _refuse_frozen(session, actor, row)
    if to is row.state:
        allowed = [state for state in IntegrationState if state is not row.state]
        raise InvalidStateTransition(state=row.state, to=to, allowed=allowed)
    records.keep_changes(
        session,
        actor=actor,
        noun=_NOUN,
        row=row,
        values={"state": to},
        now=now,
        verb=Verb.STATE_CHANGED,
        data=_about(row) | {"state": to},
    )
    ask_for_missed(session, row)
    return row


def ask_for_pulls(
    session: Session, integration: Integration, project_ids: Iterable[uuid.UUID | None]
) -> None:
    """One job for each project by its id over there; None is for all that is shared there."""
    enqueue_all(
        session,
        [
            pull_job(
                integration_id=integration.id,
                project_id=project_id,
                programme_id=integration.programme_id,
            )
            for project_id in sorted(set(project_ids), key=str)
        ],
    )


def ask_for_missed(session: Session, integration: Integration) -> None:
    """After a pause: all that is shared there, and what messages from before it still wait for."""
    if queries.can_fetch(integration):
        awaited = queries.list_awaited(session, integration.id)
        ask_for_pulls(session, integration, [None, *awaited])


def rotate_integration_secret(
    session: Session,
    *,
    actor: Actor,
    integration_id: uuid.UUID,
    data: SecretRotation,
    sealer: Sealer,
    now: datetime,
) -> tuple[Integration, str]:
    """A new secret; the old one holds a day longer, unless it has leaked."""
    row = _writable(session, actor=actor, integration_id=integration_id)
    _refuse_frozen(session, actor, row)
    secret = data.secret or make_secret()
    values = {
        "secret": seal_secret(sealer, row.id, secret),
        "old_secret": None if data.old_ends_now else row.secret,
        "old_secret_until": None if data.old_ends_now else now + OLD_SECRET_HOLDS,
        **_owned_by(actor),
    }
    records.keep_changes(
        session, actor=actor, noun=_NOUN, row=row, values=values, now=now, data=_about(row)
    )
    return row, secret


def finish_pull(
    session: Session,
    *,
    integration_id: uuid.UUID,
    project_id: uuid.UUID | None,
    since: datetime,
    outcome: InboundOutcome,
    now: datetime,
    code: str | None = None,
    detail: str | None = None,
    resource_id: uuid.UUID | None = None,
) -> None:
    """What a pull made of the messages that waited for it.

    since: when the pull began; messages received later wait for the next one. project_id: that of
    the other OpenQI, None where all that it shares was asked for; resource_id: that of ours.
    """
    subject = col(InboundEvent.subject)
    session.execute(
        sa.update(InboundEvent)
        .where(
            col(InboundEvent.integration_id) == integration_id,
            subject == project_id.hex if project_id else subject.is_(None),
            col(InboundEvent.outcome) == InboundOutcome.PENDING,
            col(InboundEvent.received_at) <= since,
        )
        .values(
            outcome=outcome,
            code=code,
            detail=detail and detail[:500],
            resource_type=None if resource_id is None else "project",
            resource_id=resource_id,
            finished_at=now,
        )
    )
