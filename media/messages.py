"""What the engine and a media worker say to each other: tagged structs, msgpack, a frame for each batch.

A frame is a 4-byte big-endian length and that many bytes of msgpack: a list of messages of one side. Leg ids
are the engine's, unique in the node's life, so that a late event of a dead worker is never taken for a new
leg's. Gains are linear (1.0 = unity), times are milliseconds, addresses are (numeric host, port).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from media.gate import GateCommand, GateEvent
from media.recording import RecordingCommand, RecordingEvent
from media.speech.messages import SpeechCommand, SpeechEvent
from media.wish import SoundCommand

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Address = tuple[str, int]
Repair = Literal["auto", "on", "off"]
Profile = Literal["mobile-2g", "mobile-3g", "standard", "hd"]
TroubleKind = Literal[
    "no_rtp", "one_way", "wrong_payload", "silence", "clipping", "ssrc_change", "clock_drift", "undecryptable"
]

MAX_FRAME = 4 * 1024 * 1024  # bytes; a longer frame is a broken peer


class Codec(msgspec.Struct, frozen=True):
    """A codec as negotiated: payload type, encoding name (any case), clock rate in Hz, ptime to send (ms).

    params: what its fmtp line says the far end wants to receive, names in lower case.
    """

    pt: int
    name: str
    rate: int = 8000
    ptime: int = 20
    channels: int = 1
    params: dict[str, str] = {}


class Keys(msgspec.Struct, frozen=True):
    """SRTP keys of a leg (RFC 4568): suite by its registered name; master key and salt, one after the other,
    of what we send and of what we receive.
    """

    suite: str
    send: bytes
    receive: bytes

    def __repr__(self) -> str:
        return f"Keys({self.suite}, [hidden])"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return [("suite", self.suite)]


class LegStats(msgspec.Struct, frozen=True):
    """A leg's figures since it was opened.

    lost: packets of the far end's stream that never came. Of legs that are heard rendered only: late, packets
    that came after their turn to be played; failed, that no decoder took; concealed_ms, sound made up for
    what was missing, rests of the sender left out; accelerated_ms, expanded_ms, sound left out and put in to
    change the delay; resets, how often play-out began anew because the stream's times leapt. jitter_ms: RFC
    3550 section 6.4.1. rtt_ms, remote_lost: by the far end's receiver reports, None before the first. mos:
    E-model (ITU-T G.107) of what arrived here, None before anything has; mos_now: of the last seconds;
    burst_ratio: BurstR of their losses, 1 when random. mos_there: of what arrives there, by extended reports
    (RFC 3611). kbps: payload that arrives. source: where packets come from. buffer_ms: how late it is
    played. level_db, speech: loudest lately, dB of full scale; share that is loud.
    """

    leg: int
    codec: str = ""
    sent: int = 0
    received: int = 0
    lost: int = 0
    late: int = 0
    failed: int = 0
    concealed_ms: int = 0
    accelerated_ms: int = 0
    expanded_ms: int = 0
    resets: int = 0
    duplicate: int = 0
    reordered: int = 0
    jitter_ms: float = 0.0
    rtt_ms: float | None = None
    remote_lost: int | None = None
    mos: float | None = None
    mos_now: float | None = None
    burst_ratio: float = 1.0
    mos_there: float | None = None
    kbps: float = 0.0
    buffer_ms: float = 0.0
    level_db: float | None = None
    speech: float | None = None
    source: Address | None = None


# --- commands: engine to worker -------------------------------------------------------------------------


class Command(msgspec.Struct, frozen=True, tag=True):
    """Something the engine asks of a worker."""


class OpenLeg(Command, frozen=True, tag=True):
    """Give the leg a port; answered with LegOpened or LegFailed.

    codecs: in order of preference; the first is what we send, all are understood. remote None: not known yet,
    the port is open and nothing is sent. direction is ours: "sendonly" sends and ignores what comes.
    keys: None for plain RTP. dtmf_clock: Hz of telephone events. profile: what the network carries. repair:
    whether to render what it would be relayed, for its far end's sake. gate: Unix socket of the gate that
    speaks ICE and DTLS for it, "" for none. transport_cc: number, 1 to 14, of the header extension numbering
    packets transport-wide; 0 for none. patience_ms: silence that is told. dscp: -1 for the worker's.
    """

    leg: int
    codecs: list[Codec] = []
    dtmf_pt: int | None = None
    remote: Address | None = None
    rtcp_mux: bool = False
    direction: Direction = "sendrecv"
    dtmf_clock: int = 8000
    keys: Keys | None = None
    transport_cc: int = 0
    profile: Profile = "standard"
    repair: Repair = "auto"
    gate: str = ""
    patience_ms: int = 5000
    dscp: int = -1


class SetRemote(Command, frozen=True, tag=True):
    """The far end as the newest offer/answer has it; a changed address starts latching anew.

    keys: a key that stays is gone on with, another one begins anew; None ends encryption. dscp: of its
    packets from now on, -1: as before.
    """

    leg: int
    remote: Address | None
    codecs: list[Codec]
    dtmf_pt: int | None = None
    rtcp_mux: bool = False
    direction: Direction = "sendrecv"
    dtmf_clock: int = 8000
    keys: Keys | None = None
    transport_cc: int = 0
    dscp: int = -1


class SetGain(Command, frozen=True, tag=True):
    """`dst` hears `src` at `gain`; 0 parts them. keys: if rendered, it is dialled what `src` presses, too."""

    src: int
    dst: int
    gain: float = 1.0
    keys: bool = True


class Play(Command, frozen=True, tag=True):
    """Play WAV files to the leg, one after the other; queued behind what plays already.

    loop: repeat them until stopped. barge: it falls silent when the far end begins to speak, and is over
    (PlayDone with interrupted) when the far end goes on; loops are never interrupted.
    """

    leg: int
    play: int
    items: list[str]
    loop: bool = False
    gain: float = 1.0
    barge: bool = False


class Stop(Command, frozen=True, tag=True):
    """Stop one play of the leg, or all (None); each stopped one is answered PlayDone(completed=False)."""

    leg: int
    play: int | None = None


class SendDtmf(Command, frozen=True, tag=True):
    """Send digits (0-9 * # A-D) to the far end as telephone events of `ms` each, queued."""

    leg: int
    digits: str
    ms: int = 160


class Tap(Command, frozen=True, tag=True):
    """Give the leg's sound, both ways, to the subscriber that listens at the Unix socket `to`, tick by tick.

    media/tap.py says how. What the far end says is decoded beside the relay; the relay stays.
    """

    leg: int
    to: str


class Untap(Command, frozen=True, tag=True):
    """Give the leg's sound to that subscriber no more, from the next tick on."""

    leg: int
    to: str


class CloseLeg(Command, frozen=True, tag=True):
    """Close the leg and free its port; answered with LegClosed. Its edges and plays go with it."""

    leg: int


class Ping(Command, frozen=True, tag=True):
    """Answered at once with Pong(n)."""

    n: int


AnyCommand = (
    OpenLeg
    | SetRemote
    | SetGain
    | Play
    | Stop
    | SoundCommand
    | SendDtmf
    | Tap
    | Untap
    | CloseLeg
    | Ping
    | RecordingCommand
    | GateCommand
    | SpeechCommand
)


# --- events: worker to engine -------------------------------------------------------------------------


class Event(msgspec.Struct, frozen=True, tag=True):
    """Something a worker tells the engine."""


class WorkerReady(Event, frozen=True, tag=True):
    """The worker listens; `ports` even RTP ports are free, `address` is what to put in SDP."""

    pid: int
    ports: int
    address: str = ""


class LegOpened(Event, frozen=True, tag=True):
    leg: int
    port: int


class LegFailed(Event, frozen=True, tag=True):
    """The command could not be done for this leg. reason: "no_ports", "exists", "unknown", "codec",
    "address", "dtmf", "keys".
    """

    leg: int
    reason: str


class LegClosed(Event, frozen=True, tag=True):
    leg: int
    stats: LegStats


class PlayDone(Event, frozen=True, tag=True):
    """A play came to its end (completed), or was stopped, or its files could not be read (not completed), or
    the far end spoke over it (interrupted, not completed).
    """

    leg: int
    play: int
    completed: bool
    interrupted: bool = False


class Dtmf(Event, frozen=True, tag=True):
    """The far end pressed a key; once a key press. ms: how long it was held, as far as known."""

    leg: int
    digit: str
    ms: int


class RtpStarted(Event, frozen=True, tag=True):
    """The leg's packets are accepted from `remote`: at first, and again when they come back or move."""

    leg: int
    remote: Address


class RtpStopped(Event, frozen=True, tag=True):
    """No packet for as long as the leg has patience, where it should receive some."""

    leg: int


class Trouble(Event, frozen=True, tag=True):
    """Something is wrong with the leg's sound, or is no more (over); each is told once.

    cause: what, why probably and what to do, in plain words. since: when it began or ended, s since 1970.
    """

    leg: int
    kind: TroubleKind
    cause: str
    since: float
    over: bool = False


class Wish(Event, frozen=True, tag=True):
    """The leg would sound better with another codec, which a re-INVITE may bring. why: in words."""

    leg: int
    codec: str
    why: str


class Stats(Event, frozen=True, tag=True):
    """Every 5 s, for every leg."""

    legs: list[LegStats]


class Pong(Event, frozen=True, tag=True):
    """load: share of one core that the worker used lately, 0..1."""

    n: int
    load: float = 0.0


AnyEvent = (
    WorkerReady
    | LegOpened
    | LegFailed
    | LegClosed
    | PlayDone
    | Dtmf
    | RtpStarted
    | RtpStopped
    | Trouble
    | Wish
    | Stats
    | Pong
    | RecordingEvent
    | GateEvent
    | SpeechEvent
)

_encoder = msgspec.msgpack.Encoder()
_commands = msgspec.msgpack.Decoder(list[AnyCommand])
_events = msgspec.msgpack.Decoder(list[AnyEvent])


def encode(messages: Sequence[AnyCommand] | Sequence[AnyEvent]) -> bytes:
    """A whole frame: length and msgpack."""
    body = _encoder.encode(messages)
    return len(body).to_bytes(4, "big") + body


def decode_commands(body: bytes) -> list[AnyCommand]:
    """The messages of one frame's body. Raises msgspec.DecodeError, also for a well-formed wrong message."""
    return _commands.decode(body)


def decode_events(body: bytes) -> list[AnyEvent]:
    """The messages of one frame's body. Raises msgspec.DecodeError, also for a well-formed wrong message."""
    return _events.decode(body)


class Frames:
    """Cuts a byte stream into frame bodies; holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Bodies that `data` completes. Raises ValueError when a frame announces over MAX_FRAME bytes."""
        self._buffer += data
        bodies: list[bytes] = []
        at = 0
        while len(self._buffer) - at >= 4:
            size = int.from_bytes(self._buffer[at : at + 4], "big")
            if size > MAX_FRAME:
                raise ValueError(f"frame of {size} bytes")
            if len(self._buffer) - at - 4 < size:
                break
            bodies.append(bytes(self._buffer[at + 4 : at + 4 + size]))
            at += 4 + size
        del self._buffer[:at]
        return bodies
