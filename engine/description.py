"""How a leg's sound is agreed on: one side of offer and answer, as phones write it or as browsers do.

What is agreed is told to the media worker as `Wire`. Phones describe themselves in plain SDP (sip.sdp) with
keys in it (engine.encryption), browsers as engine/browser.py has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from engine.encryption import Encryption
from media.messages import Address, Codec, Direction, Keys
from sip import formats, sdp

NOT_SOUND = frozenset({"telephone-event", "cn"})
PAUSES = sdp.CodecOffer("CN", 8000)  # comfort noise, RFC 3389
VERSIONS = 100  # of a description, that another node may have given since it was written down
HOLDING = ("sendonly", "inactive")  # directions of a far end that hears nothing of us


class Wire(NamedTuple):
    """What the worker is told of the far end, in the words of media.messages.OpenLeg."""

    codecs: list[Codec]
    dtmf_pt: int | None = None
    remote: Address | None = None
    rtcp_mux: bool = False
    direction: Direction = "sendrecv"
    keys: Keys | None = None
    dtmf_clock: int = 8000
    transport_cc: int = 0


class Description(Protocol):
    """One side's; `at` is the leg's address and port. What comes from the far end raises MalformedSdp or
    NothingInCommon, which carry their status.
    """

    @property
    def codec(self) -> str:
        """What is sent, "" before anything is agreed on."""

    @property
    def suite(self) -> str:
        """What the leg is encrypted with, "" for nothing."""

    @property
    def has_offer(self) -> bool:
        """Whether the far end has offered something."""

    @property
    def held(self) -> bool:
        """Whether the far end asked us not to send to it."""

    @property
    def pauses(self) -> bool:
        """Whether both may describe the noise of pauses to each other."""

    @property
    def events(self) -> bool:
        """Whether the far end sends digits as telephone events."""

    @property
    def remote(self) -> Address | None:
        """Where the far end's sound comes from and goes to, as far as it was agreed on."""

    @property
    def agreed(self) -> bool:
        """Whether there is a `wire` to tell the worker of."""

    def take_offer(self, body: bytes) -> None:
        """Read the far end's offer."""

    def answer(self, at: Address) -> bytes:
        """Our answer to the offer that was taken."""

    def offer(self, at: Address, prefer: str, pauses: bool) -> bytes:
        """An offer of all we speak, `prefer` first. pauses: comfort noise, too."""

    def take_answer(self, body: bytes) -> None:
        """Read the far end's answer to our newest offer."""

    def standing(self) -> bytes:
        """What we said last, to be said again: offered, it changes nothing."""

    def wire(self) -> Wire:
        """What stands."""


class PhoneDescription:
    """As phones write it. local: what we said last, chosen: what was agreed on, None before."""

    def __init__(self, capabilities: Sequence[sdp.CodecOffer], encryption: Encryption) -> None:
        self.encryption = encryption
        self.direction: Direction = "sendrecv"  # what we are willing to do
        self.local: sdp.SessionDescription | None = None
        self.chosen: sdp.Chosen | None = None
        self._capabilities = capabilities
        self._offer: sdp.SessionDescription | None = None
        self._former = ""  # the codec that was spoken at another node
        self._written: tuple[sdp.SessionDescription | None, bytes] = (None, b"")

    def resume(self, said: sdp.SessionDescription, codec: str) -> None:
        """Go on from what another node said: sections and payload types keep their places and meaning. It may
        have said more since, so that the version jumps.
        """
        self.local = said.with_version(said.origin.version + VERSIONS)
        self._former = codec

    def written(self) -> bytes:
        """What was said last, without its keys: for another node to `resume` from."""
        said = self.local
        if said is None:
            return b""
        if self._written[0] is not said:
            media = (
                replace(each, attributes=tuple(pair for pair in each.attributes if pair[0] != "crypto"))
                for each in said.media
            )
            self._written = said, replace(said, media=tuple(media)).encode()
        return self._written[1]

    @property
    def codec(self) -> str:
        return self.chosen.codec.name if self.chosen else ""

    @property
    def suite(self) -> str:
        return self.encryption.suite

    @property
    def has_offer(self) -> bool:
        return self._offer is not None

    @property
    def held(self) -> bool:
        return self.chosen is not None and self.chosen.remote_direction in HOLDING

    @property
    def pauses(self) -> bool:
        return self.chosen is not None and self.chosen.cn_pt is not None

    @property
    def events(self) -> bool:
        return self.chosen is not None and self.chosen.dtmf_pt is not None

    @property
    def remote(self) -> Address | None:
        return self.chosen.remote if self.chosen is not None else None

    @property
    def agreed(self) -> bool:
        return self.chosen is not None

    def take_offer(self, body: bytes) -> None:
        offer = sdp.parse(body)
        chosen = self.encryption.choose(offer, (*self._capabilities, PAUSES), self.direction)
        self._offer, self.chosen = offer, chosen

    def answer(self, at: Address) -> bytes:
        assert self._offer is not None and self.chosen is not None, "an answer needs an offer"
        self.local = sdp.make_answer(
            self._offer,
            self.chosen,
            address=at[0],
            port=at[1],
            previous=self.local,
            attributes=self.encryption.attributes,
        )
        return self.local.encode()

    def offer(self, at: Address, prefer: str, pauses: bool) -> bytes:
        self.encryption.propose()
        aligned = self.chosen is not None and formats.aligned(self.chosen.codec, self.chosen.fmtp)
        capabilities = preferring(self._capabilities, prefer or self.codec or self._former, aligned)
        self.local = sdp.make_offer(
            [*capabilities, PAUSES] if pauses or self.pauses else capabilities,
            address=at[0],
            port=at[1],
            direction=self.direction,
            previous=self.local,
            proto=self.encryption.form.proto,
            attributes=self.encryption.attributes,
        )
        return self.local.encode()

    def take_answer(self, body: bytes) -> None:
        assert self.local is not None, "an answer needs an offer"
        chosen = sdp.read_answer(self.local, sdp.parse(body), (*self._capabilities, PAUSES))
        self.encryption.conclude(chosen)
        self.chosen = chosen

    def standing(self) -> bytes:
        """Word for word, its version and direction too (RFC 3264 section 8): no codec changes, no hold."""
        assert self.local is not None, "nothing was said yet"
        return self.local.encode()

    def wire(self) -> Wire:
        chosen = self.chosen
        if chosen is None:
            return Wire([], keys=self.encryption.keys)
        # What we send under goes first; it differs from what arrives where the answer renumbered our offer.
        agreed = dict([(chosen.pt, chosen.codec), *chosen.formats])
        codecs = [
            Codec(pt, codec.name, codec.rate, chosen.ptime, codec.channels, _wanted(chosen, pt))
            for pt, codec in agreed.items()
            if codec.name.lower() not in NOT_SOUND
        ]
        if chosen.cn_pt is not None:
            codecs.append(Codec(chosen.cn_pt, PAUSES.name, PAUSES.rate))
        return Wire(
            codecs,
            chosen.dtmf_pt,
            chosen.remote,
            chosen.rtcp_mux,
            chosen.direction,
            self.encryption.keys,
            chosen.dtmf_rate,
        )


def _wanted(chosen: sdp.Chosen, pt: int) -> dict[str, str]:
    """The format parameters that the far end gave."""
    return formats.parse(chosen.fmtp if pt == chosen.pt else chosen.wants.get(pt))


def preferring(
    capabilities: Sequence[sdp.CodecOffer], name: str, aligned: bool = False
) -> list[sdp.CodecOffer]:
    """The capabilities with `name` first, in the form of AMR that is spoken, otherwise in their own order."""
    return sorted(
        capabilities,
        key=lambda codec: (
            codec.name.lower() != name.lower(),
            aligned and codec.name.lower() == name.lower() and not formats.aligned(codec, codec.fmtp),
        ),
    )
