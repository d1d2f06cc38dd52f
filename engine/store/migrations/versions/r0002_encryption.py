"""How the legs of a call were encrypted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

SIDES = ("customer_encryption", "agent_encryption")


def upgrade() -> None:
    for name in SIDES:
        op.add_column("call_records", sa.Column(name, sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    for name in SIDES:
        op.drop_column("call_records", name)
