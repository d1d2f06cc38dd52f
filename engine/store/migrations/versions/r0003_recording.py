"""The files that a call was recorded in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call_records", sa.Column("recording", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("call_records", "recording")
