"""The table of external references."""

import uuid
from datetime import datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from app.kit.ids import new_id
from app.kit.table import Scoped, text_type


class ExternalReference(Scoped, SQLModel, table=True):
    """How another system calls one of our resources; within a programme it means one resource."""

    __tablename__ = "external_reference"
    __table_args__ = (
        sa.UniqueConstraint(
            "programme_id",
            "system",
            "resource_type",
            "external_id",
            name="uq_external_reference_external_id",  # PostgreSQL cuts longer ones
        ),
        sa.UniqueConstraint("resource_type", "resource_id", "system"),
    )

    id: uuid.UUID = Field(default_factory=new_id, primary_key=True)
    programme_id: uuid.UUID = Field(foreign_key="programme.id")
    resource_type: str = Field(sa_type=text_type(32))
    resource_id: uuid.UUID
    system: str = Field(sa_type=text_type(64))
    external_id: str = Field(sa_type=text_type(200))
    created_at: datetime
    created_by: uuid.UUID | None = None
