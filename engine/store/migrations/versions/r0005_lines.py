"""What lines did, call by call and probe by probe."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "line_uses",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("destination", sa.Text, nullable=False),
        sa.Column("began", sa.Float(53), nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("blame", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("answered", sa.Boolean, nullable=False),
        sa.Column("dropped", sa.Boolean, nullable=False),
        sa.Column("pdd_s", sa.Float(53)),
        sa.Column("setup_s", sa.Float(53)),
        sa.Column("talk_s", sa.Float(53), nullable=False),
        sa.Column("mos", sa.Float(53)),
        sa.Column("loss", sa.Float(53)),
        sa.Column("jitter_ms", sa.Float(53)),
        sa.Column("rtt_ms", sa.Float(53)),
        sa.PrimaryKeyConstraint("node", "seq", name="pk_line_uses"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_line_uses_began", "line_uses", ["began"])
    op.create_table(
        "line_probes",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("region", sa.Text, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("passed", sa.Boolean, nullable=False),
        sa.Column("fault", sa.Text, nullable=False),
        sa.Column("words", sa.Text, nullable=False),
        sa.Column("pdd_s", sa.Float(53)),
        sa.Column("setup_s", sa.Float(53)),
        sa.Column("delay_ms", sa.Float(53)),
        sa.Column("delay_p95_ms", sa.Float(53)),
        sa.Column("drift_ms_per_min", sa.Float(53)),
        sa.Column("loss", sa.Float(53)),
        sa.Column("jitter_ms", sa.Float(53)),
        sa.Column("rtt_ms", sa.Float(53)),
        sa.Column("mos", sa.Float(53)),
        sa.Column("digits", sa.Float(53)),
        sa.Column("caller_id", sa.Text, nullable=False),
        sa.Column("codec", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("node", "seq", name="pk_line_probes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_line_probes_at", "line_probes", ["at"])


def downgrade() -> None:
    op.drop_table("line_probes")
    op.drop_table("line_uses")
