"""What an INVITE over a line says: `routing.dial.Dial` written in the words of SIP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from config.mobile import TELEPHONY
from engine.trunk.diversions import CAUSES
from routing.dial import Dial, Target
from routing.identity import ANONYMOUS, Assert, Diverted
from sip import early_media, restoration
from sip.manner import Manner
from sip.uri import NameAddr, Uri

if TYPE_CHECKING:
    from config.line import LineSettings

NOWHERE = "anonymous.invalid"  # RFC 3323 section 4.1.1.3
FIELDS = {
    Assert.ASSERTED: "P-Asserted-Identity",
    Assert.PREFERRED: "P-Preferred-Identity",
    Assert.REMOTE_PARTY: "Remote-Party-ID",
}


class Invitation(NamedTuple):
    """uri: of the request."""

    uri: Uri
    from_: NameAddr
    to: NameAddr
    headers: Sequence[tuple[str, str]]


def invitation(dial: Dial, own: str) -> Invitation:
    """own: the domain under which we are known to the line."""
    uri = Uri.parse(dial.service) if dial.service else written(dial.target, dial.number, dial.domain)
    shown = dial.shown
    private = shown.user == ANONYMOUS
    user, domain = (ANONYMOUS, NOWHERE) if private else (shown.user, own)
    from_ = NameAddr("Anonymous" if private else shown.name, Uri.sip(user, domain), ())
    return Invitation(uri, from_, NameAddr("", uri, ()), tuple(_headers(dial, own)))


# That a call is one of telephony (TS 24.229 section 5.1.3.1), and what may be heard before its answer.
SERVICE = "urn:urn-7:3gpp-service.ims.icsi.mmtel"
OPENING = (
    ("Accept", f"application/sdp, {restoration.TYPE}"),
    ("Accept-Contact", f"*;{TELEPHONY}"),
    ("P-Preferred-Service", SERVICE),
    early_media.ASKED,
)


def manner_of(line: LineSettings) -> Manner:
    """What every message of a call over the line has, either way."""
    terms = line.terms()
    supported = (*terms.extensions, "precondition") if terms.preconditions else terms.extensions
    access = (("P-Access-Network-Info", terms.access_network),) if terms.access_network else ()
    if line.kind != "ims":
        return Manner(always=access, supported=supported)
    return Manner(
        always=access,
        opening=OPENING,
        supported=supported,
        features=TELEPHONY,
        contact=line.contact_user,
        bandwidth=True,
    )


def written(target: Target, number: str, domain: str) -> Uri:
    """A callee's URI. domain: may have a port."""
    if target is Target.TEL and number.lstrip("+").isdecimal():
        if number.startswith("+"):
            return Uri.parse(f"tel:{number}")
        return Uri.parse(f"tel:{number};phone-context={domain.partition(':')[0]}")  # RFC 3966 section 5.1.4
    host, _, port = domain.partition(":") if domain.count(":") == 1 else (domain, "", "")
    phone = {} if target is Target.SIP else {"user": "phone"}
    return Uri.sip(number, host, int(port) if port else None, **phone)


def _headers(dial: Dial, own: str) -> Iterator[tuple[str, str]]:
    shown = dial.shown
    if shown.asserted:
        yield FIELDS[shown.header], _asserted(dial, own)
    if shown.privacy:
        yield "Privacy", ";".join(shown.privacy)
    for each in reversed(shown.diversion):  # the newest first (RFC 5806 section 4)
        yield "Diversion", f"<{_of(dial, each, own)}>;reason={each.reason}"
    if shown.history:
        yield "History-Info", _history(dial, own)


def _asserted(dial: Dial, own: str) -> str:
    shown = dial.shown
    if shown.header is Assert.REMOTE_PARTY:
        hidden = "full" if shown.privacy else "off"
        return f"<{Uri.sip(shown.asserted, own)}>;party=calling;screen=yes;privacy={hidden}"
    return str(NameAddr(shown.name, written(dial.target, shown.asserted, own), ()))


def _of(dial: Dial, diverted: Diverted, own: str) -> Uri:
    return written(Target.SIP if dial.target is Target.TEL else dial.target, diverted.number, own)


def _history(dial: Dial, own: str) -> str:
    """Who was called before, and who is called now, each with why it is no longer who was before it (RFC 7044
    section 5.1).
    """
    history = dial.shown.history
    entries, index = [f"<{_of(dial, history[0], own)}>;index=1"], "1"
    after = [*(_of(dial, each, own) for each in history[1:]), written(Target.SIP, dial.number, dial.domain)]
    for each, uri in zip(history, after, strict=True):
        cause = CAUSES.get(each.reason, CAUSES["unknown"])
        entries.append(f"<{uri.with_params(cause=str(cause))}>;index={index}.1;mp={index}")
        index += ".1"
    return ", ".join(entries)
