"""The append-only table that is both the outbox and the audit trail."""

import uuid
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.ids import new_id
from app.kit.table import Scoped, text_type


class Event(Scoped, SQLModel, table=True):
    """One thing that happened. `payload` may leave the house, `changes` never does.

    `seq` is given when the event is dispatched, so that a late commit is never skipped. `origin`
    names the system that the change came from, null for this one.
    """

    __tablename__ = "event"
    __table_args__ = (
        sa.Index("ix_event_resource", "resource_type", "resource_id", "created_at"),
        sa.Index("ix_event_programme_id_created_at", "programme_id", "created_at"),
    )

    team_column: ClassVar[str | None] = "team_id"
    project_column: ClassVar[str | None] = "project_id"

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    seq: int | None = Field(default=None, unique=True, sa_type=sa.BigInteger)
    programme_id: uuid.UUID | None = None
    project_id: uuid.UUID | None = None
    team_id: uuid.UUID | None = None
    parent_id: uuid.UUID | None = Field(default=None, index=True)
    type: str = Field(sa_type=text_type(64))
    actor_id: uuid.UUID | None = None
    token_id: uuid.UUID | None = None
    request_id: str | None = Field(default=None, sa_type=text_type(128))
    origin: str | None = Field(default=None, sa_type=text_type(200))
    resource_type: str = Field(sa_type=text_type(32))
    resource_id: uuid.UUID
    revision: int
    payload: str = Field(sa_type=sa.Text)
    changes: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    created_at: datetime
