"""marks of a series: phases, annotations, and when a point was excluded."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "annotation",
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("measure_id", sa.Uuid(), nullable=False),
        sa.Column("happened_on", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "note",
                "change",
                "event",
                "pdsa",
                name="annotationkind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("explains", sa.JSON(), nullable=False),
        sa.Column("pdsa_cycle_ids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["measure_id"], ["measure.id"], name=op.f("fk_annotation_measure_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_annotation_programme_id")
        ),
        sa.ForeignKeyConstraint(
            ["project_id"], ["project.id"], name=op.f("fk_annotation_project_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annotation")),
    )
    with op.batch_alter_table("annotation", schema=None) as batch_op:
        batch_op.create_index(
            "ix_annotation_measure_id_happened_on", ["measure_id", "happened_on"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_annotation_programme_id"), ["programme_id"], unique=False
        )

    op.create_table(
        "phase",
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("archived_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("measure_id", sa.Uuid(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column(
            "label",
            sa.String(length=100).with_variant(sa.String(length=100, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "initial",
                "change_adopted",
                "definition_change",
                "environment",
                "other",
                name="phasereason",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reason_text", sa.Text(), nullable=True),
        sa.Column("baseline_points", sa.Integer(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "proposed",
                "approved",
                "declined",
                "revoked",
                name="phasestatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("decision_reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "detector",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "candidate_id",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("checklist", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("pdsa_cycle_ids", sa.JSON(), nullable=False),
        sa.CheckConstraint(
            "baseline_points IS NULL OR baseline_points >= 1", name=op.f("ck_phase_has_baseline")
        ),
        sa.ForeignKeyConstraint(["measure_id"], ["measure.id"], name=op.f("fk_phase_measure_id")),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_phase_programme_id")
        ),
        sa.ForeignKeyConstraint(["project_id"], ["project.id"], name=op.f("fk_phase_project_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phase")),
    )
    with op.batch_alter_table("phase", schema=None) as batch_op:
        batch_op.create_index(
            "ix_phase_measure_id_starts_on", ["measure_id", "starts_on"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_phase_programme_id"), ["programme_id"], unique=False)
        batch_op.create_index(
            "uq_phase_measure_id_starts_on",
            ["measure_id", "starts_on"],
            unique=True,
            sqlite_where=sa.text("status = 'approved' AND archived_at IS NULL"),
            postgresql_where=sa.text("status = 'approved' AND archived_at IS NULL"),
        )

    with op.batch_alter_table("data_point", schema=None) as batch_op:
        batch_op.add_column(sa.Column("excluded_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("data_point", schema=None) as batch_op:
        batch_op.drop_column("excluded_at")

    with op.batch_alter_table("phase", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_phase_measure_id_starts_on",
            sqlite_where=sa.text("status = 'approved' AND archived_at IS NULL"),
            postgresql_where=sa.text("status = 'approved' AND archived_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_phase_programme_id"))
        batch_op.drop_index("ix_phase_measure_id_starts_on")

    op.drop_table("phase")
    with op.batch_alter_table("annotation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_annotation_programme_id"))
        batch_op.drop_index("ix_annotation_measure_id_happened_on")

    op.drop_table("annotation")
