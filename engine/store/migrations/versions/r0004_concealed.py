"""Sound that was made up for what was missing, by side of a call."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

SIDES = ("customer_concealed_ms", "agent_concealed_ms")


def upgrade() -> None:
    for name in SIDES:
        op.add_column("call_records", sa.Column(name, sa.Integer))


def downgrade() -> None:
    for name in reversed(SIDES):
        op.drop_column("call_records", name)
