"""With what somebody signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0015"
down_revision = "r0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("client", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sessions", "client")
