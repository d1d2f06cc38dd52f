"""The state diagrams of the SIP stack, drawn from its tables: `python -m tests.sip.states` rewrites them."""

from __future__ import annotations

from pathlib import Path

from sip.offer import OFFER_ANSWER
from sip.registration import TABLE as REGISTRATION
from sip.states import CALLEE, CALLER
from sip.table import Table, as_mermaid
from sip.transaction import INVITE_CLIENT, INVITE_SERVER, NON_INVITE_CLIENT, NON_INVITE_SERVER
from sip.turns import RENEGOTIATION
from sip.watch import WATCH

DOCUMENT = Path(__file__).parents[2] / "docs" / "sip-states.md"
CHAPTERS: tuple[tuple[str, str, Table], ...] = (
    ("INVITE, client transaction", "RFC 3261 section 17.1.1 with RFC 6026", INVITE_CLIENT),
    ("Other requests, client transaction", "RFC 3261 section 17.1.2", NON_INVITE_CLIENT),
    ("INVITE, server transaction", "RFC 3261 section 17.2.1 with RFC 6026", INVITE_SERVER),
    ("Other requests, server transaction", "RFC 3261 section 17.2.2", NON_INVITE_SERVER),
    ("Offer and answer", "RFC 3264, RFC 6337", OFFER_ANSWER),
    ("A call we make", "RFC 3261 sections 9, 13 and 15", CALLER),
    ("A call to us", "RFC 3261 sections 9, 13 and 15", CALLEE),
    ("A change of a call", "RFC 3261 section 14, RFC 3311", RENEGOTIATION),
    ("Our registration with somebody else", "RFC 3261 section 10.2", REGISTRATION),
    ("Our watch over it", "RFC 3680, RFC 6665", WATCH),
)


def document() -> str:
    """The whole document, as it should be."""
    parts = [
        "# States of the SIP stack\n",
        "Drawn from the tables in `sip/` by `python -m tests.sip.states`; a test fails when they differ.",
        "An arrow reads: event / actions. An event without an arrow is ignored in that state.\n",
    ]
    for title, source, table in CHAPTERS:
        parts += [f"## {title}\n", f"{source}.\n", f"```mermaid\n{as_mermaid(table)}\n```\n"]
    return "\n".join(parts)


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
