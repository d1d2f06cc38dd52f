"""How a call goes over a line: what its network wants in every message of it, not in the first alone."""

from __future__ import annotations

from dataclasses import dataclass

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Manner:
    """What sets the calls of one line apart from those of a phone; the empty one changes nothing.

    always: header fields of every request and response of the call but ACK, CANCEL and 100, such as
    P-Access-Network-Info (TS 24.229 section 5.1.2A). opening: those of its INVITE alone. supported: option
    tags beside those that every call has; `precondition` among them has resources agreed on before anybody's
    phone rings (RFC 3312): its lines are written into the descriptions that go out, and read in those that
    come. reserved: our resources are there from the beginning, else `Session.reserved` tells. features:
    parameters of our Contact (RFC 3840) as they stand, such as `+g.3gpp.icsi-ref="…"`. contact: its user
    part, as it was registered; "" for who calls or is called. bandwidth: descriptions say how much they need
    (b=AS, b=RS, b=RR).
    """

    always: Pairs = ()
    opening: Pairs = ()
    supported: tuple[str, ...] = ()
    reserved: bool = True
    features: str = ""
    contact: str = ""
    bandwidth: bool = False

    @property
    def preconditions(self) -> bool:
        return "precondition" in self.supported

    @property
    def contact_params(self) -> str:
        """`features` as they follow the brackets of a Contact."""
        return f";{self.features}" if self.features else ""

    def options(self, usual: str) -> str:
        """The Supported value: `usual` and what this line adds to it."""
        named = usual.split(", ")
        return ", ".join([*named, *(tag for tag in dict.fromkeys(self.supported) if tag not in named)])


PLAIN = Manner()
