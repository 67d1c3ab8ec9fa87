"""Learning sessions (the address says `/sessions`) and the register of who attended."""

import uuid
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from app.kit.table import Archivable, Row, Scoped, enum_type, text_type


class SessionKind(StrEnum):
    """What a session is for."""

    LEARNING = "learning"
    PROJECT_WORK = "project_work"
    MIXED = "mixed"
    COACHING = "coaching"
    CELEBRATION = "celebration"


class SessionStatus(StrEnum):
    """Where a session stands."""

    PLANNED = "planned"
    CONFIRMED = "confirmed"
    HELD = "held"
    CANCELLED = "cancelled"
    RESCHEDULED = "rescheduled"


class AttendanceStatus(StrEnum):
    """What the register says. `not_applicable` is derived and never stored."""

    NOT_RECORDED = "not_recorded"
    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    PARTIAL = "partial"
    APOLOGIES = "apologies"
    ABSENT = "absent"
    NOT_APPLICABLE = "not_applicable"


class AttendanceMethod(StrEnum):
    """How an attendance came into the register."""

    FACILITATOR = "facilitator"
    SELF = "self"
    IMPORT = "import"
    QR = "qr"


class LearningSession(Row, Archivable, Scoped, table=True):
    """One session of a programme. `register_revision` rises with every change of its register."""

    __tablename__ = "learning_session"
    __table_args__ = (
        sa.Index(
            "uq_learning_session_programme_id_number",
            "programme_id",
            "number",
            unique=True,
            sqlite_where=sa.text("archived_at IS NULL"),
            postgresql_where=sa.text("archived_at IS NULL"),
        ),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        sa.Index("ix_learning_session_programme_id_starts_at", "programme_id", "starts_at"),
    )

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    number: int
    title: str = Field(sa_type=text_type(200))
    kind: SessionKind = Field(default=SessionKind.MIXED, sa_type=enum_type(SessionKind))
    status: SessionStatus = Field(default=SessionStatus.PLANNED, sa_type=enum_type(SessionStatus))
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    venue: str | None = Field(default=None, sa_type=text_type(500))
    url: str | None = Field(default=None, sa_type=text_type(2_000))
    faculty: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    objectives: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    materials: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    prework: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    cancel_reason: str | None = Field(default=None, sa_type=sa.Text)
    register_revision: int = 0


class Attendance(Row, Scoped, table=True):
    """One participant at one session."""

    __tablename__ = "attendance"
    __table_args__ = (sa.UniqueConstraint("session_id", "enrolment_id"),)

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    session_id: uuid.UUID = Field(foreign_key="learning_session.id")
    enrolment_id: uuid.UUID = Field(foreign_key="enrolment.id", index=True)
    status: AttendanceStatus = Field(sa_type=enum_type(AttendanceStatus))
    minutes_attended: int | None = None
    method: AttendanceMethod = Field(
        default=AttendanceMethod.FACILITATOR, sa_type=enum_type(AttendanceMethod)
    )
    make_up_of: uuid.UUID | None = Field(default=None, foreign_key="learning_session.id")
    recorded_by: uuid.UUID | None = None
