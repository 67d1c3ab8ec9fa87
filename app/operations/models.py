"""Tables of long work and of what it was given."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.access.actor import Place
from app.kit.table import Row, Scoped, enum_type, text_type


class OperationState(StrEnum):
    """The last three are final."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it."""
        return self not in (OperationState.PENDING, OperationState.RUNNING)


class Operation(Row, Scoped, table=True):
    """Long work that somebody asked for. `done` and `checkpoint` are committed with each chunk.

    `error` holds a problem, `result` what the kind of work says it is. `runner` is who works on it:
    whoever takes it over writes a name of its own, and the one before can commit nothing more.
    """

    __tablename__ = "operation"
    __table_args__ = (
        sa.Index("ix_operation_programme_id_created_at", "programme_id", "created_at"),
        sa.Index("ix_operation_expires_at", "expires_at"),
    )

    programme_id: uuid.UUID = Field(foreign_key="programme.id")
    project_id: uuid.UUID | None = Field(default=None, foreign_key="project.id")
    owner_id: uuid.UUID = Field(foreign_key="app_user.id", index=True)
    token_id: uuid.UUID | None = None
    scopes: list[str] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    request_id: str | None = Field(default=None, sa_type=text_type(128))
    kind: str = Field(sa_type=text_type(64))
    state: OperationState = Field(default=OperationState.PENDING, sa_type=enum_type(OperationState))
    params: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    done: int = 0
    total: int | None = None
    checkpoint: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    result: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    result_url: str | None = Field(default=None, sa_type=text_type(500))
    error: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    cancel_asked_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    expires_at: datetime
    runner: str | None = Field(default=None, sa_type=text_type(32))

    @property
    def place(self) -> Place:
        """Where permissions to it must hold."""
        return Place(self.programme_id)


class OperationInput(SQLModel, table=True):
    """The body that an operation works on, compressed; it goes when the operation is finished."""

    __tablename__ = "operation_input"

    operation_id: uuid.UUID = Field(
        primary_key=True, foreign_key="operation.id", ondelete="CASCADE"
    )
    media_type: str = Field(sa_type=text_type(100))
    content: bytes = Field(sa_type=sa.LargeBinary)
