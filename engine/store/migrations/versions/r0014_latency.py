"""How late the words of a call were: its texts and translations, by number, on average and by bound."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0014"
down_revision = "r0013"
branch_labels = None
depends_on = None

STAGES = ("asr", "mt")


def upgrade() -> None:
    for stage in STAGES:
        texts = sa.Column(f"{stage}_texts", sa.Integer, nullable=False, server_default="0")
        counts = sa.Column(f"{stage}_latency_counts", sa.Text, nullable=False, server_default="[]")
        for column in (texts, sa.Column(f"{stage}_latency_ms", sa.Float(53)), counts):
            op.add_column("call_records", column)


def downgrade() -> None:
    for stage in reversed(STAGES):
        for name in (f"{stage}_latency_counts", f"{stage}_latency_ms", f"{stage}_texts"):
            op.drop_column("call_records", name)
