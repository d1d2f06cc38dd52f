"""What hooks are yet to be told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0012"
down_revision = "r0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hook_outbox",
        sa.Column("hook", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Float(53), nullable=False),
        sa.Column("until", sa.Float(53), nullable=False),
        sa.Column("dead", sa.Boolean, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("hook", "node", "seq", name="pk_hook_outbox"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "hook_cursors",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("node", name="pk_hook_cursors"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("hook_cursors")
    op.drop_table("hook_outbox")
