"""summaries of series: what the latest chart of each measure says."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "measure_summary",
        sa.Column("measure_id", sa.Uuid(), nullable=False),
        sa.Column("programme_id", sa.Uuid(), nullable=False),
        sa.Column("series_revision", sa.Integer(), nullable=False),
        sa.Column(
            "engine_version",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "fingerprint",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("computed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "fault_code",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("fault_detail", sa.Text(), nullable=True),
        sa.Column(
            "chart",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column(
            "rule_set",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("points", sa.Integer(), nullable=False),
        sa.Column("latest_on", sa.Date(), nullable=True),
        sa.Column("latest_value", sa.Float(), nullable=True),
        sa.Column("centre", sa.Float(), nullable=True),
        sa.Column("lower_limit", sa.Float(), nullable=True),
        sa.Column("upper_limit", sa.Float(), nullable=True),
        sa.Column("target", sa.Float(), nullable=True),
        sa.Column(
            "variation",
            sa.String(length=32).with_variant(sa.String(length=32, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column(
            "assurance",
            sa.String(length=16).with_variant(sa.String(length=16, collation="C"), "postgresql"),
            nullable=True,
        ),
        sa.Column("signals", sa.Integer(), nullable=False),
        sa.Column("improvement_signals", sa.Integer(), nullable=False),
        sa.Column("concern_signals", sa.Integer(), nullable=False),
        sa.Column("latest_signals", sa.JSON(), nullable=False),
        sa.Column("baseline_phase", sa.Integer(), nullable=True),
        sa.Column("baseline_starts_on", sa.Date(), nullable=True),
        sa.Column("baseline_centre", sa.Float(), nullable=True),
        sa.Column("baseline_points", sa.Integer(), nullable=False),
        sa.Column("current_phase", sa.Integer(), nullable=True),
        sa.Column("current_starts_on", sa.Date(), nullable=True),
        sa.Column("current_centre", sa.Float(), nullable=True),
        sa.Column("current_points", sa.Integer(), nullable=False),
        sa.Column("current_high_signals", sa.Integer(), nullable=False),
        sa.Column("current_low_signals", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["measure_id"], ["measure.id"], name=op.f("fk_measure_summary_measure_id")
        ),
        sa.ForeignKeyConstraint(
            ["programme_id"], ["programme.id"], name=op.f("fk_measure_summary_programme_id")
        ),
        sa.PrimaryKeyConstraint("measure_id", name=op.f("pk_measure_summary")),
    )
    with op.batch_alter_table("measure_summary", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_measure_summary_programme_id"), ["programme_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("measure_summary", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_measure_summary_programme_id"))

    op.drop_table("measure_summary")
