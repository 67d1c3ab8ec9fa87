"""Receives messages: each is claimed by its sender's id, applied and logged in one transaction."""

import re
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, select

from app.access.actor import Actor
from app.access.permissions import Permission
from app.events.models import Event
from app.integrations import queries
from app.integrations.actions import InvalidMapping
from app.integrations.inbound.applying import (
    Context,
    apply_rule,
    ask_for_pull,
    read_points,
)
from app.integrations.inbound.messages import Message, Result, type_at
from app.integrations.inbound.schemas import MappingTest, MappingTestRead
from app.integrations.models import (
    InboundEvent,
    InboundOutcome,
    Integration,
    IntegrationState,
    Platform,
)
from app.integrations.rules import (
    IntegrationMapping,
    MappingRule,
    RuleAction,
    Unreadable,
    faults_of,
    look_up,
    read_fields,
)
from app.kit.database_errors import conflict_of
from app.kit.errors import Conflict, FieldError, OpenQIError, Unavailable, field_error
from app.kit.ids import new_id
from app.kit.upsert import insert_for

_EVENT_ID = re.compile(r"evt_([0-9a-f]{32})")
_FAULTS_TOLD = 3
_DETAIL_LENGTH = 500
_VALUES_SHOWN = 100
# What waits for a fetch asks for it again: the one that it asked for may have been lost.
_AGAIN = frozenset({InboundOutcome.REFUSED, InboundOutcome.FAILED, InboundOutcome.PENDING})
_OWNER_GONE = Result(
    InboundOutcome.REFUSED,
    code="owner_gone",
    detail="Whoever the connection acts for may act no more.",
)
log = structlog.get_logger()


class MessageIdReused(Conflict):
    """409: the id came before with another body; only a message that is the same is a repeat."""

    code = "message_id_reused"
    title = "A message with this id came before and said something else."


class IntegrationPaused(Unavailable):
    """503: senders try again later, and by then it may be going on."""

    code = "integration_paused"
    title = "The connection is paused; send the message again later."

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "3600"})


class InboundFailed(Unavailable):
    """503: not the sender's fault; it is logged as failed and tried anew when it comes again."""

    code = "inbound_failed"
    title = "The message could not be applied; send it again later."

    def __init__(self, inbound_event_id: uuid.UUID) -> None:
        super().__init__(extra={"id": str(inbound_event_id)}, headers={"Retry-After": "60"})


def receive_event(
    session: Session,
    *,
    message: Message,
    own_address: str,
    request_id: str | None,
    now: datetime,
) -> tuple[InboundEvent, bool]:
    """Its line in the log, and whether it is the first of its id.

    What was refused or failed has written nothing, so a repeat is tried anew: the mapping may have
    been mended. So is what still waits for its fetch. Any other repeat gets the outcome that was
    recorded.
    """
    integration = session.get_one(Integration, message.integration_id)
    if integration.state is IntegrationState.PAUSED:
        raise IntegrationPaused
    row, is_new = _claim(session, integration, message, now)
    if row.digest != message.digest:
        raise MessageIdReused
    if not is_new:
        row.repeated_at = now
    if is_new or row.outcome in _AGAIN:
        result = _result(session, integration, message, own_address, request_id, now)
        for name in ("outcome", "code", "detail", "resource_type", "resource_id", "subject"):
            setattr(row, name, getattr(result, name))
        row.finished_at = None if result.outcome is InboundOutcome.PENDING else now
        session.flush()
    return row, is_new


def _claim(
    session: Session, integration: Integration, message: Message, now: datetime
) -> tuple[InboundEvent, bool]:
    """The row of the sender's id. A twin waits on the unique index until this one commits."""
    values: dict[str, Any] = {
        "id": new_id(),
        "programme_id": integration.programme_id,
        "integration_id": integration.id,
        "sender_id": message.sender_id,
        "type": type_at(message.document, _mapping(integration).type),
        "digest": message.digest,
        "received_at": now,
        "outcome": InboundOutcome.PENDING,
    }
    table = InboundEvent.__table__  # type: ignore[attr-defined]
    insert = insert_for(session.connection(), table).values(values)
    claim = insert.on_conflict_do_nothing(index_elements=["integration_id", "sender_id"])
    is_new = session.execute(claim.returning(table.c.id)).first() is not None
    held = select(InboundEvent).where(
        InboundEvent.integration_id == integration.id, InboundEvent.sender_id == message.sender_id
    )
    return session.exec(held.with_for_update()).one(), is_new


def _mapping(integration: Integration) -> IntegrationMapping:
    return IntegrationMapping.model_validate(integration.mapping)


def _result(
    session: Session,
    integration: Integration,
    message: Message,
    own_address: str,
    request_id: str | None,
    now: datetime,
) -> Result:
    if _is_own(session, message, own_address):
        return Result(InboundOutcome.IGNORED, code="own_event")
    actor = queries.find_acting(session, integration=integration, now=now, request_id=request_id)
    if actor is None:
        return _OWNER_GONE
    context = Context(session, integration, actor, now)
    return _tried(session, lambda: _apply(context, _mapping(integration), message.document))


def _apply(context: Context, mapping: IntegrationMapping, document: dict[str, Any]) -> Result:
    event_type = type_at(document, mapping.type)
    if context.integration.platform is Platform.OPENQI:
        return ask_for_pull(context, event_type, document)
    found = mapping.find_rule(event_type)
    return apply_rule(context, found and found[1], document)


def _is_own(session: Session, message: Message, own_address: str) -> bool:
    """Whether it tells of a change that was made here first: a loop ends with it."""
    origin = look_up(message.document, "/data/origin")
    if isinstance(origin, str) and origin.rstrip("/") == own_address.rstrip("/"):
        return True
    found = _EVENT_ID.fullmatch(message.sender_id)
    return found is not None and session.get(Event, uuid.UUID(found[1])) is not None


class _Undone(Exception):
    """Ends the savepoint of a trial."""


def _tried(session: Session, apply: Callable[[], Result], *, is_kept: bool = True) -> Result:
    """The result within a savepoint: what was refused half-way leaves nothing behind."""
    result = Result(InboundOutcome.FAILED, code="internal_error")
    try:
        with session.begin_nested():
            result = apply()
            if not is_kept:
                raise _Undone
    except _Undone:
        pass
    except (Unavailable, IntegrityError) as fault:
        # Of the latter, another message was quicker: the next time this one sees what that wrote.
        passing = conflict_of(fault) if isinstance(fault, IntegrityError) else fault
        result = Result(InboundOutcome.FAILED, code=passing.code)
    except Unreadable as fault:
        result = _refused(fault.code, fault.detail)
    except ValidationError as fault:
        faults = [field_error(each, prefix=("body",)) for each in fault.errors()]
        result = _refused("validation_failed", None, faults)
    except OpenQIError as fault:
        result = _refused(fault.code, fault.detail or fault.title, fault.errors)
    except Exception as fault:  # whatever it is, the message must stand in the log
        log.error("inbound_event_failed", exc_info=fault)
        result = Result(InboundOutcome.FAILED, code="internal_error")
    return result


def _refused(code: str, detail: str | None, faults: Sequence[FieldError] = ()) -> Result:
    """Names our fields, never what the message says: it may be of persons."""
    told = [detail] if detail else []
    told += [f"{each.pointer}: {each.detail}" for each in faults[:_FAULTS_TOLD]]
    if len(faults) > _FAULTS_TOLD:
        told.append(f"{len(faults) - _FAULTS_TOLD} further faults.")
    words = "".join(letter if letter.isprintable() else " " for letter in " ".join(told))
    return Result(InboundOutcome.REFUSED, code=code, detail=words[:_DETAIL_LENGTH])


def try_mapping(
    session: Session,
    *,
    actor: Actor,
    integration_id: uuid.UUID,
    data: MappingTest,
    now: datetime,
) -> MappingTestRead:
    """What the message would do with the permissions of the owner; all of it is undone."""
    integration = queries.get_integration(session, actor=actor, integration_id=integration_id)
    actor.require(Permission.INTEGRATION_WRITE, integration.place)
    mapping = data.mapping or _mapping(integration)
    if faults := list(faults_of(mapping)):
        raise InvalidMapping(errors=faults)
    acting = queries.find_acting(session, integration=integration, now=now)
    if acting is None:
        result = _OWNER_GONE
    else:
        context = Context(session, integration, acting, now)
        result = _tried(session, lambda: _apply(context, mapping, data.message), is_kept=False)
    event_type = type_at(data.message, mapping.type)
    number, rule = mapping.find_rule(event_type) or (None, None)
    return MappingTestRead(
        type=event_type,
        rule=number,
        action=rule and rule.action,
        values=_values(rule, data.message) if rule else [],
        outcome=result.outcome,
        code=result.code,
        detail=result.detail,
        resource_type=result.resource_type,
        resource_id=None if result.is_new else result.resource_id,
    )


def _values(rule: MappingRule, document: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        if rule.action is RuleAction.RECORD_DATA_POINTS:
            return read_points(rule, document)[:_VALUES_SHOWN]
        return [read_fields(rule, document)]
    except Unreadable:
        return []
