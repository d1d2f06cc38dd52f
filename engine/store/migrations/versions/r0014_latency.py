"""How late texts and translations of a call were: how many, on average, and by bound; JSON in text."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0014"
down_revision = "r0013"
branch_labels = None
depends_on = None

STAGES = ("asr_latency", "mt_latency")


def upgrade() -> None:
    for name in STAGES:
        op.add_column("call_records", sa.Column(name, sa.Text))


def downgrade() -> None:
    for name in reversed(STAGES):
        op.drop_column("call_records", name)
