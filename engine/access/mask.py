"""Numbers, cards and papers of people, made unreadable for who may not see them, and in every log.

Three ways to ask, by what is known of a text. `who`: it names a person and nothing else. `text`: somebody
said or wrote it, so whatever looks like a number of a person is one. `line`: of a log or a trace, where most
numbers are nobody's, so only what is sure is hidden: numbers in E.164, digits of SIP and telephone addresses,
cards with a right check digit (ISO/IEC 7812), IBANs with one (ISO 13616), e-mail.

What is left is enough to tell two apart: +34******567, ************1111, m***@example.org. Numbers of up to
four digits are extensions and services, nobody's. Digits that are spelt out in words are not found. Where
somebody is on the network is cut by engine/access/addresses.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.access import addresses

STAR = "*"
KEPT, KEPT_OF_CARD, KEPT_OF_OTHERS = 3, 4, 2  # digits at the end
SHORTEST_IBAN = 15
SHORT = 4  # up to so many digits are nobody's
NETWORK = frozenset({"source"})  # of an event: where from on the network

# Country codes of two digits (ITU-T E.164); 1 and 7 have one, the rest have three.
_TWO = frozenset(
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 "
    "82 84 86 90 91 92 93 94 95 98".split()
)
_SEPARATED = r"[ .\-/()\u00a0]{0,2}"
_EMAIL = r"[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}"
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ ]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])", re.ASCII)
# Papers that have letters; those of digits alone are found as digits. By market, as they are written there.
PAPERS: Mapping[str, tuple[str, ...]] = {
    "ar-SA": (r"[12]\d{9}",),  # national identity, iqama
    "de-DE": (r"(?=\w{0,8}\d\w{0,8}\d)[CFGHJ-NPRTV-Z][CFGHJ-NPRTV-Z0-9]{8}\d?", r"\d{11}"),  # card, tax
    "en-GB": (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ ]?\d{2}){3}[ ]?[A-D]",),  # National Insurance
    "en-US": (r"\d{3}-\d{2}-\d{4}",),  # Social Security
    "es-ES": (r"\d{8}[ -]?[A-Z]", r"[XYZ][ -]?\d{7}[ -]?[A-Z]"),  # DNI, NIE
    "es-MX": (r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d", r"[A-Z&Ñ]{3,4}\d{6}[A-Z0-9]{3}"),  # CURP, RFC
    "fr-FR": (r"[12][ ]?\d{2}[ ]?\d{2}[ ]?(?:\d{2}|2[AB])(?:[ ]?\d{3}){2}(?:[ ]?\d{2})?",),  # NIR
    "ja-JP": (r"\d{4}[ -]?\d{4}[ -]?\d{4}",),  # My Number
    "pt-BR": (r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}",),  # CPF
    "zh-CN": (r"\d{17}[\dX]",),  # resident identity
}
_LETTERED = "|".join(
    dict.fromkeys(shape for shapes in PAPERS.values() for shape in shapes if re.search("[A-Z]", shape))
)
_SAID = re.compile(
    rf"(?P<email>{_EMAIL})"
    rf"|(?P<paper>(?<![A-Za-z0-9])(?:{_LETTERED})(?![A-Za-z0-9]))"
    rf"|(?P<date>(?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?![\d-]))"
    rf"|(?P<digits>\+?\(?\d(?:{_SEPARATED}\d){{6,}})"
    r"|(?P<written>[〇零一二三四五六七八九幺]{7,})",
    re.IGNORECASE,
)
# What is sure, and what a text must have in it for that: looking for words is much cheaper.
_SURE = (
    (("@",), re.compile(rf"(?P<email>(?<![\w:.%+-]){_EMAIL})")),
    (("+",), re.compile(r"(?P<phone>(?<![\w.+])\+\d{7,15}(?![\w.]))")),
    (("sip", "tel"), re.compile(r"(?P<phone>(?:(?<=sip:|tel:)|(?<=sips:))\+?\d{5,})")),
    ((), re.compile(r"(?P<card>(?<![\w.:+-])[2-6]\d(?:[ -]?\d){11,17}(?![\w.:]|-\w))")),
)
_PHONE = re.compile(rf"\+?\(?\d(?:{_SEPARATED}\d)*")
_URI = re.compile(r"((?:sips?|tel):)([^@;?>\s]*)(.*)", re.DOTALL | re.IGNORECASE)
_LIKELY = re.compile(r"\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d|@")


def who(text: str) -> str:
    """What names a person, in a form that only tells her from others: a number, an address, a name."""
    uri = _URI.fullmatch(text)
    if uri is not None:
        return uri[1] + who(uri[2]) + (uri[3] if uri[2] else "")
    if _PHONE.fullmatch(text):
        return _number(text)
    name, at, domain = text.partition("@")
    if at:
        return who(name) + at + domain
    return f"{text[0]}{STAR * 3}" if text else ""


def text(said: str) -> str:
    """What somebody said or wrote, without numbers of people."""
    return _SAID.sub(_hidden, _IBAN.sub(_account, said))


def line(said: str) -> str:
    """A line of a log or a trace, without what is surely a number of a person."""
    if not _LIKELY.search(said):
        return said
    said = _IBAN.sub(_account, said)
    for words, pattern in _SURE:
        if not words or any(word in said for word in words):
            said = pattern.sub(_hidden, said)
    return said


def source(whence: str) -> str:
    """Where a call came from: the name of a line, an address, or who called."""
    if addresses.NUMERIC.search(whence):
        return line(addresses.without(whence))
    return _number(whence) if _PHONE.fullmatch(whence) else line(whence)


def person(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An event's own fields that can name or reach a person."""
    return {name: source(str(value)) if name in NETWORK else _any(value) for name, value in fields.items()}


def data(fields: Mapping[str, Any]) -> dict[str, Any]:
    """An event's other fields, whose words may tell where somebody is on the network."""
    return {
        name: addresses.without(value) if isinstance(value, str) else value for name, value in fields.items()
    }


def _any(value: Any) -> Any:
    if isinstance(value, str):
        return text(value) if " " in value else who(value)
    if isinstance(value, Mapping):
        return {name: _any(each) for name, each in value.items()}
    return [_any(each) for each in value] if isinstance(value, list | tuple) else value


def _hidden(found: re.Match[str]) -> str:
    kind, whole = str(found.lastgroup), found[0]
    match kind:
        case "date":
            return whole
        case "email":
            return f"{whole[0]}{STAR * 3}@{whole.rpartition('@')[2]}"
        case "phone":
            return _number(whole)
        case "card" if not _right_card(whole):
            return whole
        case "digits" if whole.startswith("+"):
            return _number(whole)
    return _starred(whole, KEPT_OF_CARD if _right_card(whole) else KEPT_OF_OTHERS)


def _number(written: str) -> str:
    """A telephone number. Its country stays, where it says one."""
    count = _digits(written)
    if count <= SHORT:
        return written
    if count < 7:
        return _starred(written, KEPT_OF_OTHERS)
    if not written.startswith("+"):
        return _starred(written, KEPT)
    bare = "".join(each for each in written if each.isdigit())
    code = 1 if bare[0] in "17" else 2 if bare[:2] in _TWO else 3
    return f"+{bare[:code]}{STAR * (count - code - KEPT)}{bare[-KEPT:]}"


def _starred(written: str, kept: int) -> str:
    """A star for each letter and digit but the last; what separates them goes."""
    bare = "".join(each for each in written if each.isalnum())
    return STAR * (len(bare) - kept) + bare[len(bare) - kept :]


def _digits(written: str) -> int:
    return sum(each.isdigit() for each in written)


def _right_card(written: str) -> bool:
    """ISO/IEC 7812-1 annex B, of the lengths and beginnings that payment cards have."""
    digits = [int(each) for each in written if each.isdecimal()]
    if not 13 <= len(digits) <= 19 or not 2 <= digits[0] <= 6:
        return False
    doubled = [sum(divmod(2 * each, 10)) for each in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _account(found: re.Match[str]) -> str:
    """An IBAN, which words may follow. ISO 7064, MOD 97-10."""
    words = found[0].split(" ")
    for end in range(len(words), 0, -1):
        bare = "".join(words[:end])
        if len(bare) < SHORTEST_IBAN:
            break
        if int("".join(str(int(each, 36)) for each in bare[4:] + bare[:4])) % 97 == 1:
            return " ".join([_starred(bare, KEPT_OF_OTHERS), *words[end:]])
    return found[0]
