"""A leg's way to a browser, as the engine has it: what the gate said of it, and what waits until it has.

The gate (media/gate.py) is asked for a door once the worker has given the leg its port; only then there is
something to put into a session description.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from media.answer import fragment
from media.gate import (
    AddCandidates,
    CloseDoor,
    DoorMoved,
    DoorOpened,
    DoorSecured,
    OpenDoor,
    Peer,
    RestartDoor,
    SetPeer,
)
from media.messages import Address, Keys
from sip.errors import NothingInCommon

if TYPE_CHECKING:
    from engine.ports import GatePort
    from media.jsep import Session


class Door:
    """One leg's. opened: what our descriptions say of it, None before the gate has said so; while the far end
    is sought anew, what stood before. remote, keys: of
    the far end, None before it is reached. client: whether we begin the handshake. lost: the gate died, and
    with it what could find the far end anew; sound needs no gate, and goes on as long as the way does.
    """

    def __init__(self, leg: int, gate: GatePort) -> None:
        self.leg = leg
        self.gate = gate
        self.opened: DoorOpened | None = None
        self.remote: Address | None = None
        self.keys: Keys | None = None
        self.client = True
        self.quiet = False  # the far end answers no checks, or is asked none
        self.lost = False
        self._far: Session | None = None  # as it described itself last
        self._asked = False
        self._awaited = True  # what the gate has to say of it
        self._waiting: list[Callable[[float], None]] = []  # for that

    # --- descriptions -----------------------------------------------------------------------------

    def offered(self, far: Session) -> None:
        """The far end offers; one that has other credentials than before asks to be sought anew (RFC 8445
        section 9). Raises NothingInCommon for what would take other keys: the association stays.
        """
        before, self._far = self._far, far
        if before is None:
            self.client = far.setup != "active"
            return
        if set(far.fingerprints) != set(before.fingerprints):
            self._far = before
            raise NothingInCommon("another certificate within a call")
        if (far.peer.ufrag, far.peer.password) != (before.peer.ufrag, before.peer.password):
            if self.lost:
                self._far = before
                raise NothingInCommon("no other way can be found to this leg, only to one in its place")
            self._seek(far.peer)

    def answered(self, far: Session) -> None:
        """The far end answers; only its first answer says who it is."""
        before, self._far = self._far, far
        if before is None:
            self.client = far.setup != "active"
            self.gate.send(SetPeer(self.leg, far.peer, far.fingerprints, self.client))

    # --- without descriptions: fragments (RFC 8840) ------------------------------------------------

    @property
    def version(self) -> str:
        """Names the way that is being sought or was found, as of when it was opened."""
        return self.opened.ufrag if self.opened is not None else ""

    def told(self, peer: Peer) -> bool:
        """The far end tells where else it may be; whether it asks to be sought anew by that, with other
        credentials.
        """
        far = self._far
        assert far is not None, "fragments come after descriptions"
        whole = bool(peer.ufrag and peer.password)
        if not whole or (peer.ufrag, peer.password) == (far.peer.ufrag, far.peer.password):
            self.gate.send(AddCandidates(self.leg, peer.candidates, peer.complete))
            return False
        self._far = replace(far, peer=peer)
        self._seek(peer)
        return True

    def fragment(self) -> str:
        """Our side of that."""
        assert self._far is not None and self.opened is not None, "there is a way"
        return fragment(self._far.mid, self.opened)

    def _seek(self, peer: Peer) -> None:
        self._awaited = True
        self.gate.send(RestartDoor(self.leg, peer))

    # --- the gate ---------------------------------------------------------------------------------

    def open(self, at: Address) -> None:
        """Ask for it. at: the leg's port as browsers see it."""
        self._asked = True
        far, relayed = self._far, self.gate.relayed
        if far is None:
            self.gate.send(OpenDoor(self.leg, at, relayed=relayed))
        else:
            self.gate.send(OpenDoor(self.leg, at, far.peer, far.fingerprints, self.client, relayed))

    def when_open(self, then: Callable[[float], None], now: float) -> None:
        """Do something as soon as the gate has said what our description needs: now, or later."""
        if self._awaited:
            self._waiting.append(then)
        else:
            then(now)

    def was_opened(self, event: DoorOpened, now: float) -> None:
        self.opened, self._awaited = event, False
        waiting, self._waiting = self._waiting, []
        for then in waiting:
            then(now)

    def was_reached(self, event: DoorSecured | DoorMoved) -> None:
        """The far end was found, or found elsewhere; the keys are told once."""
        self.remote, self.quiet = event.remote, False
        if isinstance(event, DoorSecured):
            self.keys = Keys(event.suite, event.send, event.receive)

    def lose(self) -> None:
        """The gate died. What waits for it waits in vain."""
        self.lost = self.quiet = True
        self._asked = self._awaited = False
        self._waiting.clear()

    def close(self) -> None:
        self._waiting.clear()
        if self._asked:
            self._asked = False
            self.gate.send(CloseDoor(self.leg))
