"""People, where they work, and their enrolments in programmes."""

import uuid
from datetime import date
from enum import StrEnum
from typing import ClassVar

import sqlalchemy as sa
from sqlmodel import Field

from app.kit.table import Archivable, Row, Scoped, enum_type, text_type


class ProfessionalRole(StrEnum):
    """What somebody does in their organisation."""

    GP = "gp"
    PRACTICE_NURSE = "practice_nurse"
    ADVANCED_NURSE_PRACTITIONER = "advanced_nurse_practitioner"
    PRACTICE_MANAGER = "practice_manager"
    COMMUNITY_PHARMACIST = "community_pharmacist"
    CLINICAL_PHARMACIST = "clinical_pharmacist"
    HCA = "hca"
    RECEPTIONIST_ADMIN = "receptionist_admin"
    PATIENT_PARTNER = "patient_partner"
    OTHER = "other"


# True: clinician, False: non-clinician, None: neither. Data, so that a service can amend it.
CLINICAL: dict[ProfessionalRole, bool | None] = {
    ProfessionalRole.GP: True,
    ProfessionalRole.PRACTICE_NURSE: True,
    ProfessionalRole.ADVANCED_NURSE_PRACTITIONER: True,
    ProfessionalRole.PRACTICE_MANAGER: False,
    ProfessionalRole.COMMUNITY_PHARMACIST: True,
    ProfessionalRole.CLINICAL_PHARMACIST: True,
    ProfessionalRole.HCA: True,
    ProfessionalRole.RECEPTIONIST_ADMIN: False,
    ProfessionalRole.PATIENT_PARTNER: None,
    ProfessionalRole.OTHER: None,
}


class EnrolmentStatus(StrEnum):
    """Where a participant stands; `withdrawn`, `completed` and `transferred` are final."""

    ENROLLED = "enrolled"
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    COMPLETED = "completed"
    TRANSFERRED = "transferred"


class Person(Row, table=True):
    """One human, in however many programmes. The e-mail address is in lower case and unique."""

    __tablename__ = "person"

    given_name: str = Field(sa_type=text_type(200))
    family_name: str = Field(sa_type=text_type(200))
    email: str = Field(unique=True, sa_type=text_type(254))
    professional_id: str | None = Field(default=None, sa_type=text_type(64))
    first_registered_on: date | None = None
    gp_qualified_on: date | None = None
    primary_care_start_on: date | None = None
    user_id: uuid.UUID | None = Field(default=None, foreign_key="app_user.id", unique=True)


class Appointment(Row, table=True):
    """A person's post in an organisation, from one day to another."""

    __tablename__ = "appointment"

    person_id: uuid.UUID = Field(foreign_key="person.id", index=True)
    organisation_id: uuid.UUID = Field(foreign_key="organisation.id", index=True)
    role: ProfessionalRole = Field(sa_type=enum_type(ProfessionalRole))
    starts_on: date | None = None
    ends_on: date | None = None


class Enrolment(Row, Archivable, Scoped, table=True):
    """A person in a programme; the API calls it a participant. `team_id` is the live team."""

    __tablename__ = "enrolment"
    __table_args__ = (
        sa.Index(
            "uq_enrolment_programme_id_person_id",
            "programme_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("archived_at IS NULL"),
            postgresql_where=sa.text("archived_at IS NULL"),
        ),
        sa.CheckConstraint("left_on IS NULL OR left_on >= joined_on", name="left_after_joining"),
        sa.Index("ix_enrolment_joined_on", "programme_id", "joined_on"),
    )
    team_column: ClassVar[str | None] = "team_id"

    programme_id: uuid.UUID = Field(foreign_key="programme.id", index=True)
    person_id: uuid.UUID = Field(foreign_key="person.id", index=True)
    appointment_id: uuid.UUID = Field(foreign_key="appointment.id")
    team_id: uuid.UUID | None = Field(default=None, foreign_key="team.id", index=True)
    unassigned_reason: str | None = Field(default=None, sa_type=sa.Text)
    joined_on: date
    left_on: date | None = None
    status: EnrolmentStatus = Field(
        default=EnrolmentStatus.ENROLLED, sa_type=enum_type(EnrolmentStatus)
    )
    withdrawal_reason: str | None = Field(default=None, sa_type=sa.Text)
