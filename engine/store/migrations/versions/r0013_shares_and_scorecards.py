"""Links to recordings for people outside, and forms by which calls were judged."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0013"
down_revision = "r0012"
branch_labels = None
depends_on = None

json_text = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "recording_shares",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("recording", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", sa.Float(53), nullable=False),
        sa.Column("expires_at", sa.Float(53), nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("transcript", sa.Boolean, nullable=False),
        sa.Column("most", sa.Integer, nullable=False),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("used_at", sa.Float(53)),
        sa.Column("revoked_at", sa.Float(53)),
        sa.Column("revoked_by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_recording_shares"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_recording_shares_recording", "recording_shares", ["recording"])
    op.create_table(
        "scorecards",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("form", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("score", sa.Float(53), nullable=False),
        sa.Column("failed", sa.Boolean, nullable=False),
        sa.Column("comment", sa.Text, nullable=False),
        sa.Column("answers", json_text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scorecards"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_scorecards_call", "scorecards", ["call"])
    op.create_index("ix_scorecards_agent_at", "scorecards", ["agent", "at"])


def downgrade() -> None:
    op.drop_table("scorecards")
    op.drop_table("recording_shares")
