"""With what somebody signed in; and calls by line and by number, the newest first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0015"
down_revision = "r0014"
branch_labels = None
depends_on = None

INDEXED = ("source", "number")


def upgrade() -> None:
    op.add_column("sessions", sa.Column("client", sa.Text, nullable=False, server_default=""))
    for name in INDEXED:
        op.create_index(f"ix_call_records_{name}_ended_at", "call_records", [name, "ended_at"])


def downgrade() -> None:
    for name in INDEXED:
        op.drop_index(f"ix_call_records_{name}_ended_at", "call_records")
    op.drop_column("sessions", "client")
