"""The one table that roles come from."""

import uuid
from datetime import date

import sqlalchemy as sa
from sqlmodel import Field

from app.access.permissions import Role
from app.kit.table import Row, Scoped, enum_type


class Membership(Row, Scoped, table=True):
    """A person's role on the platform, in a programme or in a team, between two days.

    `enrolment_id` names the enrolment that it follows from; it then ends with the enrolment.
    """

    __tablename__ = "membership"
    __table_args__ = (
        sa.CheckConstraint(
            "(role = 'platform_admin') = (programme_id IS NULL)", name="programme_unless_platform"
        ),
        sa.CheckConstraint(
            "(role IN ('coach', 'team_lead', 'member')) = (team_id IS NOT NULL)",
            name="team_of_team_roles",
        ),
    )

    user_id: uuid.UUID = Field(foreign_key="app_user.id", index=True)
    role: Role = Field(sa_type=enum_type(Role))
    programme_id: uuid.UUID | None = Field(default=None, foreign_key="programme.id", index=True)
    team_id: uuid.UUID | None = Field(default=None, foreign_key="team.id")
    enrolment_id: uuid.UUID | None = Field(default=None, foreign_key="enrolment.id", index=True)
    starts_on: date
    ends_on: date | None = Field(default=None)
