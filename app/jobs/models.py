"""Tables of durable jobs. `job` holds unfinished work only, so it stays small.

Instants are Unix milliseconds in UTC: they are compared and added in SQL on both databases.
"""

import uuid
from typing import Any

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.ids import new_id
from app.kit.table import text_type

# SQLite numbers rows by itself only where the type is INTEGER.
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


class _Work(SQLModel):
    """What is to be done; `programme_id` is the tenant, for whoever administers it."""

    queue: str = Field(sa_type=text_type(32))
    kind: str = Field(sa_type=text_type(64))
    lane: str = Field(default="", sa_type=text_type(100))
    key: str | None = Field(default=None, sa_type=text_type(200))
    args: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    programme_id: str | None = Field(default=None, sa_type=text_type(36))
    attempt: int = 0
    error: str | None = Field(default=None, sa_type=sa.Text)
    created_at: int = Field(sa_type=sa.BigInteger)


class Job(_Work, table=True):
    """Work that is due at `run_at`. A claim moves that one lease ahead, so a crash loses nothing.

    `lane` is the unit of fairness, `key` makes enqueueing idempotent, `attempt` counts claims.
    """

    __tablename__ = "job"
    __table_args__ = (
        sa.Index("ix_job_queue_run_at", "queue", "run_at"),
        sa.Index("ix_job_lane", "lane"),
        sa.UniqueConstraint("key"),
        {"sqlite_autoincrement": True},  # or SQLite would give the number of a dead job again
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=_NUMBER)
    run_at: int = Field(sa_type=sa.BigInteger)
    lease: str | None = Field(default=None, sa_type=text_type(36))
    worker: str | None = Field(default=None, sa_type=text_type(100))


class DeadJob(_Work, table=True):
    """Work that was given up; a person may try it again."""

    __tablename__ = "job_dead"
    __table_args__ = (sa.Index("ix_job_dead_died_at", "died_at"),)

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    job_id: int = Field(sa_type=sa.BigInteger)  # as the log names it
    died_at: int = Field(sa_type=sa.BigInteger)


class Schedule(SQLModel, table=True):
    """Work that returns: `next_at` is the next tick of `cron`, in the time zone `tz`."""

    __tablename__ = "schedule"

    name: str = Field(primary_key=True, sa_type=text_type(64))
    kind: str = Field(sa_type=text_type(64))
    cron: str = Field(sa_type=text_type(64))
    tz: str = Field(default="UTC", sa_type=text_type(64))
    args: dict[str, Any] = Field(default_factory=dict, sa_type=sa.JSON)
    is_enabled: bool = True
    next_at: int = Field(sa_type=sa.BigInteger)
    last_at: int | None = Field(default=None, sa_type=sa.BigInteger)
