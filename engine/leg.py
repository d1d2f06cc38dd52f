"""One side of a call: a SIP session and the media leg that carries its sound, agreed on by SDP."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from engine import network, sound
from engine.encryption import Encryption, Policy
from engine.events import Side
from media.messages import Address, AnyCommand, CloseLeg, Codec, Direction, LegStats, OpenLeg, SetRemote
from media.wish import Treat
from sip import formats, sdp

if TYPE_CHECKING:
    from engine.attempt import Attempt
    from engine.call import Call
    from engine.ports import MediaPort
    from sip.session import Session


NOT_SOUND = frozenset({"telephone-event", "cn"})
PAUSES = sdp.CodecOffer("CN", 8000)  # comfort noise, RFC 3389


class Media(StrEnum):
    """Where the media leg stands."""

    NONE = "none"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"
    CLOSED = "closed"


class Said(NamedTuple):
    """What was offered to one who is called."""

    local: sdp.SessionDescription | None
    encryption: Encryption


class Leg:
    """A leg belongs to one call at a time; an attended transfer moves it to another."""

    def __init__(self, number: int, call: Call, side: Side, media: MediaPort, worker: int) -> None:
        self.number = number
        self.call = call
        self.side = side
        self.worker = worker
        self.session: Session | None = None
        self.agent = ""
        self.name = ""
        self.attempt: Attempt | None = None  # while its far end rings
        self.replaces: Leg | None = None  # the leg whose place it takes once it is open
        self.media = Media.NONE
        self.port = 0
        self.held = False  # the far end asked us not to send to it
        self.moving = False  # to another worker, and its phone does not know yet
        self.connected = False  # signalling and SDP are done: sound can pass
        self.silent = False  # the worker hears nothing from the far end
        self.asked = False  # whether it is still there; no answer yet
        self.stats: LegStats | None = None
        self.treated: Treat | None = None  # what the worker was told to do with its sound
        self.network = network.fresh()  # what workers tell of the way to the far end
        self.encryption = Encryption(Policy.OFF, (), call.switch.rng)
        self._media = media
        self._offer: sdp.SessionDescription | None = None
        self._chosen: sdp.Chosen | None = None
        self._local: sdp.SessionDescription | None = None

    # --- SDP --------------------------------------------------------------------------------------

    @property
    def codec(self) -> str:
        return self._chosen.codec.name if self._chosen else ""

    @property
    def has_offer(self) -> bool:
        return self._offer is not None

    def take_offer(self, body: bytes) -> None:
        """Read the far end's offer. Raises MalformedSdp or NothingInCommon, which carry their status."""
        offer = sdp.parse(body)
        chosen = self.encryption.choose(offer, (*self._media.capabilities, PAUSES))
        self._offer, self._chosen = offer, chosen
        self.held = chosen.remote_direction in ("sendonly", "inactive")

    def answer(self) -> bytes:
        """Our answer to the offer that was taken."""
        assert self._offer is not None and self._chosen is not None, "an answer needs an offer"
        self._local = sdp.make_answer(
            self._offer,
            self._chosen,
            address=self._media.address,
            port=self.port,
            previous=self._local,
            attributes=self.encryption.attributes,
        )
        return self._local.encode()

    @property
    def pauses(self) -> bool:
        """Whether its far end and we may describe the noise of pauses to each other."""
        return self._chosen is not None and self._chosen.cn_pt is not None

    def offer(self, prefer: str = "", pauses: bool = False) -> bytes:
        """An offer of all we speak; `prefer`, the other leg's codec, comes first: it can be relayed.

        pauses: comfort noise, too, as the other leg has it. Else it is not asked for: far ends that have it
        cut speech where they take it for silence.
        """
        self.encryption.propose()
        capabilities = preferring(self._media.capabilities, prefer or self.codec)
        self._local = sdp.make_offer(
            [*capabilities, PAUSES] if pauses or self.pauses else capabilities,
            address=self._media.address,
            port=self.port,
            previous=self._local,
            proto=self.encryption.form.proto,
            attributes=self.encryption.attributes,
        )
        return self._local.encode()

    def begin(self, encryption: Encryption) -> None:
        """Nothing was said to whoever is called next."""
        self.encryption, self._local = encryption, None

    @property
    def said(self) -> Said:
        """Our side of the negotiation as it stands, for `recall` when several are called at once."""
        return Said(self._local, self.encryption)

    def recall(self, said: Said) -> None:
        """Go on with one of those who were called."""
        self._local, self.encryption = said

    def reply(self, body: bytes | None) -> bytes:
        """Our answer to an offer, or the offer that None asks for. Raises as take_offer does."""
        if body is None:
            return self.offer()
        self.take_offer(body)
        return self.answer()

    def standing(self) -> bytes:
        """What we said last, word for word: its version and direction too.

        Offered again it changes nothing (RFC 3264 section 8): no codec, and no hold.
        """
        assert self._local is not None, "nothing was said yet"
        return self._local.encode()

    def take_answer(self, body: bytes) -> None:
        """Read the far end's answer to our newest offer. Raises as take_offer does."""
        assert self._local is not None, "an answer needs an offer"
        chosen = sdp.read_answer(self._local, sdp.parse(body), (*self._media.capabilities, PAUSES))
        self.encryption.conclude(chosen)
        self._chosen = chosen
        self.held = self._chosen.remote_direction in ("sendonly", "inactive")

    # --- the media leg ----------------------------------------------------------------------------

    def open(self) -> None:
        self.media = Media.OPENING
        codecs, dtmf = self._wire_codecs()
        self._media.send(
            self.worker,
            OpenLeg(
                self.number,
                codecs,
                dtmf,
                self._remote(),
                self._mux(),
                self._direction(),
                keys=self.encryption.keys,
                dtmf_clock=self._dtmf_clock(),
                profile=network.profile(self),
                repair=self.call.switch.config.media.network.repair,
            ),
        )
        self.treated = None
        sound.treat(self)

    def update(self) -> None:
        """Tell the worker what the newest offer/answer says."""
        if self.media is Media.OPEN and self._chosen is not None:
            codecs, dtmf = self._wire_codecs()
            self._media.send(
                self.worker,
                SetRemote(
                    self.number,
                    self._remote(),
                    codecs,
                    dtmf,
                    self._mux(),
                    self._direction(),
                    keys=self.encryption.keys,
                    dtmf_clock=self._dtmf_clock(),
                ),
            )
            sound.treat(self)

    def send(self, command: AnyCommand) -> None:
        """Tell the worker something of this leg."""
        self._media.send(self.worker, command)

    @property
    def negotiated(self) -> bool:
        """Whether both ends have agreed on codecs."""
        return self._chosen is not None

    @property
    def takes_events(self) -> bool:
        """Whether its far end sends digits as telephone events."""
        return self._chosen is not None and self._chosen.dtmf_pt is not None

    def close(self) -> None:
        if self.media in (Media.OPENING, Media.OPEN):
            self.media = Media.CLOSING
            self._media.send(self.worker, CloseLeg(self.number))

    @property
    def should_speak(self) -> bool:
        """Whether sound has to come from the far end: it is connected, and holds neither us nor itself."""
        return self.connected and self.media is Media.OPEN and self._direction() == "sendrecv"

    @property
    def remote_address(self) -> str:
        """Where its sound goes and comes from, "" while unknown."""
        remote = self.stats.source if self.stats and self.stats.source else self._remote()
        return f"{remote[0]}:{remote[1]}" if remote else ""

    def _remote(self) -> Address | None:
        return self._chosen.remote if self._chosen else None

    def _mux(self) -> bool:
        return bool(self._chosen and self._chosen.rtcp_mux)

    def _dtmf_clock(self) -> int:
        return self._chosen.dtmf_rate if self._chosen else 8000

    def _direction(self) -> Direction:
        return self._chosen.direction if self._chosen else "sendrecv"

    def _wire_codecs(self) -> tuple[list[Codec], int | None]:
        if self._chosen is None:
            return [], None
        chosen = self._chosen
        # What we send under goes first; it differs from what arrives where the answer renumbered our offer.
        agreed = dict([(chosen.pt, chosen.codec), *chosen.formats])
        codecs = [
            Codec(pt, codec.name, codec.rate, chosen.ptime, codec.channels, self._wanted(pt))
            for pt, codec in agreed.items()
            if codec.name.lower() not in NOT_SOUND
        ]
        if chosen.cn_pt is not None:
            codecs.append(Codec(chosen.cn_pt, PAUSES.name, PAUSES.rate))
        return codecs, chosen.dtmf_pt

    def _wanted(self, pt: int) -> dict[str, str]:
        """The format parameters that the far end gave."""
        assert self._chosen is not None, "only what was agreed has parameters"
        said = self._chosen.fmtp if pt == self._chosen.pt else self._chosen.wants.get(pt)
        return formats.parse(said)


def preferring(capabilities: Sequence[sdp.CodecOffer], name: str) -> list[sdp.CodecOffer]:
    """The capabilities with `name` first, otherwise in their own order."""
    return sorted(capabilities, key=lambda codec: codec.name.lower() != name.lower())
