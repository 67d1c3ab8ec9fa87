"""A worker's hold on an operation: what it commits, it commits only while the operation is its own.

Whoever takes an operation over writes a name of its own into the row; the one before finds that out
in its next transaction, which then writes nothing. So a chunk is done once, even where a worker
wakes up long after its lease.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlmodel import Session, select

from app.access.actor import Actor
from app.access.owners import find_owners
from app.kit.db import Database
from app.kit.errors import Forbidden
from app.operations.actions import finish
from app.operations.models import Operation, OperationState
from app.operations.steps import Chunk, LastStep, Turn


class PermissionEnded(Forbidden):
    """403: whoever asked for the work may do it no more, so it stops."""

    title = "Whoever asked for this may do it no more."


class TakenOver(Exception):
    """Another worker has the operation now."""


@dataclass(frozen=True, slots=True)
class Hold:
    """One worker's hold on one operation, under a name of its own."""

    database: Database
    operation_id: uuid.UUID
    name: str
    clock: Callable[[], datetime]

    def take(self) -> Operation | None:
        """The operation, ours from now on; None where nothing is left to do."""
        now = self.clock()
        with self.database.transaction() as session:
            row = self._lock(session)
            if row is None or row.state.is_final or self._is_cancelled(session, row, now):
                return None
            row.state = OperationState.RUNNING
            row.started_at = row.started_at or now
            row.updated_at = now
            row.runner = self.name
        return row

    def work(self, chunk: Chunk) -> bool:
        """One chunk and its progress, in one transaction; whether that was the end."""
        now = self.clock()
        with self.database.transaction() as session:
            row = self._held(session)
            if self._is_cancelled(session, row, now):
                return True
            step = chunk(Turn(session, self._actor(session, row, now), row, now))
            row.done = row.done if step.done is None else step.done
            row.total = row.total if step.total is None else step.total
            if step.checkpoint is not None:
                row.checkpoint = dict(step.checkpoint)
            if session.is_modified(row):
                row.updated_at = now
            if not isinstance(step, LastStep):
                return False
            row.result = None if step.result is None else dict(step.result)
            row.result_url = step.result_url
            finish(session, row, state=OperationState.SUCCEEDED, now=now)
        return True

    def fail(self, error: Mapping[str, Any]) -> None:
        """The end, with its reason."""
        with self.database.transaction() as session:
            row = self._held(session)
            finish(session, row, state=OperationState.FAILED, now=self.clock(), error=error)

    def _lock(self, session: Session) -> Operation | None:
        statement = select(Operation).where(Operation.id == self.operation_id)
        return session.exec(statement.with_for_update()).one_or_none()

    def _held(self, session: Session) -> Operation:
        row = self._lock(session)
        if row is None or row.runner != self.name:
            raise TakenOver
        return row

    def _is_cancelled(self, session: Session, row: Operation, now: datetime) -> bool:
        if row.cancel_asked_at is None:
            return False
        finish(session, row, state=OperationState.CANCELLED, now=now)
        return True

    def _actor(self, session: Session, row: Operation, now: datetime) -> Actor:
        owner = find_owners(session, [row], now=now).get(row.id)
        if owner is None:
            raise PermissionEnded
        return replace(owner, bound_programme_id=row.programme_id, request_id=row.request_id)
