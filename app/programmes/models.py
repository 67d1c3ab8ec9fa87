"""Programmes: the tenant that every other row belongs to."""

import uuid
from datetime import date
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from app.kit.table import Archivable, Row, Scoped, enum_type, text_type


class ProgrammeState(StrEnum):
    """`draft > recruiting > launched > running > closing > closed`, or `cancelled` before that."""

    DRAFT = "draft"
    RECRUITING = "recruiting"
    LAUNCHED = "launched"
    RUNNING = "running"
    CLOSING = "closing"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Confidentiality(StrEnum):
    """How far the programme's existence may be known."""

    INTERNAL = "internal"
    NETWORK = "network"
    PUBLIC = "public"


class Programme(Row, Archivable, Scoped, table=True):
    """A commissioned quality-improvement programme."""

    __tablename__ = "programme"
    __table_args__ = (
        sa.CheckConstraint("commissioner_org_id <> provider_org_id", name="two_organisations"),
        sa.CheckConstraint("ends_on >= starts_on", name="ends_after_start"),
        sa.Index("ix_programme_starts_on", "starts_on"),
        sa.Index("ix_programme_updated_at", "updated_at"),
    )
    programme_column: ClassVar[str] = "id"

    title: str = Field(sa_type=text_type(200))
    description: str | None = Field(default=None, sa_type=sa.Text)
    commissioner_org_id: uuid.UUID = Field(foreign_key="organisation.id", index=True)
    provider_org_id: uuid.UUID = Field(foreign_key="organisation.id", index=True)
    starts_on: date
    ends_on: date
    timezone: str = Field(default="Europe/London", sa_type=text_type(64))
    areas: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    capacity: int | None = None
    session_target: int = 8
    rule_set: str | None = Field(default=None, sa_type=text_type(32))
    confidentiality: Confidentiality = Field(
        default=Confidentiality.INTERNAL, sa_type=enum_type(Confidentiality)
    )
    state: ProgrammeState = Field(default=ProgrammeState.DRAFT, sa_type=enum_type(ProgrammeState))
    first_session_on: date | None = None  # written by learning_sessions; says who joined late
    retention_ends_on: date | None = None
