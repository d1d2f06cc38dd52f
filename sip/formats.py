"""Format parameters (a=fmtp) of codecs: which formats can be agreed to, and what an answer says of them.

AMR and AMR-WB: RFC 4867 section 8.3.1. Opus: RFC 7587 section 7.1, which each side says for itself.
G.729: RFC 4856 section 2.1.9. RED: RFC 2198 section 5.
"""

from __future__ import annotations

from sip.description import Codec, Media

RED = "red"
_AMR = frozenset({"amr", "amr-wb"})
# Payload formats of RFC 4867 that nobody here reads.
_UNREAD = ("crc", "robust-sorting", "interleaving")
# What one side says and the other has to repeat, or may as well.
_REPEATED = ("octet-align", "mode-set", "mode-change-period", "mode-change-neighbor")


def parse(text: str | None) -> dict[str, str]:
    """Parameters by lower-case name; a word without `=` is there with an empty value."""
    found: dict[str, str] = {}
    for part in (text or "").split(";"):
        name, _, value = part.partition("=")
        if name.strip():
            found.setdefault(name.strip().lower(), value.strip())
    return found


def readable(codec: Codec, text: str | None) -> bool:
    """Whether sound with these parameters can be taken and sent."""
    if codec.name.lower() not in _AMR:
        return True
    said = parse(text)
    return all(said.get(name, "0") == "0" for name in _UNREAD) and said.get("octet-align", "0") in ("0", "1")


def aligned(codec: Codec, text: str | None) -> bool:
    """Whether its payloads are octet-aligned: a form of its own, that both sides have to agree on."""
    return codec.name.lower() in _AMR and parse(text).get("octet-align") == "1"


def alike(codec: Codec, text: str | None, other: Codec, others: str | None) -> bool:
    """Whether two formats with their parameters are one encoding in one form."""
    return codec.same(other) and aligned(codec, text) == aligned(other, others)


def said(theirs: Media, ours: Media, pt: int) -> str | None:
    """What theirs says of a payload type; in answer to ours it means our form of AMR where it names none."""
    text, codec = theirs.fmtp.get(pt), theirs.codec(pt) or ours.codec(pt)
    if theirs is ours or codec is None or "octet-align" in parse(text):
        return text
    meant = ours.codec(pt)
    if meant is None or not meant.same(codec) or not aligned(meant, ours.fmtp.get(pt)):
        return text
    return f"{text};octet-align=1" if text else "octet-align=1"


def reply(codec: Codec, ours: str | None, theirs: str | None) -> str | None:
    """What our answer says of a codec, `theirs` being what the offer said."""
    name, asked, own = codec.name.lower(), parse(theirs), parse(ours)
    if name in _AMR:
        repeated = [f"{key}={asked[key]}" for key in _REPEATED if key in asked]
        redundant = [f"max-red={own['max-red']}"] if "max-red" in own else []
        return ";".join([*repeated, "mode-change-capability=2", *redundant])
    if name == "g729":
        return "annexb=no" if "no" in (asked.get("annexb"), own.get("annexb")) else None
    return ours or theirs


def copies(pt: int) -> str:
    """Of a RED format that carries one codec alone: the packet's own sound and a copy."""
    return f"{pt}/{pt}"
