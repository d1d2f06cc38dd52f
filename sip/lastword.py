"""What ends an INVITE that is not answered yet, for another user agent to say in the place of one that died.

Such an INVITE is one transaction, which nobody else can go on with (RFC 3261 section 17). It can be ended,
for who gets a response or a CANCEL matches it by its branch alone (sections 17.1.3 and 17.2.3), wherever it
came from: a caller is told 503, and her proxy tries elsewhere (section 16.7); a phone that rings is told
CANCEL. Behind a NAT that lets no other address in, or over a connection that ended, nobody hears it, and the
far end's own timers do the rest.
"""

from __future__ import annotations

from typing import TypeAlias

from sip.errors import BadSnapshot
from sip.hop import DEFAULT_PORTS, Hop
from sip.reach import is_numeric
from sip.session import Session
from sip.stack import Stack

LONGEST = 4096  # bytes
Word: TypeAlias = tuple[str, str, int, str, bytes]  # transport, host, port, name, what to say
ENDINGS = (b"CANCEL sip", b"SIP/2.0 503 ")


def take(session: Session) -> Word | None:
    """In plain values; None where there is nothing to be said, or no way."""
    inviting = session.callee or session.caller
    said = inviting.last_word() if inviting is not None else None
    if said is None:
        return None
    data, hop = said
    answers_back = session.callee is not None or hop.one_way
    if len(data) > LONGEST or (answers_back and hop.reliable):
        return None
    return hop.transport, hop.host, hop.port, hop.name, data


def say(stack: Stack, word: Word) -> None:
    """Say it. Raises BadSnapshot for what `take` never gives."""
    transport, host, port, name, data = word
    if transport not in DEFAULT_PORTS or not is_numeric(host) or not 0 < port < 65536:
        raise BadSnapshot("a last word to nowhere")
    if len(data) > LONGEST or not data.startswith(ENDINGS):
        raise BadSnapshot("no last word")
    hop = Hop(transport, host, port, name=name[:255])
    if stack.can_reach(hop):
        stack.transmit(data, hop)
