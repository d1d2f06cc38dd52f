"""The console's pages by name: one noun each (engine/console/look.py says what a page is)."""

from __future__ import annotations

from collections.abc import Mapping

from engine import editing
from engine.access.role import Permission
from engine.console import account, acts, files, hand, judge, reports, roster, share, trail
from engine.console.look import Act, Page, View
from engine.console.views import account as account_view
from engine.console.views import (
    agents,
    call,
    calls,
    config,
    frame,
    lines,
    nodes,
    queues,
    recordings,
    wallboard,
)
from engine.console.views import audit as audit_view
from engine.console.views import reports as reports_view
from engine.console.views import users as users_view
from engine.supervision import Mode

P = Permission
FRAME: Mapping[str, View] = {"shell": frame.shell}
# what can be done on every page
ANYWHERE: Mapping[str, tuple[Permission, Act]] = {
    "leave": (P.SUPERVISE, hand.leave),
    "unheard": (P.SUPERVISE, hand.unheard),
}

WALLBOARD = Page("wallboard", wallboard.PARTS, wallboard.PILES)
CALLS = Page("calls", calls.PARTS, load=files.records, every_s=15.0)
CALL = Page(
    "call",
    call.PARTS,
    call.PILES,
    load=files.call_file,
    every_s=1.0,
    acts={
        "hangup": (P.ACT_ON_CALLS, acts.hang_up),
        **{str(mode): (P.SUPERVISE, hand.sit(mode)) for mode in Mode},
        "steer": (P.ACT_ON_CALLS, hand.steer),
        "state": (P.ACT_ON_AGENTS, acts.set_state),
        "message": (P.ACT_ON_AGENTS, acts.message),
    },
)
RECORDINGS = Page("recordings", recordings.LIST, load=files.recordings, every_s=15.0, right=P.LISTEN)
RECORDING = Page(
    "recording",
    recordings.PARTS,
    recordings.PILES,
    load=files.recording_file,
    every_s=2.0,
    right=P.LISTEN,
    acts={
        "share": (P.SHARE, share.share),
        "revoke": (P.SHARE, share.revoke),
        "judge": (P.LISTEN, judge.judge),
    },
)
QUEUES = Page("queues", queues.PARTS)
AGENTS = Page(
    "agents",
    agents.PARTS,
    load=files.agent_cards,
    every_s=15.0,
    acts={"state": (P.ACT_ON_AGENTS, acts.set_state), "message": (P.ACT_ON_AGENTS, acts.message)},
)
LINES = Page("lines", lines.PARTS, load=acts.lines, every_s=2.0, acts={"probe": (P.PROBE, acts.probe)})
NODES = Page(
    "nodes",
    nodes.PARTS,
    nodes.PILES,
    load=acts.nodes,
    every_s=2.0,
    acts={
        "drain": (P.CONFIGURE, acts.drain),
        "unblock_source": (P.CONFIGURE, acts.answer_again),
        "try_hook": (P.CONFIGURE, acts.try_hook),
        "replay_hook": (P.CONFIGURE, acts.replay_hook),
    },
)
CONFIG = Page(
    "config",
    config.PARTS,
    load=acts.configuration,
    every_s=10.0,
    right=P.READ_CONFIG,
    most_text=editing.MOST_BYTES + 1,  # what is longer is refused as that, not cut and written
    acts={
        "save": (P.CONFIGURE, acts.save),
        "restore": (P.CONFIGURE, acts.restore),
        "remove": (P.CONFIGURE, acts.remove),
        "check": (P.CONFIGURE, acts.check),
        "plan": (P.CONFIGURE, acts.plan),
        "apply": (P.CONFIGURE, acts.apply),
        "rollback": (P.CONFIGURE, acts.rollback),
    },
)

REPORTS = Page(
    "reports", reports_view.PARTS, load=reports.load, every_s=reports.EVERY_S, right=P.CALLS, stays=True
)
AUDIT = Page(
    "audit",
    audit_view.PARTS,
    load=trail.load,
    every_s=trail.EVERY_S,
    right=P.READ_AUDIT,
    acts={"verify_audit": (P.READ_AUDIT, trail.prove)},
)
USERS = Page(
    "users",
    users_view.PARTS,
    load=roster.load,
    every_s=roster.EVERY_S,
    right=P.MANAGE_USERS,
    acts={
        "create_user": (P.MANAGE_USERS, roster.create),
        "change_user": (P.MANAGE_USERS, roster.change),
        "bar_user": (P.MANAGE_USERS, roster.bar),
        "reset_password": (P.MANAGE_USERS, roster.reset),
        "remove_totp": (P.MANAGE_USERS, roster.drop_totp),
        "end_sessions": (P.MANAGE_USERS, roster.end),
        "revoke_token": (P.MANAGE_USERS, roster.revoke),
    },
)
ACCOUNT = Page(
    "account",
    account_view.PARTS,
    load=account.load,
    every_s=account.EVERY_S,
    right=P.OWN_ACCOUNT,
    acts={
        "change_own_password": (P.OWN_ACCOUNT, account.change_password),
        "enrol_totp": (P.OWN_ACCOUNT, account.enrol),
        "confirm_totp": (P.OWN_ACCOUNT, account.confirm),
        "give_up_totp": (P.OWN_ACCOUNT, account.give_up),
        "create_token": (P.MAKE_TOKENS, account.mint),
        "revoke_token": (P.MAKE_TOKENS, roster.revoke),
        "end_sessions": (P.OWN_ACCOUNT, account.end),
    },
)

PAGES: Mapping[str, Page] = {
    page.name: page
    for page in (
        WALLBOARD, CALLS, RECORDINGS, QUEUES, AGENTS, LINES, NODES, REPORTS, CONFIG, USERS, AUDIT, ACCOUNT,
    )
}  # fmt: skip
# what is looked at is another page than the list it is in
ONE: Mapping[str, Page] = {"calls": CALL, "recordings": RECORDING}


def page_of(page: str, id: str) -> Page:
    """The page of a place; the first one where there is none."""
    return ONE[page] if id and page in ONE else PAGES.get(page, WALLBOARD)
