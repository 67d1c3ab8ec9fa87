"""Teams and who belongs to them, when."""

import uuid
from datetime import date
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from app.kit.table import Archivable, Row, Scoped, text_type


class Team(Row, Archivable, Scoped, table=True):
    """A team of a programme, usually of one area."""

    __tablename__ = "team"
    __table_args__ = (
        sa.Index(
            "uq_team_programme_id_name",
            "programme_id",
            "name",
            unique=True,
            sqlite_where=sa.text("archived_at IS NULL"),
            postgresql_where=sa.text("archived_at IS NULL"),
        ),
    )
    team_column: ClassVar[str | None] = "id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    name: str = Field(sa_type=text_type(200))
    area: str | None = Field(default=None, sa_type=text_type(200))
    coach_id: uuid.UUID | None = Field(default=None, foreign_key="app_user.id")
    sponsor: str | None = Field(default=None, sa_type=text_type(200))


class TeamMembership(Row, Scoped, table=True):
    """A participant in a team, from a day until before another; at most one live team each."""

    __tablename__ = "team_membership"
    __table_args__ = (
        sa.Index(
            "uq_team_membership_enrolment_id",
            "enrolment_id",
            unique=True,
            sqlite_where=sa.text("ends_on IS NULL"),
            postgresql_where=sa.text("ends_on IS NULL"),
        ),
    )
    team_column: ClassVar[str | None] = "team_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    team_id: uuid.UUID = Field(foreign_key="team.id", index=True)
    enrolment_id: uuid.UUID = Field(foreign_key="enrolment.id", index=True)
    is_lead: bool = False
    starts_on: date
    ends_on: date | None = None
