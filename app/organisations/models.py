"""Organisations: practices, trusts, hubs. They belong to no programme."""

import uuid
from datetime import date
from enum import StrEnum

import sqlalchemy as sa
from sqlmodel import Field

from app.kit.table import Archivable, Row, enum_type, text_type


class OrganisationKind(StrEnum):
    """What sort of organisation it is."""

    GP_PRACTICE = "gp_practice"
    COMMUNITY_PHARMACY = "community_pharmacy"
    NHS_TRUST = "nhs_trust"
    CCG_OR_ICB = "ccg_or_icb"
    CEPN_OR_TRAINING_HUB = "cepn_or_training_hub"
    PCN = "pcn"
    FEDERATION = "federation"
    CHARITY = "charity"
    OTHER = "other"


class Organisation(Row, Archivable, table=True):
    """An organisation. Its area is stored and never read out of a code: codes have no structure."""

    __tablename__ = "organisation"
    __table_args__ = (
        sa.Index(
            "uq_organisation_ods_code",
            "ods_code",
            unique=True,
            sqlite_where=sa.text("archived_at IS NULL"),
            postgresql_where=sa.text("archived_at IS NULL"),
        ),
        sa.Index("ix_organisation_name", "name"),
        sa.Index("ix_organisation_updated_at", "updated_at"),
    )

    name: str = Field(sa_type=text_type(200))
    ods_code: str | None = Field(default=None, sa_type=text_type(8))
    kind: OrganisationKind = Field(sa_type=enum_type(OrganisationKind))
    area: str | None = Field(default=None, sa_type=text_type(200))
    valid_from: date | None = None
    valid_to: date | None = None
    successor_id: uuid.UUID | None = Field(default=None, foreign_key="organisation.id")
