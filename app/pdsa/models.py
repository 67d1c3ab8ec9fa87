"""Plan-Do-Study-Act cycles."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from app.kit.table import Archivable, Row, Scoped, enum_type, text_type


class CycleState(StrEnum):
    """`planned > doing > studying > acting > closed`, or `cancelled` before studying."""

    PLANNED = "planned"
    DOING = "doing"
    STUDYING = "studying"
    ACTING = "acting"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Purpose(StrEnum):
    """What a cycle is for."""

    COLLECT_INFORMATION = "collect_information"
    DEVELOP_CHANGE = "develop_change"
    TEST_CHANGE = "test_change"
    IMPLEMENT_CHANGE = "implement_change"


class PDSACycle(Row, Archivable, Scoped, table=True):
    """One cycle of a ramp. The stages hold the models of the same names in `schemas`."""

    __tablename__ = "pdsa_cycle"
    __table_args__ = (
        sa.UniqueConstraint("ramp_id", "cycle_no"),
        sa.Index("ix_pdsa_cycle_project_id_created_at", "project_id", "created_at"),
    )
    project_column: ClassVar[str | None] = "project_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    project_id: uuid.UUID = Field(foreign_key="project.id", index=True)
    ramp_id: uuid.UUID
    cycle_no: int
    previous_cycle_id: uuid.UUID | None = Field(default=None, foreign_key="pdsa_cycle.id")
    title: str = Field(sa_type=text_type(200))
    purpose: Purpose = Field(sa_type=enum_type(Purpose))
    state: CycleState = Field(default=CycleState.PLANNED, sa_type=enum_type(CycleState))
    plan: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    do: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    study: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    act: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    amendments: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)
    predictions_hash: str | None = Field(default=None, sa_type=text_type(64))
    cancel_reason: str | None = Field(default=None, sa_type=sa.Text)
    started_at: datetime | None = None
    studied_at: datetime | None = None
    closed_at: datetime | None = None
