"""What is said to and by the gate, the process that speaks ICE and DTLS for the browsers' legs.

The engine asks it for a door per leg; media/messages.py carries that as it carries the rest. Between a gate
and the workers, whose ports the legs' packets come to, go single datagrams: what is rare from the worker, and
from the gate what is to be sent and whom the worker may answer itself.
"""

from __future__ import annotations

import msgspec

Address = tuple[str, int]

MAX_CANDIDATES = 64  # of one far end; browsers have a dozen


class Fingerprint(msgspec.Struct, frozen=True):
    """Of a certificate (RFC 8122): algorithm, lower case, and the digest as pairs of hex digits."""

    algorithm: str
    value: str


class Candidate(msgspec.Struct, frozen=True):
    """Where a side may be reached (RFC 8839 section 5.1), UDP only. kind: host, srflx, prflx or relay."""

    foundation: str
    priority: int
    host: str
    port: int
    kind: str = "host"
    component: int = 1


class Peer(msgspec.Struct, frozen=True):
    """What a session description says of the far end's ICE: user name fragment and password, where it may be
    reached as far as it knows, whether there is more to come, whether it only answers (ICE lite).
    """

    ufrag: str
    password: str
    candidates: list[Candidate] = []
    complete: bool = False
    lite: bool = False

    def __repr__(self) -> str:
        return f"Peer({self.ufrag}, [hidden], {len(self.candidates)} candidates)"


# --- engine to gate -------------------------------------------------------------------------------------


class OpenDoor(msgspec.Struct, frozen=True, tag=True):
    """Make a leg that a worker has opened reachable; answered with DoorOpened.

    at: address and port of the leg, as the far end sees it. peer: None while the far end has not said
    anything (the offer is ours). client: whether we begin the DTLS handshake. fingerprints: of the far end's
    certificate, all of which must fit. relayed: it is talked to by way of relays (TURN) alone.
    """

    leg: int
    at: Address
    peer: Peer | None = None
    fingerprints: list[Fingerprint] = []
    client: bool = False
    relayed: bool = False


class SetPeer(msgspec.Struct, frozen=True, tag=True):
    """The far end's answer to an offer of ours."""

    leg: int
    peer: Peer
    fingerprints: list[Fingerprint] = []
    client: bool = False


class AddCandidates(msgspec.Struct, frozen=True, tag=True):
    """More places where the far end may be reached (trickle, RFC 8838); complete: these were the last."""

    leg: int
    candidates: list[Candidate]
    complete: bool = False


class RestartDoor(msgspec.Struct, frozen=True, tag=True):
    """Find the way anew (RFC 8445 section 9); answered with DoorOpened and other credentials. Until it is
    found the former one is gone on with, and the keys stay.
    """

    leg: int
    peer: Peer | None = None


class CloseDoor(msgspec.Struct, frozen=True, tag=True):
    """The leg is over. The far end is told so by DTLS."""

    leg: int


GateCommand = OpenDoor | SetPeer | AddCandidates | RestartDoor | CloseDoor


# --- gate to engine -------------------------------------------------------------------------------------


class DoorOpened(msgspec.Struct, frozen=True, tag=True):
    """What our session description has to say of the leg."""

    leg: int
    ufrag: str
    password: str
    candidates: list[Candidate]
    fingerprint: Fingerprint

    def __repr__(self) -> str:
        return f"DoorOpened({self.leg}, {self.ufrag}, [hidden])"


class DoorSecured(msgspec.Struct, frozen=True, tag=True):
    """The way is found and the keys are agreed on: the worker is to be told with SetRemote.

    suite, send, receive: as in media.messages.Keys.
    """

    leg: int
    remote: Address
    suite: str
    send: bytes
    receive: bytes

    def __repr__(self) -> str:
        return f"DoorSecured({self.leg}, {self.remote}, {self.suite}, [hidden])"


class DoorMoved(msgspec.Struct, frozen=True, tag=True):
    """The far end is reached another way from now on, or was found again where it had been; the keys stay."""

    leg: int
    remote: Address


class DoorQuiet(msgspec.Struct, frozen=True, tag=True):
    """The far end has not answered the last check; DoorMoved tells when it does again."""

    leg: int


class DoorLost(msgspec.Struct, frozen=True, tag=True):
    """There is no way to the far end. reason: "ice" (none was found), "dtls" (no handshake, or another
    certificate than announced), "consent" (it has not answered for 30 s: a restart may bring it back),
    "closed" (it said good-bye), "unknown" (no such door), "exists".
    """

    leg: int
    reason: str


GateEvent = DoorOpened | DoorSecured | DoorMoved | DoorQuiet | DoorLost


# --- gate and workers -----------------------------------------------------------------------------------


class Rare(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """STUN or DTLS that came to a leg's port; an empty packet tells no more than which worker has the leg."""

    leg: int
    source: Address
    packet: bytes


class Post(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """To be sent from the leg's port."""

    leg: int
    to: Address
    packet: bytes


class Trust(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The leg's far end is at `remote`: its checks under `username` and `key` the worker answers itself."""

    leg: int
    remote: Address
    username: bytes
    key: bytes


class Listen(msgspec.Struct, frozen=True, tag=True, array_like=True):
    """The leg's far end may be about to come from elsewhere: its port is to hear everybody until Trust."""

    leg: int


Word = Post | Trust | Listen

_encoder = msgspec.msgpack.Encoder()
_words: msgspec.msgpack.Decoder[Word] = msgspec.msgpack.Decoder(Word)
_rare = msgspec.msgpack.Decoder(Rare)


def encode(word: Word | Rare) -> bytes:
    """A datagram between gate and worker."""
    return _encoder.encode(word)


def decode_word(data: bytes) -> Word:
    """What a gate says. Raises msgspec.DecodeError."""
    return _words.decode(data)


def decode_rare(data: bytes) -> Rare:
    """What a worker says. Raises msgspec.DecodeError."""
    return _rare.decode(data)
