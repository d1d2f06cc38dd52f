"""Agents' states and interpreters' delays, for reports."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0011"
down_revision = "r0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    agent, state = (sa.Column(name, sa.Text, nullable=False) for name in ("agent", "state"))
    lag_s = sa.Column("lag_s", sa.Float(53), nullable=False)
    for name, columns in (("agent_states", (agent, state)), ("interpreted", (lag_s,))):
        op.create_table(
            name,
            sa.Column("node", sa.Text, nullable=False),
            sa.Column("seq", sa.BigInteger, autoincrement=False, nullable=False),
            sa.Column("at", sa.Float(53), nullable=False),
            sa.Column("call", sa.Text, nullable=False),
            *columns,
            sa.PrimaryKeyConstraint("node", "seq", name=f"pk_{name}"),
            sqlite_with_rowid=False,
        )
        op.create_index(f"ix_{name}_at", name, ["at"])


def downgrade() -> None:
    op.drop_table("interpreted")
    op.drop_table("agent_states")
