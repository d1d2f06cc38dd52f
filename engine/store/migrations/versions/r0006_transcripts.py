"""What was said in calls, found by its words, and what was made of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

json_text = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "transcripts",
        sa.Column("id", sa.Integer().with_variant(sa.BigInteger, "postgresql"), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Float(53), nullable=False),
        sa.Column("lines", json_text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_transcripts"),
        sa.UniqueConstraint("call", name="uq_transcripts_call"),
    )
    op.create_index("ix_transcripts_ended_at", "transcripts", ["ended_at"])
    op.create_table(
        "reviews",
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("ended_at", sa.Float(53), nullable=False),
        sa.Column("market", sa.Text, nullable=False),
        sa.Column("language", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("score", sa.Float(53)),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("topics", sa.Text, nullable=False),
        sa.Column("marks", json_text, nullable=False),
        sa.Column("moods", json_text, nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_reviews"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reviews_ended_at_call", "reviews", ["ended_at", "call"])
    op.create_index("ix_reviews_agent_ended_at", "reviews", ["agent", "ended_at"])
    if op.get_bind().dialect.name == "sqlite":
        op.execute("CREATE VIRTUAL TABLE transcript_words USING fts5(words)")
        return
    op.execute("CREATE TABLE transcript_words (id BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
    op.execute("CREATE INDEX ix_transcript_words_words ON transcript_words USING gin (words)")


def downgrade() -> None:
    op.execute("DROP TABLE transcript_words")
    op.drop_table("reviews")
    op.drop_table("transcripts")
