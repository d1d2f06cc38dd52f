"""What may be done at a node, and by which role: one table, asked by everything that lets anybody in.

docs/access.md shows the same table; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is here for."""

    AGENT = "agent"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Permission(StrEnum):
    """One thing that may be allowed; also what a token's scopes are called."""

    BOARD = "board"  # queues, agents, lines and nodes as they are now
    CALLS = "calls"  # calls in progress and finished, what happened to them and how they went
    PERSONAL = "personal"  # numbers, names and addresses as they are; masked without it
    LISTEN = "listen"  # recordings, transcripts, captions
    SUPERVISE = "supervise"  # listen in on a call, whisper, barge in, take over
    ACT_ON_CALLS = "act_on_calls"  # hang up, pause a recording, bring in interpreters
    ACT_ON_AGENTS = "act_on_agents"  # set their states, say something to them
    SHARE = "share"  # recordings with people outside
    ERASE = "erase"  # what was said, for good
    PROBE = "probe"  # place calls over lines
    CALLERS = "callers"  # have callers' tokens made
    METRICS = "metrics"  # the node's figures, of all markets
    READ_CONFIG = "read_config"
    CONFIGURE = "configure"  # apply, roll back, drain
    MANAGE_USERS = "manage_users"
    READ_AUDIT = "read_audit"
    MAKE_TOKENS = "make_tokens"  # for programs, with one's own rights or fewer
    OWN_ACCOUNT = "own_account"  # look at oneself, change one's password and second factor


R, P = Role, Permission

GRANTS: Mapping[Permission, frozenset[Role]] = {
    P.BOARD: frozenset(R),
    P.CALLS: frozenset({R.SUPERVISOR, R.OPERATOR, R.AUDITOR, R.ADMIN}),
    P.PERSONAL: frozenset({R.SUPERVISOR, R.OPERATOR, R.ADMIN}),
    P.LISTEN: frozenset({R.SUPERVISOR, R.ADMIN}),
    P.SUPERVISE: frozenset({R.SUPERVISOR, R.ADMIN}),
    P.ACT_ON_CALLS: frozenset({R.SUPERVISOR, R.OPERATOR, R.ADMIN}),
    P.ACT_ON_AGENTS: frozenset({R.SUPERVISOR, R.ADMIN}),
    P.SHARE: frozenset({R.SUPERVISOR, R.ADMIN}),
    P.ERASE: frozenset({R.ADMIN}),
    P.PROBE: frozenset({R.OPERATOR, R.ADMIN}),
    P.CALLERS: frozenset({R.OPERATOR, R.ADMIN}),
    P.METRICS: frozenset({R.OPERATOR, R.AUDITOR, R.ADMIN}),
    P.READ_CONFIG: frozenset({R.OPERATOR, R.AUDITOR, R.ADMIN}),
    P.CONFIGURE: frozenset({R.OPERATOR, R.ADMIN}),
    P.MANAGE_USERS: frozenset({R.ADMIN}),
    P.READ_AUDIT: frozenset({R.AUDITOR, R.ADMIN}),
    P.MAKE_TOKENS: frozenset({R.SUPERVISOR, R.OPERATOR, R.ADMIN}),
    P.OWN_ACCOUNT: frozenset(R),
}

# What cannot be cut into markets and teams: who is limited to some does not have it at all.
WHOLE = frozenset({P.METRICS, P.READ_CONFIG, P.CONFIGURE, P.MANAGE_USERS, P.READ_AUDIT})

# A program is never given these: a token that makes tokens outlives its end. So does one that lets people
# in, which engine/access/rights.py keeps it from (`may_let_in`).
PEOPLE_ONLY = frozenset({P.MAKE_TOKENS, P.OWN_ACCOUNT})

# Reading with these is a read of personal data: always, or where it is shown as it is.
SENSITIVE = frozenset({P.LISTEN, P.SUPERVISE, P.SHARE, P.READ_AUDIT})
SENSITIVE_UNMASKED = frozenset({P.CALLS})


def granted(*roles: Role) -> frozenset[Permission]:
    """What these roles may, taken together."""
    return frozenset(permission for permission, held in GRANTS.items() if held.intersection(roles))


def outranks(held: Iterable[Permission], role: Role) -> bool:
    """Whether a role may anything that somebody with these may not: then it is not his to give or take."""
    return not granted(role) - PEOPLE_ONLY <= set(held)
