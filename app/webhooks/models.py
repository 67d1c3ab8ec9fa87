"""Tables of subscribers, what is delivered to them, and each attempt."""

import uuid
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.access.actor import Place
from app.events.outbox import message_id
from app.kit.ids import new_id
from app.kit.table import Archivable, Row, Scoped, enum_type, text_type

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def sealed_for(endpoint_id: uuid.UUID) -> str:
    """What the sealed secrets of an endpoint are bound to."""
    return f"webhook_endpoint:{endpoint_id}"


class EndpointState(StrEnum):
    """Paused by a person, or disabled by the software after lasting failure."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """All but `pending` are final."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class WebhookEndpoint(Row, Archivable, Scoped, table=True):
    """Where events of a programme are sent, for as long as its owner may read what they tell of.

    `event_types` as stated, wildcards included; empty means all. `scopes` narrows the owner's
    permissions to those of the personal token that made it; once that is revoked or has expired,
    nothing is sent. Events whose origin is `not_from` are left out, so that a platform does not
    hear of its own changes. The columns from `failures` on are the worker's: they change without a
    new revision.
    """

    __tablename__ = "webhook_endpoint"
    __table_args__ = (sa.Index("ix_webhook_endpoint_programme_id_state", "programme_id", "state"),)

    programme_id: uuid.UUID = Field(foreign_key="programme.id")
    owner_id: uuid.UUID = Field(foreign_key="app_user.id", index=True)
    token_id: uuid.UUID | None = Field(default=None, foreign_key="personal_token.id")
    scopes: list[str] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    url: str = Field(sa_type=text_type(2000))
    description: str = Field(default="", sa_type=text_type(500))
    event_types: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    not_from: str | None = Field(default=None, sa_type=text_type(200))
    secret: str = Field(sa_type=sa.Text)  # sealed
    old_secret: str | None = Field(default=None, sa_type=sa.Text)  # sealed
    old_secret_until: datetime | None = None
    state: EndpointState = Field(default=EndpointState.ENABLED, sa_type=enum_type(EndpointState))
    disabled_reason: str | None = Field(default=None, sa_type=text_type(200))
    failures: int = 0  # consecutive
    failing_since: datetime | None = None
    exhausted: int = 0  # messages given up since the last success
    open_until: datetime | None = None  # the circuit breaker
    last_success_at: datetime | None = None

    @property
    def place(self) -> Place:
        """Where permissions to it must hold."""
        return Place(self.programme_id)

    @property
    def sealed_for(self) -> str:
        """What its sealed secrets are bound to."""
        return sealed_for(self.id)


class WebhookDelivery(Scoped, SQLModel, table=True):
    """One event for one endpoint; a replay is a further row with the next number."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        sa.UniqueConstraint("event_id", "endpoint_id", "replay"),
        sa.Index("ix_webhook_delivery_endpoint_id_created_at", "endpoint_id", "created_at"),
        sa.Index("ix_webhook_delivery_programme_id_created_at", "programme_id", "created_at"),
        sa.Index("ix_webhook_delivery_created_at", "created_at"),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    programme_id: uuid.UUID = Field(foreign_key="programme.id")
    event_id: uuid.UUID = Field(foreign_key="event.id")
    endpoint_id: uuid.UUID = Field(foreign_key="webhook_endpoint.id")
    event_type: str = Field(sa_type=text_type(64))
    replay: int = 0
    state: DeliveryState = Field(default=DeliveryState.PENDING, sa_type=enum_type(DeliveryState))
    attempts: int = 0
    next_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = Field(default=None, sa_type=text_type(500))
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def webhook_id(self) -> str:
        """The message's name on the wire: that of the event, in every replay."""
        return message_id(self.event_id)


class WebhookAttempt(SQLModel, table=True):
    """One call: what was answered, or why nothing was."""

    __tablename__ = "webhook_attempt"

    id: int | None = Field(default=None, primary_key=True, sa_type=_NUMBER)
    delivery_id: uuid.UUID = Field(
        foreign_key="webhook_delivery.id", ondelete="CASCADE", index=True
    )
    number: int
    at: datetime
    milliseconds: int
    status: int | None = None
    error: str | None = Field(default=None, sa_type=text_type(500))
    response_head: str | None = Field(default=None, sa_type=sa.Text)
    remote_address: str | None = Field(default=None, sa_type=text_type(64))
