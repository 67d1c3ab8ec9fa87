"""Tables of connections to other platforms and of the messages that came from them."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.access.actor import Place
from app.kit.ids import new_id
from app.kit.table import Archivable, Row, Scoped, enum_type, text_type


class Platform(StrEnum):
    """What is at the other end: another OpenQI is understood without a mapping."""

    OPENQI = "openqi"
    GENERIC = "generic"


class IntegrationState(StrEnum):
    """A paused connection refuses messages; their sender will try again."""

    ENABLED = "enabled"
    PAUSED = "paused"


class InboundOutcome(StrEnum):
    """What became of a message. `pending` and `failed` may still be tried again."""

    PENDING = "pending"
    APPLIED = "applied"
    UNCHANGED = "unchanged"
    IGNORED = "ignored"
    REFUSED = "refused"
    FAILED = "failed"


class Integration(Row, Archivable, Scoped, table=True):
    """A connection to one platform, acting with the permissions of its owner, and never more.

    `scopes` are those of the personal token that made it, if one did; it acts as long as that
    holds. `system` names the platform in external references. `mapping` holds `schemas.Mapping`.
    For an OpenQI at the other end, `base_url` and `token` (sealed) are how released projects are
    fetched.
    """

    __tablename__ = "integration"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    owner_id: uuid.UUID = Field(foreign_key="app_user.id", index=True)
    token_id: uuid.UUID | None = Field(default=None, foreign_key="personal_token.id")
    scopes: list[str] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    name: str = Field(sa_type=text_type(200))
    platform: Platform = Field(default=Platform.GENERIC, sa_type=enum_type(Platform))
    system: str = Field(sa_type=text_type(64))
    state: IntegrationState = Field(
        default=IntegrationState.ENABLED, sa_type=enum_type(IntegrationState)
    )
    mapping: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    secret: str = Field(sa_type=sa.Text)  # sealed
    old_secret: str | None = Field(default=None, sa_type=sa.Text)  # sealed
    old_secret_until: datetime | None = None
    base_url: str | None = Field(default=None, sa_type=text_type(2000))
    token: str | None = Field(default=None, sa_type=sa.Text)  # sealed

    @property
    def place(self) -> Place:
        """Where permissions to it must hold."""
        return Place(self.programme_id)


class InboundEvent(Scoped, SQLModel, table=True):
    """One message of a platform; its sender's id makes it idempotent.

    `repeated_at` is when it came last, if it came again: until long after, it must be known.
    """

    __tablename__ = "inbound_event"
    __table_args__ = (
        sa.UniqueConstraint("integration_id", "sender_id"),
        sa.Index("ix_inbound_event_integration_id_received_at", "integration_id", "received_at"),
        sa.Index("ix_inbound_event_received_at", "received_at"),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    programme_id: uuid.UUID = Field(foreign_key="programme.id")
    integration_id: uuid.UUID = Field(foreign_key="integration.id")
    sender_id: str = Field(sa_type=text_type(200))
    type: str = Field(sa_type=text_type(100))
    subject: str | None = Field(default=None, sa_type=text_type(200))  # what their id is of it
    digest: str = Field(sa_type=text_type(64))  # SHA-256 of the body, in hex
    received_at: datetime
    repeated_at: datetime | None = None
    outcome: InboundOutcome = Field(
        default=InboundOutcome.PENDING, sa_type=enum_type(InboundOutcome)
    )
    code: str | None = Field(default=None, sa_type=text_type(64))
    detail: str | None = Field(default=None, sa_type=text_type(500))
    resource_type: str | None = Field(default=None, sa_type=text_type(32))
    resource_id: uuid.UUID | None = None
    finished_at: datetime | None = None
