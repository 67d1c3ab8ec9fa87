"""Measures of a project, their data points, and what people decide about their series."""

import uuid
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from app.kit.clock import utc_now
from app.kit.table import Archivable, Row, Scoped, enum_type, text_type


class Family(StrEnum):
    """What a measure tells: the result, the work, or what may suffer meanwhile."""

    OUTCOME = "outcome"
    PROCESS = "process"
    BALANCING = "balancing"
    STRUCTURE = "structure"


class DataType(StrEnum):
    """What one data point is."""

    COUNT = "count"
    PROPORTION = "proportion"
    RATE = "rate"
    CONTINUOUS = "continuous"
    TIME_BETWEEN = "time_between"
    COUNT_BETWEEN = "count_between"
    YES_NO = "yes_no"


# These hold a numerator and a denominator; the others hold a value.
RATIO_TYPES = frozenset({DataType.PROPORTION, DataType.RATE, DataType.YES_NO})
# In these the numerator is part of the denominator.
SHARE_TYPES = frozenset({DataType.PROPORTION, DataType.YES_NO})


class Direction(StrEnum):
    """Which way is better."""

    INCREASE = "increase"
    DECREASE = "decrease"
    NEUTRAL = "neutral"


class PointStatus(StrEnum):
    """How far a data point can be relied on."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    CORRECTED = "corrected"


class PointSource(StrEnum):
    """How a data point came in."""

    MANUAL = "manual"
    IMPORT = "import"
    API = "api"


class PhaseReason(StrEnum):
    """Why lines are taken anew."""

    INITIAL = "initial"
    CHANGE_ADOPTED = "change_adopted"
    DEFINITION_CHANGE = "definition_change"
    ENVIRONMENT = "environment"
    OTHER = "other"


class PhaseStatus(StrEnum):
    """Only an approved phase is drawn. What was declined or revoked stays, and can come back."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    DECLINED = "declined"
    REVOKED = "revoked"


class AnnotationKind(StrEnum):
    """What an annotation tells of."""

    NOTE = "note"
    CHANGE = "change"
    EVENT = "event"
    PDSA = "pdsa"


class Measure(Row, Archivable, Scoped, table=True):
    """A measure with its chart settings.

    `series_revision` and `series_changed_at` change with whatever the chart prints, without
    touching the row's own revision: data entry never breaks somebody's edit of the definition.
    """

    __tablename__ = "measure"
    __table_args__ = (
        sa.Index(
            "uq_measure_project_id_code",
            "project_id",
            "code",
            unique=True,
            sqlite_where=sa.text("archived_at IS NULL"),
            postgresql_where=sa.text("archived_at IS NULL"),
        ),
        sa.Index(
            "uq_measure_project_id_headline",
            "project_id",
            unique=True,
            sqlite_where=sa.text("is_headline AND archived_at IS NULL"),
            postgresql_where=sa.text("is_headline AND archived_at IS NULL"),
        ),
        sa.Index("ix_measure_project_id_position", "project_id", "position"),
    )
    project_column: ClassVar[str | None] = "project_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    project_id: uuid.UUID = Field(foreign_key="project.id", index=True)
    code: str | None = Field(default=None, sa_type=text_type(64))
    name: str = Field(sa_type=text_type(200))
    family: Family = Field(sa_type=enum_type(Family))
    data_type: DataType = Field(sa_type=enum_type(DataType))
    operational_definition: str | None = Field(default=None, sa_type=sa.Text)
    numerator_definition: str | None = Field(default=None, sa_type=sa.Text)
    denominator_definition: str | None = Field(default=None, sa_type=sa.Text)
    definition_version: int = 1
    unit: str | None = Field(default=None, sa_type=text_type(64))
    multiplier: float = 1.0
    direction: Direction = Field(sa_type=enum_type(Direction))
    targets: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)
    collection: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    chart: str | None = Field(default=None, sa_type=text_type(16))
    rule_set: str | None = Field(default=None, sa_type=text_type(32))
    baseline_points: int | None = None
    is_headline: bool = False
    position: int = 0
    series_revision: int = 0
    series_changed_at: datetime = Field(default_factory=utc_now)


class DataPoint(Row, Archivable, Scoped, table=True):
    """One period of a measure; at most one live point a stratum and period.

    `value` of a ratio is numerator / denominator; null wherever that is undefined.
    """

    __tablename__ = "data_point"
    __table_args__ = (
        sa.Index(
            "uq_data_point_measure_id_stratum_period_start",
            "measure_id",
            "stratum",
            "period_start",
            unique=True,
            sqlite_where=sa.text("archived_at IS NULL"),
            postgresql_where=sa.text("archived_at IS NULL"),
        ),
        sa.CheckConstraint(
            "period_end IS NULL OR period_end >= period_start", name="ends_after_start"
        ),
        sa.CheckConstraint(
            "denominator IS NULL OR denominator >= 0", name="denominator_not_below_0"
        ),
    )
    project_column: ClassVar[str | None] = "project_id"
    parent_column: ClassVar[str | None] = "measure_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    project_id: uuid.UUID = Field(foreign_key="project.id")
    measure_id: uuid.UUID = Field(foreign_key="measure.id")
    stratum: str = Field(default="", sa_type=text_type(64))
    period_start: date
    period_end: date | None = None
    value: float | None = None
    numerator: float | None = None
    denominator: float | None = None
    note: str | None = Field(default=None, sa_type=sa.Text)
    status: PointStatus = Field(default=PointStatus.FINAL, sa_type=enum_type(PointStatus))
    source: PointSource = Field(default=PointSource.API, sa_type=enum_type(PointSource))
    excluded: bool = False
    excluded_reason: str | None = Field(default=None, sa_type=sa.Text)
    excluded_by: uuid.UUID | None = None
    excluded_at: datetime | None = None
    entered_by: uuid.UUID | None = None
    entered_at: datetime = Field(default_factory=utc_now)


class Phase(Row, Archivable, Scoped, table=True):
    """A part of a series with lines of its own, from a day on; who decided it, when and why.

    `detector` and `candidate_id` say which computed proposal it answers; without them a person
    thought of it. `pdsa_cycle_ids` names cycles of the project.
    """

    __tablename__ = "phase"
    __table_args__ = (
        sa.Index(
            "uq_phase_measure_id_starts_on",
            "measure_id",
            "starts_on",
            unique=True,
            sqlite_where=sa.text("status = 'approved' AND archived_at IS NULL"),
            postgresql_where=sa.text("status = 'approved' AND archived_at IS NULL"),
        ),
        sa.Index("ix_phase_measure_id_starts_on", "measure_id", "starts_on"),
        sa.CheckConstraint("baseline_points IS NULL OR baseline_points >= 1", name="has_baseline"),
    )
    project_column: ClassVar[str | None] = "project_id"
    parent_column: ClassVar[str | None] = "measure_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    project_id: uuid.UUID = Field(foreign_key="project.id")
    measure_id: uuid.UUID = Field(foreign_key="measure.id")
    starts_on: date
    label: str | None = Field(default=None, sa_type=text_type(100))
    reason: PhaseReason = Field(sa_type=enum_type(PhaseReason))
    reason_text: str | None = Field(default=None, sa_type=sa.Text)
    baseline_points: int | None = None
    status: PhaseStatus = Field(sa_type=enum_type(PhaseStatus))
    decision_reason: str | None = Field(default=None, sa_type=sa.Text)
    decided_by: uuid.UUID | None = None
    decided_at: datetime | None = None
    detector: str | None = Field(default=None, sa_type=text_type(32))
    candidate_id: str | None = Field(default=None, sa_type=text_type(16))
    checklist: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    pdsa_cycle_ids: list[str] = Field(default_factory=list, sa_type=sa.JSON)


class Annotation(Row, Archivable, Scoped, table=True):
    """What happened on a day, marked on the chart, and the signals that it explains."""

    __tablename__ = "annotation"
    __table_args__ = (
        sa.Index("ix_annotation_measure_id_happened_on", "measure_id", "happened_on"),
    )
    project_column: ClassVar[str | None] = "project_id"
    parent_column: ClassVar[str | None] = "measure_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    project_id: uuid.UUID = Field(foreign_key="project.id")
    measure_id: uuid.UUID = Field(foreign_key="measure.id")
    happened_on: date
    kind: AnnotationKind = Field(sa_type=enum_type(AnnotationKind))
    text: str = Field(sa_type=sa.Text)
    explains: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    pdsa_cycle_ids: list[str] = Field(default_factory=list, sa_type=sa.JSON)
