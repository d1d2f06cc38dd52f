"""The journal, the calls that are open in it, and the call records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

json_text = sa.JSON().with_variant(JSONB(), "postgresql")

NEEDED_TEXT = (
    "contact",
    "customer",
    "market",
    "region",
    "node",
    "number",
    "source",
    "language",
    "queue",
    "agent",
)
FIGURES = (
    "customer_loss",
    "agent_loss",
    "customer_jitter_ms",
    "agent_jitter_ms",
    "customer_mos",
    "agent_mos",
)


def upgrade() -> None:
    op.create_table(
        "journal",
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("data", json_text, nullable=False),
        sa.Column("person", json_text),
        sa.PrimaryKeyConstraint("node", "seq", name="pk_journal"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_journal_call", "journal", ["call"])
    op.create_table(
        "open_calls",
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("at", sa.Float(53), nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_open_calls"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "call_records",
        sa.Column("call", sa.Text, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in NEEDED_TEXT),
        sa.Column("offered_at", sa.Float(53), nullable=False),
        sa.Column("answered_at", sa.Float(53)),
        sa.Column("connected_at", sa.Float(53)),
        sa.Column("ended_at", sa.Float(53), nullable=False),
        sa.Column("ended_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("wait_s", sa.Float(53), nullable=False),
        sa.Column("talk_s", sa.Float(53), nullable=False),
        sa.Column("hold_s", sa.Float(53), nullable=False),
        sa.Column("post_dial_delay_s", sa.Float(53)),
        sa.Column("customer_codec", sa.Text, nullable=False),
        sa.Column("agent_codec", sa.Text, nullable=False),
        *(sa.Column(name, sa.Float(53)) for name in FIGURES),
        sa.Column("misses", sa.Integer, nullable=False),
        sa.Column("transfers", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_call_records"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_call_records_ended_at_call", "call_records", ["ended_at", "call"])
    op.create_index("ix_call_records_customer", "call_records", ["customer"])
    op.create_index("ix_call_records_agent_ended_at", "call_records", ["agent", "ended_at"])


def downgrade() -> None:
    op.drop_table("call_records")
    op.drop_table("open_calls")
    op.drop_table("journal")
