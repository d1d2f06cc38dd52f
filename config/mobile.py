"""Blocks of a line to a mobile network: who we are to it, and the card that proves it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from config.secret import Secret
from config.setting import Host, SecretField, Words, setting, settings, wrong
from sip.aka import Card
from sip.manner import Manner
from sip.milenage import Milenage, bound

# What tells the network that these are telephone calls (TS 24.229 section 5.1.1.2.1, TS 24.173).
TELEPHONY = '+g.3gpp.icsi-ref="urn%3Aurn-7%3A3gpp-service.ims.icsi.mmtel"'


def _printable(text: str) -> str:
    if not re.fullmatch(r"[!-~](?:[ -~]{0,126}[!-~])?", text) or '"' in text:
        raise wrong(f"{text[:40]!r} cannot stand in a SIP header", "write printable ASCII without quotes")
    return text


def _urn(text: str) -> str:
    if not re.fullmatch(r"urn:[A-Za-z0-9][A-Za-z0-9-]{1,31}:[A-Za-z0-9()+,.:=@;$_!*'%/-]{1,200}", text):
        raise wrong(f"{text[:40]!r} is no URN", 'write one such as "urn:gsma:imei:35824005-694763-0"')
    return text


def _amf(text: str) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f]{4}", text):
        raise wrong(f"{text[:20]!r} is no AMF", 'write 4 hexadecimal digits in quotes, such as "8000"')
    return text


Word = Annotated[str, AfterValidator(_printable), Words("text")]
Urn = Annotated[str, AfterValidator(_urn), Words("URN")]
Amf = Annotated[str, AfterValidator(_amf), Words("4 hexadecimal digits")]


def is_key(secret: Secret) -> bool:
    """Whether a secret has the form of a key; one that is not there yet cannot be wrong."""
    return not secret.value or re.fullmatch(r"[0-9A-Fa-f]{32}", secret.value) is not None


def _octets(secret: Secret | None) -> bytes:
    return bytes.fromhex(secret.reveal()) if secret is not None else b""


@settings
class AkaSettings:
    k: SecretField = setting("Key of the card (K), 32 hexadecimal digits: {env: NAME} or {file: PATH}.")
    opc: SecretField | None = setting(
        "The operator's value as bound to the card's key (OPc), 32 hexadecimal digits.", default=None
    )
    op: SecretField | None = setting("The operator's own value (OP), in place of `opc`.", default=None)
    amf: Amf | None = setting(
        "AMF that the network's challenges must have, 4 hexadecimal digits; any when left out.", default=None
    )

    def card(self) -> Card:
        """A card that has seen nothing yet."""
        keys = Milenage(k=_octets(self.k), opc=_octets(self.opc) or bound(_octets(self.k), _octets(self.op)))
        return Card(keys, amf=bytes.fromhex(self.amf) if self.amf else None)


@settings
class ImsSettings:
    domain: Host = setting("The home network, such as ims.mnc001.mcc001.3gppnetwork.org.")
    public_identity: Word = setting("Who is registered (IMPU), such as sip:+442071838750@ims.example.")
    private_identity: Word | None = setting(
        "Who authenticates (IMPI); the user of `credentials` when left out.", default=None
    )
    access_network: Word | None = setting("P-Access-Network-Info, such as 3GPP-E-UTRAN-FDD.", default=None)
    preconditions: bool = setting(
        "Agree on resources before the callee's phone rings (RFC 3312), where the far end does.", default=True
    )
    instance: Urn | None = setting(
        "The terminal as the network knows it (+sip.instance, GSMA IR.92 section 2.2.1), such as "
        "urn:gsma:imei:35824005-694763-0.",
        default=None,
    )
    visited_network: Word | None = setting(
        "P-Visited-Network-ID, said when registering, where a proxy on the way does not.", default=None
    )

    def registering(self) -> Manner:
        """What the network wants in our registrations."""
        access, visited = "P-Access-Network-Info", "P-Visited-Network-ID"
        named = f';+sip.instance="<{self.instance}>"' if self.instance else ""
        return Manner(
            always=_said({access: self.access_network, visited: self.visited_network}),
            features=TELEPHONY + named,
        )


def _said(fields: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in fields.items() if value)
