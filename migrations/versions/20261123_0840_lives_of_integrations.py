"""integrations: by which personal token one was made; messages found by age, and repeats noted."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    # Not in batch mode: its copy would have to drop the table, which SQLite refuses as soon as
    # there are messages that refer to it. There the reference is part of the new column instead.
    token_id = sa.Column(
        "token_id",
        sa.Uuid(),
        sa.ForeignKey("personal_token.id", name=op.f("fk_integration_token_id")),
        nullable=True,
    )
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.add_column("integration", token_id, inline_references=is_sqlite)

    with op.batch_alter_table("inbound_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("repeated_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index("ix_inbound_event_received_at", ["received_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("inbound_event", schema=None) as batch_op:
        batch_op.drop_index("ix_inbound_event_received_at")
        batch_op.drop_column("repeated_at")

    op.drop_column("integration", "token_id")
