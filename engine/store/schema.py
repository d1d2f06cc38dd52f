"""The tables of the store. engine/store/migrations makes them; a test holds the two together.

Personal data (numbers and addresses of people) stands in columns of its own, `journal.person` and
`call_records.customer` and `.source`, so that erasing a person empties columns and rewrites no history.
Each index is one more page to write in nearly every commit, and pages are most of what an event costs; hence
few, and tables clustered by keys that grow with time. Text columns have no length: what a far end sends is
bounded where it comes in, and a row must never be refused for it.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}

metadata = MetaData(naming_convention=NAMES)

json_text = JSON().with_variant(JSONB(), "postgresql")

# `seq` is given by the node, one more for each event, so that writing an event twice writes it once.
journal = Table(
    "journal",
    metadata,
    Column("node", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("call", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", json_text, nullable=False),
    Column("person", json_text),
    Index("ix_journal_call", "call"),
    sqlite_with_rowid=False,
)

# Calls with a first event and no last one: to look for them in the journal is to walk over every call ever.
open_calls = Table(
    "open_calls",
    metadata,
    Column("call", Text, primary_key=True),
    Column("node", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    sqlite_with_rowid=False,
)

call_records = Table(
    "call_records",
    metadata,
    Column("call", Text, primary_key=True),
    Column("contact", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("offered_at", Float(53), nullable=False),
    Column("answered_at", Float(53)),
    Column("connected_at", Float(53)),
    Column("ended_at", Float(53), nullable=False),
    Column("ended_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("wait_s", Float(53), nullable=False),
    Column("talk_s", Float(53), nullable=False),
    Column("hold_s", Float(53), nullable=False),
    Column("post_dial_delay_s", Float(53)),
    Column("customer_codec", Text, nullable=False),
    Column("agent_codec", Text, nullable=False),
    Column("customer_encryption", Text, nullable=False, server_default=""),
    Column("agent_encryption", Text, nullable=False, server_default=""),
    Column("customer_loss", Float(53)),
    Column("agent_loss", Float(53)),
    Column("customer_jitter_ms", Float(53)),
    Column("agent_jitter_ms", Float(53)),
    Column("customer_mos", Float(53)),
    Column("agent_mos", Float(53)),
    Column("customer_concealed_ms", Integer),
    Column("agent_concealed_ms", Integer),
    Column("asr_latency", Text),
    Column("mt_latency", Text),
    Column("misses", Integer, nullable=False),
    Column("transfers", Integer, nullable=False),
    Column("recording", Text, nullable=False, server_default=""),
    Index("ix_call_records_ended_at_call", "ended_at", "call"),
    Index("ix_call_records_customer", "customer"),
    Index("ix_call_records_agent_ended_at", "agent", "ended_at"),
    sqlite_with_rowid=False,
)

# What lines did, drawn from events as they are written, for reports that group by line, region and hour.
line_uses = Table(
    "line_uses",
    metadata,
    Column("node", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("line", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("destination", Text, nullable=False),
    Column("began", Float(53), nullable=False),
    Column("status", Integer, nullable=False),
    Column("blame", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("answered", Boolean, nullable=False),
    Column("dropped", Boolean, nullable=False),
    Column("pdd_s", Float(53)),
    Column("setup_s", Float(53)),
    Column("talk_s", Float(53), nullable=False),
    Column("mos", Float(53)),
    Column("loss", Float(53)),
    Column("jitter_ms", Float(53)),
    Column("rtt_ms", Float(53)),
    Index("ix_line_uses_began", "began"),
    sqlite_with_rowid=False,
)

line_probes = Table(
    "line_probes",
    metadata,
    Column("node", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("line", Text, nullable=False),
    Column("region", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("fault", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("pdd_s", Float(53)),
    Column("setup_s", Float(53)),
    Column("delay_ms", Float(53)),
    Column("delay_p95_ms", Float(53)),
    Column("drift_ms_per_min", Float(53)),
    Column("loss", Float(53)),
    Column("jitter_ms", Float(53)),
    Column("rtt_ms", Float(53)),
    Column("mos", Float(53)),
    Column("digits", Float(53)),
    Column("caller_id", Text, nullable=False),
    Column("codec", Text, nullable=False),
    Index("ix_line_probes_at", "at"),
    sqlite_with_rowid=False,
)

# Agents' states, each until the next, for reports of who did what when; `call` is the one it is for.
agent_states = Table(
    "agent_states",
    metadata,
    Column("node", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("call", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("state", Text, nullable=False),
    Index("ix_agent_states_at", "at"),
    sqlite_with_rowid=False,
)

# When interpreters began to speak, and how long after what they said.
interpreted = Table(
    "interpreted",
    metadata,
    Column("node", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("call", Text, nullable=False),
    Column("lag_s", Float(53), nullable=False),
    Index("ix_interpreted_at", "at"),
    sqlite_with_rowid=False,
)

# Events that hooks are yet to be told, or that nobody took in time (`dead`), ready to be sent.
hook_outbox = Table(
    "hook_outbox",
    metadata,
    Column("hook", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Float(53), nullable=False),
    Column("call", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("next_at", Float(53), nullable=False),
    Column("until", Float(53), nullable=False),
    Column("dead", Boolean, nullable=False),
    Column("error", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Up to which of a node's events hooks' were put in the outbox.
hook_cursors = Table(
    "hook_cursors",
    metadata,
    Column("node", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# What was said in a call that is over, and what was made of it. Its words are indexed in `transcript_words`,
# which each database makes its own way (migration r0006) and no model knows.
transcripts = Table(
    "transcripts",
    metadata,
    Column("id", Integer().with_variant(BigInteger, "postgresql"), primary_key=True),
    Column("call", Text, nullable=False, unique=True),
    Column("ended_at", Float(53), nullable=False),
    Column("lines", json_text, nullable=False),
    Index("ix_transcripts_ended_at", "ended_at"),
)

reviews = Table(
    "reviews",
    metadata,
    Column("call", Text, primary_key=True),
    Column("ended_at", Float(53), nullable=False),
    Column("market", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("score", Float(53)),
    Column("summary", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("topics", Text, nullable=False),
    Column("marks", json_text, nullable=False),
    Column("moods", json_text, nullable=False),
    Index("ix_reviews_ended_at_call", "ended_at", "call"),
    Index("ix_reviews_agent_ended_at", "agent", "ended_at"),
    sqlite_with_rowid=False,
)

# Links by which people outside hear a recording. digest: proves a link, and what it is for
# (engine/sharing.py). most: uses, 0 for any number.
recording_shares = Table(
    "recording_shares",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("recording", Text, nullable=False),
    Column("call", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("note", Text, nullable=False),
    Column("transcript", Boolean, nullable=False),
    Column("most", Integer, nullable=False),
    Column("uses", Integer, nullable=False),
    Column("used_at", Float(53)),
    Column("revoked_at", Float(53)),
    Column("revoked_by", Text, nullable=False),
    Index("ix_recording_shares_recording", "recording"),
    sqlite_with_rowid=False,
)

# Calls as supervisors judged them by a form. answers: each question as it was then, with its answer.
scorecards = Table(
    "scorecards",
    metadata,
    Column("id", Text, primary_key=True),
    Column("call", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("at", Float(53), nullable=False),
    Column("by", Text, nullable=False),
    Column("market", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("score", Float(53), nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("comment", Text, nullable=False),
    Column("answers", json_text, nullable=False),
    Index("ix_scorecards_call", "call"),
    Index("ix_scorecards_agent_at", "agent", "at"),
    sqlite_with_rowid=False,
)

# People who may sign in. password: argon2, "" for those that another house vouches for (`subject`).
# totp_last: the time step of the last code that was taken, so that none is taken twice. version: for ETags.
users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("display", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("markets", json_text, nullable=False),
    Column("teams", json_text, nullable=False),
    Column("password", Text, nullable=False),
    Column("subject", Text, unique=True),
    Column("disabled", Boolean, nullable=False),
    Column("totp", Text, nullable=False),
    Column("totp_on", Boolean, nullable=False),
    Column("totp_last", BigInteger, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("changed_at", Float(53), nullable=False),
    Column("version", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# Each good once, in place of a code of TOTP.
recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    sqlite_with_rowid=False,
)

sessions = Table(  # of these and of tokens there is the SHA-256 alone
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("seen_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("client", Text, nullable=False, server_default=""),
    Index("ix_sessions_owner", "owner"),
    sqlite_with_rowid=False,
)

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", json_text, nullable=False),
    Column("markets", json_text, nullable=False),
    Column("teams", json_text, nullable=False),
    Column("made_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("used_at", Float(53)),
    Column("revoked_at", Float(53)),
    Index("ix_api_tokens_owner", "owner"),
    sqlite_with_rowid=False,
)

# The audit log, a chain (engine/access/chain.py). detail: text and no JSON of the database's, which would
# write it its own way.
audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),
    Column("at", Float(53), nullable=False),
    Column("node", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("how", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_audit_who_seq", "who", "seq"),
    Index("ix_audit_object_seq", "object", "seq"),
    sqlite_with_rowid=False,
)

# SIP messages and quality over time of a call that is over (engine/insight/trace.py), packed; of one that
# went over to another node, what each of them saw.
call_traces = Table(
    "call_traces",
    metadata,
    Column("call", Text, primary_key=True),
    Column("node", Text, primary_key=True),
    Column("ended_at", Float(53), nullable=False),
    Column("trace", LargeBinary, nullable=False),
    Index("ix_call_traces_ended_at", "ended_at"),
)


def modelled(name: str | None, kind: str, parents: object) -> bool:
    """Whether a table of the database is one of these, for Alembic to compare (`include_name`)."""
    return kind != "table" or not (name or "").startswith("transcript_words")
