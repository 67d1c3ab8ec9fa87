"""Reads of long work: one's own, and with `operation:read` all of a programme."""

import uuid

import sqlalchemy as sa
from sqlmodel import Session, col, select

from app.access.actor import Actor
from app.access.permissions import Permission, scope_of
from app.access.scope import covers
from app.kit.errors import NotFound
from app.kit.pagination import Page, Pager, order_by
from app.operations.models import Operation, OperationInput
from app.operations.schemas import OperationQuery


def _readable(actor: Actor) -> sa.ColumnElement[bool]:
    """A token without the scope still follows the work that it has asked for itself."""
    own = col(Operation.owner_id) == actor.user_id
    if actor.bound_programme_id is not None:
        own &= col(Operation.programme_id) == actor.bound_programme_id
    if actor.scopes is not None and scope_of(Permission.OPERATION_READ) not in actor.scopes:
        return own & (col(Operation.token_id) == actor.token_id)
    return own | covers(actor, Operation, Permission.OPERATION_READ)


def get_operation(
    session: Session, *, actor: Actor, operation_id: uuid.UUID, lock: bool = False
) -> Operation:
    """One operation. Raises `NotFound`. With `lock`, no chunk of it commits meanwhile."""
    statement = select(Operation).where(_readable(actor), Operation.id == operation_id)
    row = session.exec(statement.with_for_update() if lock else statement).one_or_none()
    if row is None:
        raise NotFound
    return row


def list_operations(
    session: Session, *, actor: Actor, query: OperationQuery, pager: Pager
) -> Page[Operation]:
    """A page of operations, latest first."""
    statement = select(Operation).where(_readable(actor))
    if query.state:
        statement = statement.where(col(Operation.state).in_(query.state))
    for column, wanted in (
        (Operation.kind, query.kind),
        (Operation.programme_id, query.programme_id),
        (Operation.project_id, query.project_id),
    ):
        if wanted is not None:
            statement = statement.where(col(column) == wanted)
    order = order_by(
        [query.sort], {"created_at": Operation.created_at}, default="-created_at", last=Operation.id
    )
    return pager.page(session, statement, query=query, order=order)


def get_input(session: Session, *, operation_id: uuid.UUID) -> OperationInput:
    """What an operation was given; for its runner."""
    return session.exec(
        select(OperationInput).where(OperationInput.operation_id == operation_id)
    ).one()
