"""The table of signals that have been told of."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.ids import new_id
from app.kit.table import text_type


class DetectedSignal(SQLModel, table=True):
    """A signal of the default chart of a measure. Its `fingerprint` is the same in every run.

    A signal that is retracted and found again is another row.
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
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    measure_id: uuid.UUID = Field(foreign_key="measure.id", index=True)
    programme_id: uuid.UUID = Field(foreign_key="programme.id")
    fingerprint: str = Field(sa_type=text_type(64))
    rule: str = Field(sa_type=text_type(64))
    direction: str | None = Field(default=None, sa_type=text_type(16))
    completed_at: str = Field(sa_type=text_type(64))  # the label of the point that completes it
    series_revision: int
    detected_at: datetime
    retracted_at: datetime | None = None
