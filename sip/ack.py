"""The ACK to a 2xx, which is no part of the INVITE's transaction (RFC 3261 section 13.2.2.4)."""

from __future__ import annotations

from sip.dialog import Dialog
from sip.hop import Hop
from sip.message import Request
from sip.offer import described
from sip.stack import Stack


def acknowledgement(stack: Stack, dialog: Dialog, invite: Request, sdp: bytes | None) -> tuple[bytes, Hop]:
    """A request inside the dialog with the INVITE's number and credentials, and where it goes."""
    ack = dialog.request("ACK", invite.cseq[0], described(sdp), sdp or b"")
    hop = stack.hops_inside(dialog)[0]
    ack.headers.set("Via", stack.via(hop, stack.new_branch()))
    for name in ("Authorization", "Proxy-Authorization"):
        for value in invite.headers.all(name):
            ack.headers.add(name, value)
    return ack.encode(), hop
