"""Improvement projects of teams."""

import uuid
from datetime import date
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from app.access.actor import Place
from app.kit.table import Archivable, Row, Scoped, enum_type, text_type


class ProjectState(StrEnum):
    """From idea to completed, in this order; paused and stopped can be reached from any of them."""

    IDEA = "idea"
    CHARTERED = "chartered"
    APPROVED = "approved"
    BASELINE = "baseline"
    TESTING = "testing"
    IMPLEMENTING = "implementing"
    SUSTAINING = "sustaining"
    COMPLETED = "completed"
    PAUSED = "paused"
    STOPPED = "stopped"


class Visibility(StrEnum):
    """Who may see the project; written by releases."""

    TEAM = "team"
    PROGRAMME = "programme"
    NETWORK = "network"
    PUBLIC = "public"


class PatientInvolvement(StrEnum):
    """How far patients take part in the project."""

    NONE = "none"
    INFORMED = "informed"
    CONSULTED = "consulted"
    ENGAGED = "engaged"
    CO_DESIGNED = "co_designed"
    CO_PRODUCED = "co_produced"


class Project(Row, Archivable, Scoped, table=True):
    """A team's improvement project. `aim` holds `schemas.Aim`."""

    __tablename__ = "project"
    __table_args__ = (
        sa.Index("ix_project_programme_id_updated_at", "programme_id", "updated_at"),
        sa.Index("ix_project_programme_id_title", "programme_id", "title"),
    )
    team_column: ClassVar[str | None] = "team_id"
    visibility_column: ClassVar[str | None] = "visibility"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    team_id: uuid.UUID | None = Field(default=None, foreign_key="team.id", index=True)
    title: str = Field(sa_type=text_type(200))
    problem: str | None = Field(default=None, sa_type=sa.Text)
    rationale: str | None = Field(default=None, sa_type=sa.Text)
    scope_in: str | None = Field(default=None, sa_type=sa.Text)
    scope_out: str | None = Field(default=None, sa_type=sa.Text)
    aim: dict[str, Any] | None = Field(default=None, sa_type=sa.JSON(none_as_null=True))
    area: str | None = Field(default=None, sa_type=text_type(200))
    tags: list[str] = Field(default_factory=list, sa_type=sa.JSON)
    start_on: date | None = None
    visibility: Visibility = Field(default=Visibility.TEAM, sa_type=enum_type(Visibility))
    patient_involvement: PatientInvolvement = Field(
        default=PatientInvolvement.NONE, sa_type=enum_type(PatientInvolvement)
    )
    state: ProjectState = Field(default=ProjectState.IDEA, sa_type=enum_type(ProjectState))
    paused_from: ProjectState | None = Field(default=None, sa_type=enum_type(ProjectState))
    pause_reason: str | None = Field(default=None, sa_type=sa.Text)
    review_on: date | None = None
    stop_reason: str | None = Field(default=None, sa_type=sa.Text)
    learning: str | None = Field(default=None, sa_type=sa.Text)

    @property
    def place(self) -> Place:
        """Where permissions to the project and to what is in it must hold."""
        return Place(self.programme_id, self.team_id)
