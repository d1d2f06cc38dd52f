"""One side of a call: its signalling and the media leg that carries its sound, agreed on by SDP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

from engine import network, sound
from engine.browser import BrowserDescription
from engine.description import Description, PhoneDescription
from engine.door import Door
from engine.early_sound import Preview
from engine.encryption import Encryption, Policy
from engine.events import Side
from engine.signalling import SIP, Manner, Signalling
from media.messages import (
    Address,
    AnyCommand,
    CloseLeg,
    LegStats,
    OpenLeg,
    Play,
    SetRemote,
    Stop,
)
from media.wish import Treat

if TYPE_CHECKING:
    from engine.attempt import Attempt
    from engine.call import Call
    from engine.ports import MediaPort
    from engine.trunk.attempt import LineAttempt
    from routing.failover import Tried
    from routing.rescue import Rescue


NOTICED_S = 5.0  # silence after which a worker says so, unless a leg wants it sooner


class Media(StrEnum):
    """Where the media leg stands."""

    NONE = "none"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Leg:
    """A leg belongs to one call at a time; an attended transfer moves it to another."""

    def __init__(self, number: int, call: Call, side: Side, media: MediaPort, worker: int) -> None:
        self.number = number
        self.call = call
        self.side = side
        self.worker = worker
        self.session: Signalling | None = None
        self.manner: Manner = SIP  # what its signalling can do
        self.account = ""  # of ours, that its far end has proved to be or was rung by; "" for none
        self.agent = ""
        self.name = ""
        self.node = ""  # the other node that is its far end
        self.attempt: Attempt | LineAttempt | None = None  # while its far end rings
        self.replaces: Leg | None = None  # the leg whose place it takes once it is open
        self.media = Media.NONE
        self.port = 0
        self.moving = False  # to another worker, and its phone does not know yet
        self.moving_until = 0.0  # so long it is asked over once and again
        self.connected = False  # signalling and SDP are done: sound can pass
        self.silent = False  # the worker hears nothing from the far end
        self.heard = False  # it has, of a packet at least
        self.mute = False  # its line was told that it had not
        self.asked = False  # whether it is still there; no answer yet
        self.away = False  # a browser that is out of reach: engine/absence.py
        self.bereft = False  # its far end was at a node that is gone: engine/halves.py
        self.away_until = 0.0  # when that is over, one way or the other
        self.lulled = False  # it hears that the other side is away
        self.near = ""  # our address for a far end on this machine, which cannot be sent by way of any other
        self.line = ""  # whose channel it has
        self.lines: Sequence[str] = ()  # that may have its far end's calls; any when empty
        self.carried: Tried | None = None  # the attempt over a line that it came of
        self.rescue: Rescue | None = None  # how it stands, where it is called again should it die
        self.patience_s = NOTICED_S  # silence after which its worker tells
        self.broke = False  # its far end was lost in the middle of the call
        self.preview = Preview()  # what its far end, which called, was told before the answer
        self.stats: LegStats | None = None
        self.treated: Treat | None = None  # what the worker was told to do with its sound
        self.network = network.fresh()  # what workers tell of the way to the far end
        self.door: Door | None = None  # for browsers
        self.description: Description = PhoneDescription(
            media.capabilities, Encryption(Policy.OFF, (), call.switch.rng)
        )
        self._media = media
        self._play: Play | None = None  # that waits until a browser is reached

    # --- SDP --------------------------------------------------------------------------------------

    @property
    def codec(self) -> str:
        return self.description.codec

    @property
    def suite(self) -> str:
        """What it is encrypted with, "" for nothing."""
        return self.description.suite

    @property
    def has_offer(self) -> bool:
        return self.description.has_offer

    @property
    def held(self) -> bool:
        """Whether the far end asked us not to send to it."""
        return self.description.held

    @property
    def pauses(self) -> bool:
        """Whether its far end and we may describe the noise of pauses to each other."""
        return self.description.pauses

    @property
    def negotiated(self) -> bool:
        """Whether both ends have agreed on codecs."""
        return bool(self.codec)

    @property
    def takes_events(self) -> bool:
        """Whether its far end sends digits as telephone events."""
        return self.description.events

    def take_offer(self, body: bytes) -> None:
        """Read the far end's offer. Raises MalformedSdp or NothingInCommon, which carry their status."""
        self.description.take_offer(body)

    def answer(self) -> bytes:
        """Our answer to the offer that was taken."""
        return self.description.answer(self._at)

    def offer(self, prefer: str = "", pauses: bool = False) -> bytes:
        """An offer of all we speak; `prefer`, the other leg's codec, comes first: it can be relayed.

        pauses: comfort noise, too, as the other leg has it. Else it is not asked for: far ends that have it
        cut speech where they take it for silence.
        """
        return self.description.offer(self._at, prefer or self.codec, pauses)

    def standing(self) -> bytes:
        """What we said last; offered again it changes nothing."""
        return self.description.standing()

    def take_answer(self, body: bytes) -> None:
        """Read the far end's answer to our newest offer. Raises as take_offer does."""
        self.description.take_answer(body)

    @property
    def _at(self) -> Address:
        return self.near or self._media.address, self.port

    # --- browsers ---------------------------------------------------------------------------------

    def give_door(self) -> BrowserDescription | None:
        """Let browsers in at its port; None where this node lets none in."""
        gate = self.call.switch.gate
        if gate is None:
            return None
        self.door = Door(self.number, gate)
        return self.described_to_browsers()

    def described_to_browsers(self) -> BrowserDescription:
        """A description for one browser at its door."""
        assert self.door is not None, "browsers need a door"
        return BrowserDescription(self.door, self._media.capabilities)

    def when_describable(self, then: Callable[[float], None], now: float) -> None:
        """Do something as soon as there is something to say of the leg: for browsers, a door."""
        if self.door is None:
            then(now)
        else:
            self.door.when_open(then, now)

    def shut_door(self) -> None:
        """No browser comes in here any more."""
        door, self.door = self.door, None
        if door is not None:
            door.close()

    # --- the media leg ----------------------------------------------------------------------------

    def open(self) -> None:
        self.media = Media.OPENING
        wire = self.description.wire()
        self._media.send(
            self.worker,
            OpenLeg(
                self.number,
                wire.codecs,
                wire.dtmf_pt,
                wire.remote,
                wire.rtcp_mux,
                wire.direction,
                keys=wire.keys,
                dtmf_clock=wire.dtmf_clock,
                transport_cc=wire.transport_cc,
                profile=network.profile(self),
                repair=self.call.repair or self.call.switch.config.media.network.repair,
                gate=self.door.gate.doors if self.door is not None else "",
                patience_ms=round(self.patience_s * 1000),
                dscp=self._dscp,
            ),
        )
        self.treated = None
        sound.treat(self)

    def update(self) -> None:
        """Tell the worker what the newest offer/answer says."""
        if self.media is Media.OPEN and self.description.agreed:
            wire = self.description.wire()
            self._media.send(
                self.worker,
                SetRemote(
                    self.number,
                    wire.remote,
                    wire.codecs,
                    wire.dtmf_pt,
                    wire.rtcp_mux,
                    wire.direction,
                    keys=wire.keys,
                    dtmf_clock=wire.dtmf_clock,
                    transport_cc=wire.transport_cc,
                    dscp=self._dscp,
                ),
            )
            sound.treat(self)

    @property
    def _dscp(self) -> int:
        """Of the line that it goes over, -1 for the node's."""
        dscp = self.call.switch.trunks.media_dscp(self.line) if self.line else None
        return -1 if dscp is None else dscp

    def play(self, play: Play) -> None:
        """Play to it; a browser that is still being reached would miss the beginning, so that it waits, and
        one that has to find this node first hears what is played then.
        """
        if self.media is Media.NONE:
            return
        if self.description.agreed or self.door is None:
            self.send(play)
        else:
            self._play = play

    def hush(self) -> None:
        """Stop what plays, or was to."""
        self._play = None
        if self.media is Media.OPEN:
            self.send(Stop(self.number))

    def reached(self) -> None:
        """The way to its browser is open, and so is the sound."""
        self.update()
        play, self._play = self._play, None
        if play is not None:
            self.send(play)

    def send(self, command: AnyCommand) -> None:
        """Tell the worker something of this leg."""
        self._media.send(self.worker, command)

    def leave_line(self) -> None:
        """Let its line's channel go; once."""
        line, self.line = self.line, ""
        if line:
            self.call.switch.trunks.ended(line)

    def close(self) -> None:
        self.leave_line()
        if self.media in (Media.OPENING, Media.OPEN):
            self.media = Media.CLOSING
            self.shut_door()
            self._media.send(self.worker, CloseLeg(self.number))

    def lost(self) -> None:
        """Its worker died."""
        self.leave_line()
        self.media = Media.CLOSED
        self.shut_door()

    @property
    def should_speak(self) -> bool:
        """Whether sound has to come from the far end: it is connected, and holds neither us nor itself."""
        return self.connected and self.media is Media.OPEN and self.description.wire().direction == "sendrecv"

    @property
    def remote_address(self) -> str:
        """Where its sound goes and comes from, "" while unknown."""
        remote = self.stats.source if self.stats and self.stats.source else self.description.remote
        return f"{remote[0]}:{remote[1]}" if remote else ""
