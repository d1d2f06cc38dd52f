"""Whether a leg is encrypted, and under which keys: SRTP with keys in the SDP (RFC 4568).

What a peer says to an offer that it cannot take decides how "preferred" is offered: docs/adr/0012. To refuse
costs a round trip, to be offered what one does not know costs the call, so that the strictest form goes first
and the plainest last, each in an INVITE of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from random import Random
from typing import NamedTuple

from config.setting import Encrypted
from media.messages import Direction, Keys
from sip import sdes, sdp
from sip.errors import NothingInCommon
from sip.hop import SECURED
from sip.sdes import SECURE_PROTOS, Crypto

UNSUITED = frozenset({415, 488, 606})  # statuses with which phones refuse a description


class Policy(StrEnum):
    """What is done about encryption."""

    REQUIRED = "required"  # or no call
    PREFERRED = "preferred"
    OFF = "off"


class Form(NamedTuple):
    """How a description is made: profile of the section, and whether it has keys."""

    proto: str
    keyed: bool


BROWSERS = Form("UDP/TLS/RTP/SAVPF", False)  # engine/browser.py
SECURE, OPPORTUNE, PLAIN = Form("RTP/SAVP", True), Form("RTP/AVP", True), Form("RTP/AVP", False)

# Offers in an INVITE, the next one when a phone refuses that before.
IN_TURN: Mapping[Policy, Sequence[Form]] = {
    Policy.REQUIRED: (SECURE,),
    Policy.PREFERRED: (SECURE, PLAIN),
    Policy.OFF: (PLAIN,),
}
# The offer in an answer to an INVITE without one: it cannot be refused, only hung up on (RFC 8643 otherwise).
AT_ONCE: Mapping[Policy, Form] = {
    Policy.REQUIRED: SECURE,
    Policy.PREFERRED: OPPORTUNE,
    Policy.OFF: PLAIN,
}
# What is taken of an offer, the best first.
Fits = Callable[[sdp.Media], bool]


def policy(wanted: Encrypted | str, transport: str) -> Policy:
    """What a setting means where signalling goes over `transport`.

    Keys in plain signalling are read by whoever reads the packets: `auto` has none there.
    """
    if wanted == "auto":
        return Policy.PREFERRED if transport in SECURED else Policy.OFF
    return Policy(wanted)


class Encryption:
    """One leg's. keys: as agreed, None for plain RTP. form: how the next offer is made.

    suites: best first. rng: the operating system's, but in tests.
    """

    def __init__(self, policy: Policy, suites: Sequence[str], rng: Random) -> None:
        self.policy = policy
        self.form = AT_ONCE[policy]
        self.keys: Keys | None = None
        self._suites = suites
        self._rng = rng
        self._said: tuple[Crypto, ...] = ()  # the lines of our newest description

    @property
    def suite(self) -> str:
        """What the leg is encrypted with, "" for nothing."""
        return self.keys.suite if self.keys else ""

    @property
    def attributes(self) -> tuple[tuple[str, str | None], ...]:
        """Our lines, as attributes of our section."""
        return tuple(("crypto", crypto.line) for crypto in self._said)

    # --- their offer ------------------------------------------------------------------------------

    def choose(
        self,
        offer: sdp.SessionDescription,
        capabilities: Sequence[sdp.CodecOffer],
        direction: Direction = "sendrecv",
    ) -> sdp.Chosen:
        """What to answer, our keys included. direction: what we are willing to do. Raises NothingInCommon,
        and then nothing has changed.
        """
        chosen = self._fitting(offer, capabilities, direction)
        theirs = None if self.policy is Policy.OFF else sdes.find(chosen.crypto, self._suites)
        if theirs is None:
            self.keys, self._said = None, ()
        else:
            ours = Crypto(theirs.tag, theirs.suite, self._answering(theirs))
            self.keys, self._said = Keys(theirs.suite, ours.key, theirs.key), (ours,)
        self.form = Form(chosen.proto.upper(), theirs is not None)
        return chosen

    def _fitting(
        self, offer: sdp.SessionDescription, capabilities: Sequence[sdp.CodecOffer], direction: Direction
    ) -> sdp.Chosen:
        keyed: Fits = self._has_key
        takes = {
            Policy.REQUIRED: (keyed,),
            Policy.PREFERRED: (keyed, sdes.is_plain),
            Policy.OFF: (sdes.is_plain,),
        }
        for fits in takes[self.policy]:
            try:
                return sdp.choose(offer, capabilities, direction=direction, fits=fits)
            except NothingInCommon as nothing:
                why = str(nothing)  # the fault itself would know this frame, and the frame it
        raise NothingInCommon(why)

    def _has_key(self, media: sdp.Media) -> bool:
        known = sdes.is_secure(media) or sdes.is_plain(media)
        return known and sdes.find(media.crypto, self._suites) is not None

    def _answering(self, theirs: Crypto) -> bytes:
        """Our key for their offer: the one that stands while theirs does, else a fresh one.

        Peers begin to count packets anew on both ways when one key is new, so ours must be new then.
        """
        stands = self.keys
        if stands is not None and (stands.suite, stands.receive) == (theirs.suite, theirs.key):
            return stands.send
        return sdes.fresh(theirs.tag, theirs.suite, self._rng).key

    # --- our offer --------------------------------------------------------------------------------

    def propose(self) -> None:
        """Lines for a new offer of `form`: the key that stands, or fresh ones for every suite."""
        if self.keys is not None:
            self._said = (Crypto(1, self.keys.suite, self.keys.send),)
        elif self.form.keyed:
            self._said = tuple(sdes.fresh(tag, suite, self._rng) for tag, suite in enumerate(self._suites, 1))
        else:
            self._said = ()

    def conclude(self, chosen: sdp.Chosen) -> None:
        """Take the far end's answer to our newest description. Raises NothingInCommon."""
        found = sdes.answered(self._said, chosen.crypto)
        secure = chosen.proto.upper() in SECURE_PROTOS
        if found is not None:
            ours, theirs = found
            self.keys = Keys(theirs.suite, ours.key, theirs.key)
        elif secure or self.form.proto in SECURE_PROTOS or self.policy is Policy.REQUIRED:
            raise NothingInCommon("the answer takes no key of the offer")
        else:
            self.keys = None
        self.form = Form(chosen.proto.upper(), found is not None)
