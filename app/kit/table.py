"""What every table shares: identifier, times, revision, archive mark, names of constraints."""

import enum
import uuid
from datetime import datetime
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from app.kit.clock import utc_now
from app.kit.ids import new_id

# Constraints with known names let one place map a database error to a problem, on both databases.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def text_type(length: int | None = None) -> sa.types.TypeEngine[str]:
    """Text that sorts by code point on both databases (PostgreSQL would follow its locale)."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def enum_type(values: type[enum.StrEnum]) -> sa.Enum:
    """An enumeration stored as its lower-case values in plain text, not as a native type."""
    return sa.Enum(
        values,
        native_enum=False,
        length=32,
        values_callable=lambda members: [member.value for member in members],
    )


class Row(SQLModel):
    """Identifier, times and revision of every entity. A stale revision makes a write fail (412)."""

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    created_at: datetime = Field(default_factory=utc_now)
    created_by: uuid.UUID | None = None
    updated_at: datetime = Field(default_factory=utc_now)
    revision: int = Field(default=1)

    @declared_attr.directive
    def __mapper_args__(cls) -> dict[str, Any]:  # noqa: N805 - SQLAlchemy hands in the class
        return {"version_id_col": cls.__table__.c.revision}  # type: ignore[attr-defined]


class Archivable(SQLModel):
    """Rows are archived, never deleted: evidence must survive a slip of the hand."""

    archived_at: datetime | None = None
    archived_by: uuid.UUID | None = None


class Scoped(SQLModel):
    """Which columns say where a row belongs; `access.scope.visible_to` reads them.

    `project_column` says that the row belongs to whoever owns its project, `visibility_column` how
    far it is released by itself, `parent_column` in whose history its events stand too.
    """

    programme_column: ClassVar[str] = "programme_id"
    team_column: ClassVar[str | None] = None
    project_column: ClassVar[str | None] = None
    visibility_column: ClassVar[str | None] = None
    parent_column: ClassVar[str | None] = None
