"""SIP messages and quality over time of calls that are over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0009"
down_revision = "r0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_traces",
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Float(53), nullable=False),
        sa.Column("trace", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("call", "node", name="pk_call_traces"),
    )
    op.create_index("ix_call_traces_ended_at", "call_traces", ["ended_at"])


def downgrade() -> None:
    op.drop_table("call_traces")
