"""What a leg's signalling is asked for, whatever it speaks, and what it can do.

A SIP session (sip.session) is one kind, a caller's way in over HTTP (engine/whip.py) the other. The switch
finds a leg by the `id` of its session; what only one kind can do is told by its `Manner`, never by its type.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from sip.reason import Reason


class Signalling(Protocol):
    """One leg's. All take the time, and do nothing once it is over."""

    @property
    def id(self) -> int:
        """No other session of the switch has it."""

    @property
    def call_id(self) -> str:
        """Its Call-ID, "" where it has none."""

    def progress(
        self,
        sdp: bytes | None = None,
        status: int = 183,
        *,
        headers: Sequence[tuple[str, str]] = (),
        now: float,
    ) -> None:
        """How far who is called is; with our description it can be heard already. status, headers: SIP's."""

    def answer(self, sdp: bytes | None, *, now: float) -> None:
        """Our description: it is through."""

    def reject(
        self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = (), *, now: float
    ) -> None:
        """It is not; status, reason and headers: SIP's."""

    def hangup(self, cause: Reason | None = None, *, now: float) -> None:
        """End it, in whatever state."""

    def surrender(self, *, now: float) -> None:
        """Another node has it: nothing more is said."""

    def reoffer(self, sdp: bytes | None, *, now: float) -> None:
        """Change what was agreed on."""

    def ask(self, *, now: float) -> None:
        """Whether the far end still has the call."""

    def notify_refer(self, status: int, *, now: float) -> None:
        """How a transfer that it asked for fares."""


class Manner(NamedTuple):
    """What a kind of signalling can do.

    rings: say that somebody is being rung; else its call is answered at once. renegotiates: change what was
    agreed on. returns: its far end may come back by another session, so that a good-bye of the sound alone
    is no end. reserves: its far end has nobody rung before it has our description.
    """

    rings: bool = True
    renegotiates: bool = True
    returns: bool = False
    reserves: bool = False


SIP = Manner()
RESERVING = Manner(reserves=True)  # SIP with preconditions (RFC 3312): mobile networks
PAGE = Manner(returns=True)  # SIP of a browser with an account of ours, which INVITEs with Replaces
WHIP = Manner(rings=False, renegotiates=False, returns=True)
