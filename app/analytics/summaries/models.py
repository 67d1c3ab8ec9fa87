"""The summary of a measure's chart: derived, at most one row a measure, made anew when behind."""

import uuid
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.table import text_type


class MeasureSummary(SQLModel, table=True):
    """What the chart of a measure said at `series_revision` under the settings of `fingerprint`.

    Not a resource: it has no identity, no history and no events of its own, and can be deleted at
    any time. Numbers are in the displayed unit; null is undefined. `baseline_*` and `current_*` are
    the two phases that an aim is measured between.
    """

    __tablename__ = "measure_summary"

    measure_id: uuid.UUID = Field(primary_key=True, foreign_key="measure.id")
    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    series_revision: int
    engine_version: str = Field(sa_type=text_type(16))
    fingerprint: str = Field(sa_type=text_type(64))
    computed_at: datetime
    fault_code: str | None = Field(default=None, sa_type=text_type(64))
    fault_detail: str | None = Field(default=None, sa_type=sa.Text)
    chart: str = Field(sa_type=text_type(16))
    rule_set: str | None = Field(default=None, sa_type=text_type(32))
    points: int = 0
    latest_on: date | None = None
    latest_value: float | None = None
    centre: float | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None
    target: float | None = None
    variation: str | None = Field(default=None, sa_type=text_type(32))
    assurance: str | None = Field(default=None, sa_type=text_type(16))
    signals: int = 0
    improvement_signals: int = 0
    concern_signals: int = 0
    latest_signals: list[dict[str, Any]] = Field(default_factory=list, sa_type=sa.JSON)
    baseline_phase: int | None = None
    baseline_starts_on: date | None = None
    baseline_centre: float | None = None
    baseline_points: int = 0
    current_phase: int | None = None
    current_starts_on: date | None = None
    current_centre: float | None = None
    current_points: int = 0
    current_high_signals: int = 0
    current_low_signals: int = 0
