"""Starts, cancels and finishes long work, each with its event."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access import records
from app.access.actor import Actor
from app.access.permissions import Permission
from app.events import outbox
from app.events.catalogue import Resource, Verb
from app.events.outbox import Origin
from app.jobs.actions import enqueue
from app.jobs.kinds import Kind
from app.kit.errors import Conflict
from app.operations import queries
from app.operations.models import Operation, OperationInput, OperationState

# One at a time of a programme and process: whoever loads ten files must not hold up the others.
OPERATION = Kind("operation.run", queue="heavy", lane_cap=1)
KEPT_FOR = timedelta(days=7)


class OperationFinished(Conflict):
    """409: what has come to its end can no longer be cancelled."""

    code = "operation_finished"
    title = "It is finished; nothing is left to cancel."


class Given(NamedTuple):
    """What an operation works on; `content` is compressed by whoever reads it again."""

    media_type: str
    content: bytes


def job_key(operation_id: uuid.UUID) -> str:
    """The key of the job that runs an operation."""
    return f"operation:{operation_id.hex}"


def start_operation(
    session: Session,
    *,
    actor: Actor,
    kind: str,
    programme_id: uuid.UUID,
    project_id: uuid.UUID | None = None,
    params: Mapping[str, Any],
    given: Given | None = None,
    total: int | None = None,
    now: datetime,
) -> Operation:
    """Long work of one programme, and the job that runs it.

    The caller has checked that the actor may ask for it; each chunk is checked again.
    """
    row = Operation(
        programme_id=programme_id,
        project_id=project_id,
        owner_id=actor.user_id,
        token_id=actor.token_id,
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        request_id=actor.request_id,
        kind=kind,
        params=dict(params),
        total=total,
        expires_at=now + KEPT_FOR,
    )
    told = {"kind": kind, "state": row.state}
    records.keep_new(session, actor=actor, noun=Resource.OPERATION, row=row, now=now, data=told)
    if given is not None:
        session.add(OperationInput(operation_id=row.id, **given._asdict()))
    enqueue(
        session,
        OPERATION,
        {"operation_id": row.id.hex},
        key=job_key(row.id),
        lane=f"operations:{programme_id.hex}",
        programme_id=programme_id,
    )
    session.flush()
    return row


def _is_own(actor: Actor, row: Operation) -> bool:
    """Whether the actor asked for it. A token that may only read ends nothing but its own work."""
    is_theirs = actor.token_id is None or actor.token_id == row.token_id
    return is_theirs and actor.user_id == row.owner_id


def cancel_operation(
    session: Session, *, actor: Actor, operation_id: uuid.UUID, now: datetime
) -> Operation:
    """End what waits at once, and what runs before its next chunk. What is done stays done."""
    row = queries.get_operation(session, actor=actor, operation_id=operation_id, lock=True)
    if not _is_own(actor, row):
        actor.require(Permission.JOB_WRITE)
    if row.state.is_final:
        raise OperationFinished
    if row.cancel_asked_at is None:
        row.cancel_asked_at = row.updated_at = now
    if row.state is OperationState.PENDING:
        finish(session, row, state=OperationState.CANCELLED, now=now, origin=actor.origin)
    session.flush()
    return row


def fail_all(
    session: Session, ids: Sequence[uuid.UUID], *, now: datetime, error: Mapping[str, Any]
) -> None:
    """The end of those that are not over yet."""
    statement = select(Operation).where(col(Operation.id).in_(ids)).order_by(col(Operation.id))
    for row in session.exec(statement.with_for_update()):
        if not row.state.is_final:
            finish(session, row, state=OperationState.FAILED, now=now, error=error)


def finish(
    session: Session,
    row: Operation,
    *,
    state: OperationState,
    now: datetime,
    error: Mapping[str, Any] | None = None,
    origin: Origin | None = None,
) -> None:
    """The end of an operation; what it was given goes. Its owner stands as the one who did it."""
    before = row.state
    row.state = state
    row.error = None if error is None else dict(error)
    row.finished_at = row.updated_at = now
    row.expires_at = now + KEPT_FOR
    row.runner = None
    session.execute(sa.delete(OperationInput).where(col(OperationInput.operation_id) == row.id))
    session.flush()
    outbox.record(
        session,
        noun=Resource.OPERATION,
        verb=Verb.FINISHED,
        resource_id=row.id,
        revision=row.revision,
        programme_id=row.programme_id,
        project_id=row.project_id,
        origin=origin or Origin(row.owner_id, row.token_id, row.request_id),
        now=now,
        changes={"state": (before, state)},
        data={"kind": row.kind, "state": state},
    )
