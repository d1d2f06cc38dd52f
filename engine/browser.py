"""A leg's description as browsers write and read it: ICE, DTLS-SRTP and one port for all (RFC 9429).

media.jsep reads and media.answer writes them; what they need of the leg's door is there before anything is
said (engine/door.py). No sound is let through before the keys are agreed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from engine.description import HOLDING, NOT_SOUND, Wire, preferring
from engine.door import Door
from media import answer, jsep
from media.answer import Choice
from media.gate import DoorOpened
from media.jsep import Session
from media.messages import Address, Codec
from sip.errors import LocalFault, MalformedSdp, NothingInCommon
from sip.formats import RED
from sip.sdp import CodecOffer

SECURING = "DTLS-SRTP"  # how it is encrypted, before the suite is agreed on
# Payload types of our offers, as browsers number them themselves.
TYPES = {("OPUS", 48000): 111, ("RED", 48000): 63, ("G722", 8000): 9, ("PCMU", 8000): 0, ("PCMA", 8000): 8}
EVENTS = {48000: 110, 8000: 126}

_DTLS = re.compile(rb"^m=audio +\d+ +UDP/TLS/", re.MULTILINE)
_FINGERPRINT = re.compile(rb"^a=fingerprint:", re.MULTILINE)
_ICE = re.compile(rb"^a=ice-ufrag:", re.MULTILINE)
_KEYS = re.compile(rb"^a=crypto:", re.MULTILINE)


class GateAway(LocalFault):
    """The process that lets browsers in is being started again."""

    sip_status = 503


def is_browsers(offer: bytes) -> bool:
    """Whether an offer can be taken by ICE and DTLS alone."""
    if _DTLS.search(offer):
        return True
    return bool(_FINGERPRINT.search(offer) and _ICE.search(offer)) and not _KEYS.search(offer)


class BrowserDescription:
    """Beside others of the same door while several ring: the door belongs to the one that is answered."""

    def __init__(self, door: Door, capabilities: Sequence[CodecOffer]) -> None:
        self._door = door
        self._capabilities = [each for each in capabilities if _spoken(each)]
        self._far: Session | None = None
        self._choice: Choice | None = None
        self._wanted = [each.name for each in self._capabilities if each.name.lower() != RED]
        self._offered = False
        self._said = ""
        self._version = 0

    @property
    def codec(self) -> str:
        return self._choice.codecs[0].name if self._choice else ""

    @property
    def suite(self) -> str:
        return self._door.keys.suite if self._door.keys else SECURING

    @property
    def has_offer(self) -> bool:
        return self._offered

    @property
    def held(self) -> bool:
        return self._far is not None and self._far.direction in HOLDING

    @property
    def pauses(self) -> bool:
        return self._choice is not None and any(codec.name.upper() == "CN" for codec in self._choice.codecs)

    @property
    def events(self) -> bool:
        return self._choice is not None and self._choice.dtmf is not None

    @property
    def remote(self) -> Address | None:
        return self._door.remote if self._choice is not None else None

    @property
    def agreed(self) -> bool:
        return self._choice is not None and self._door.keys is not None

    # --- offer and answer -------------------------------------------------------------------------

    def take_offer(self, body: bytes) -> None:
        if not self._door.gate.up:
            raise GateAway("no browser is let in at the moment")
        far = _read(body)
        choice = self._choose(far)
        self._door.offered(far)
        self._far, self._choice, self._offered = far, choice, True

    def answer(self, at: Address) -> bytes:
        assert self._far is not None and self._choice is not None, "an answer needs an offer"
        far, opened = self._far, self._opened
        choice = self._choice._replace(client=self._door.client)
        return self._say(lambda version: answer.answer(far, choice, opened, version=version))

    def offer(self, at: Address, prefer: str, pauses: bool) -> bytes:
        """What was agreed before, else all we speak. at, pauses: no matter, its door says where it is."""
        far, opened = self._far, self._opened
        if far is not None and self._choice is not None:
            codecs = sorted(self._choice.codecs, key=lambda codec: codec.name.lower() != prefer.lower())
            self._wanted = [codec.name for codec in codecs if codec.name.lower() != RED]
            again = self._choice._replace(codecs=_with_copies(codecs), direction="sendrecv")
            return self._say(lambda version: answer.reoffer(far, again, opened, version=version))
        capabilities = preferring(self._capabilities, prefer)
        self._wanted = [each.name for each in capabilities if each.name.lower() != RED]
        codecs = _with_copies([_codec(each) for each in capabilities])
        events = [Codec(pt, "telephone-event", clock) for clock, pt in EVENTS.items()]
        self._said, self._version = answer.offer(codecs, events, opened), 1
        return self._said.encode()

    def take_answer(self, body: bytes) -> None:
        far = _read(body)
        choice = self._choose(far)
        self._door.answered(far)
        self._far, self._choice = far, choice

    def standing(self) -> bytes:
        """The same once more; who begins the handshake is open in an offer (RFC 8842 section 5.2)."""
        return re.sub("a=setup:(active|passive)", "a=setup:actpass", self._said).encode()

    def wire(self) -> Wire:
        choice, door = self._choice, self._door
        if choice is None:
            return Wire([], rtcp_mux=True)
        return Wire(
            choice.codecs,
            choice.dtmf.pt if choice.dtmf else None,
            door.remote,
            True,
            choice.direction,
            door.keys,
            choice.dtmf.rate if choice.dtmf else 8000,
            choice.transport_cc,
        )

    def _choose(self, far: Session) -> Choice:
        """What both do, in our order; noise of pauses is described at the clock of the first alone."""
        try:
            choice = answer.choose(far, self._wanted)
        except jsep.Unsuitable as unsuitable:
            raise NothingInCommon(str(unsuitable)) from unsuitable
        clock = choice.codecs[0].rate
        fitting = [codec for codec in choice.codecs if codec.name.upper() != "CN" or codec.rate == clock]
        return choice._replace(codecs=fitting)

    @property
    def _opened(self) -> DoorOpened:
        assert self._door.opened is not None, "a description needs a door"
        return self._door.opened

    def _say(self, write: Callable[[int], str]) -> bytes:
        """In the version that stands if it is what we said last, else in the next one."""
        if write(self._version) != self._said:
            self._version += 1
            self._said = write(self._version)
        return self._said.encode()


def _read(body: bytes) -> Session:
    try:
        return jsep.read(body.decode())
    except UnicodeDecodeError as error:
        raise MalformedSdp("no text") from error
    except jsep.Unsuitable as unsuitable:
        raise NothingInCommon(str(unsuitable)) from unsuitable
    except jsep.Refused as refused:
        raise MalformedSdp(str(refused)) from refused


def _spoken(capability: CodecOffer) -> bool:
    return (capability.name.upper(), capability.rate) in TYPES and capability.name.lower() not in NOT_SOUND


def _codec(capability: CodecOffer) -> Codec:
    pt = TYPES[capability.name.upper(), capability.rate]
    return Codec(pt, capability.name, capability.rate, capability.ptime, capability.channels)


def _with_copies(codecs: Sequence[Codec]) -> list[Codec]:
    """Copies (RED) carry the first codec or none."""
    first = codecs[0]
    return [codec for codec in codecs if codec.name.lower() != RED or codec.rate == first.rate]
