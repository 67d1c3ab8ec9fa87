"""Tables of releases, and of projects that came from another server."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.table import Row, Scoped, enum_type, text_type


class Audience(StrEnum):
    """Who may see a released project, each wider than the one before."""

    TEAM = "team"
    PROGRAMME = "programme"
    NETWORK = "network"
    PUBLIC = "public"


class ReleaseState(StrEnum):
    """A withdrawn release stays as a record."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Release(Row, Scoped, table=True):
    """A project given to an audience, by whom and when; at most one at a time.

    `small_numbers` holds what the check of small numbers found, and who accepted it.
    """

    __tablename__ = "release"
    __table_args__ = (
        sa.Index(
            "uq_release_project_id",
            "project_id",
            unique=True,
            sqlite_where=sa.text("state = 'published'"),
            postgresql_where=sa.text("state = 'published'"),
        ),
        sa.Index("ix_release_audience_state", "audience", "state"),
    )
    project_column: ClassVar[str | None] = "project_id"
    parent_column: ClassVar[str | None] = "project_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    project_id: uuid.UUID = Field(foreign_key="project.id", index=True)
    audience: Audience = Field(sa_type=enum_type(Audience))
    state: ReleaseState = Field(default=ReleaseState.PUBLISHED, sa_type=enum_type(ReleaseState))
    note: str | None = Field(default=None, sa_type=sa.Text)
    license: str = Field(sa_type=text_type(64))
    small_numbers: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    released_by: uuid.UUID
    released_at: datetime
    withdrawn_by: uuid.UUID | None = None
    withdrawn_at: datetime | None = None
    withdrawal_reason: str | None = Field(default=None, sa_type=sa.Text)


class ReceivedProject(SQLModel, table=True):
    """Where a project of another server came from. It is read-only here.

    `source` is the address of that server, `source_revision` what was last fetched.
    """

    __tablename__ = "received_project"
    __table_args__ = (sa.UniqueConstraint("integration_id", "source_project_id"),)

    project_id: uuid.UUID = Field(primary_key=True, foreign_key="project.id")
    integration_id: uuid.UUID = Field(foreign_key="integration.id")
    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    source: str = Field(sa_type=text_type(2000))
    source_project_id: uuid.UUID
    source_release_id: uuid.UUID
    source_revision: str = Field(sa_type=text_type(100))
    license: str = Field(sa_type=text_type(64))
    received_at: datetime
    fetched_at: datetime
    withdrawn_at: datetime | None = None
