"""The tables of signals that have been told of, and of how far each measure has been looked at."""

import uuid
from datetime import date, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.ids import new_id
from app.kit.table import text_type


class DetectedSignal(SQLModel, table=True):
    """A signal of the default chart of a measure, for as long as the chart shows it.

    `fingerprint` is that of its first sight; what it spans, and the id that the chart gives it,
    move on with the data. A signal that is retracted and found again is another row.
    """

    __tablename__ = "detected_signal"
    __table_args__ = (
        sa.Index(
            "uq_detected_signal_measure_id_fingerprint",
            "measure_id",
            "fingerprint",
            unique=True,
            sqlite_where=sa.text("retracted_at IS NULL"),
            postgresql_where=sa.text("retracted_at IS NULL"),
        ),
        sa.Index("ix_detected_signal_measure_id_detected_at", "measure_id", "detected_at"),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    measure_id: uuid.UUID = Field(foreign_key="measure.id")
    programme_id: uuid.UUID = Field(foreign_key="programme.id")
    fingerprint: str = Field(sa_type=text_type(64))
    signal_id: str = Field(sa_type=text_type(16))  # that of the chart
    rule: str = Field(sa_type=text_type(64))
    rule_set: str = Field(sa_type=text_type(32))
    direction: str | None = Field(default=None, sa_type=text_type(16))
    meaning: str = Field(sa_type=text_type(16))
    starts_on: date
    ends_on: date
    completed_on: date | None = None  # null: about a whole phase, which no one point completes
    series_revision: int  # that showed it first
    detected_at: datetime
    retracted_at: datetime | None = None


class SignalWatch(SQLModel, table=True):
    """How far the signals of a measure are known; the lock of who looks at it.

    A measure that was there before signals were remembered has a row without a revision: the first
    look at it tells nobody.
    """

    __tablename__ = "signal_watch"

    measure_id: uuid.UUID = Field(primary_key=True, foreign_key="measure.id")
    series_revision: int | None = None
    looked_at: datetime | None = None
