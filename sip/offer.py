"""Offer/answer: who owes whom a session description.

RFC 3264, RFC 6337), the descriptions being opaque bytes.
"""

from __future__ import annotations

from sip.message import Message
from sip.multipart import find_body
from sip.table import Table

# states
STABLE, OFFERED, ASKED = "stable", "offered", "asked"  # ours is out; theirs is in
# events
SEND_OFFER, RECEIVE_OFFER, SEND_ANSWER, RECEIVE_ANSWER, FAIL = (
    "send offer", "receive offer", "send answer", "receive answer", "fail",
)  # fmt: skip
# actions
KEEP_LOCAL, KEEP_REMOTE, COMMIT, ROLL_BACK = "keep local", "keep remote", "commit", "roll back"

OFFER_ANSWER: Table = {
    # state    event             next state  actions
    (STABLE,   SEND_OFFER):      (OFFERED,   (KEEP_LOCAL,)),
    (STABLE,   RECEIVE_OFFER):   (ASKED,     (KEEP_REMOTE,)),
    (OFFERED,  RECEIVE_ANSWER):  (STABLE,    (KEEP_REMOTE, COMMIT)),
    (OFFERED,  FAIL):            (STABLE,    (ROLL_BACK,)),          # RFC 3264 section 4: as if never offered
    (ASKED,    SEND_ANSWER):     (STABLE,    (KEEP_LOCAL, COMMIT)),
    (ASKED,    FAIL):            (STABLE,    (ROLL_BACK,)),
}  # fmt: skip


def sdp_of(message: Message) -> bytes | None:
    """The session description a message carries, or None."""
    if not message.body:
        return None
    return message.body if message.content_type == "application/sdp" else find_body(message)


def described(sdp: bytes | None) -> list[tuple[str, str]]:
    """The header fields of a message that carries `sdp`."""
    return [("Content-Type", "application/sdp")] if sdp else []


class OfferAnswer:
    """The exchange of one dialog. local, remote: what is agreed; None before the first agreement."""

    __slots__ = ("_local", "_remote", "local", "remote", "remote_offered", "state")

    def __init__(self) -> None:
        self.state = STABLE
        self.local: bytes | None = None
        self.remote: bytes | None = None
        self.remote_offered = False  # whether the agreed descriptions are their offer and our answer
        self._local: bytes | None = None
        self._remote: bytes | None = None

    def step(self, event: str, sdp: bytes | None = None) -> bool:
        """Take one step; False when the state does not allow it and nothing changed."""
        row = OFFER_ANSWER.get((self.state, event))
        if row is None:
            return False
        asked = self.state == ASKED
        self.state = row[0]
        for action in row[1]:
            if action == KEEP_LOCAL:
                self._local = sdp
            elif action == KEEP_REMOTE:
                self._remote = sdp
            elif action == COMMIT:
                self.local, self.remote, self.remote_offered = self._local, self._remote, asked
            else:
                self._local, self._remote = self.local, self.remote
        return True

    @property
    def newest_remote(self) -> bytes | None:
        """Their description that came last, an offer that is not answered yet included."""
        return self._remote

    @property
    def stable(self) -> bool:
        """Neither side owes an answer."""
        return self.state == STABLE

    @property
    def agreed(self) -> bool:
        """Whether any offer was ever answered."""
        return self.local is not None

    def repeats(self, offer: bytes) -> bytes | None:
        """Our standing answer when `offer` is their standing offer to the byte (a refresh), else None."""
        return self.local if self.remote_offered and offer == self.remote else None
