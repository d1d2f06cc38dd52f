"""The audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None

TEXTS = ("node", "who", "how", "what", "object", "outcome", "detail", "prev", "hash")


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in TEXTS),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
        sa.UniqueConstraint("id", name="uq_audit_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_audit_who_seq", "audit", ["who", "seq"])
    op.create_index("ix_audit_object_seq", "audit", ["object", "seq"])


def downgrade() -> None:
    op.drop_table("audit")
