"""Numbers, cards and papers of people, made unreadable for who may not see them, and in every log.

Ways to ask, by what is known of a text. `who`: it names a person and nothing else. `text`: somebody said or
wrote it, so whatever looks like a number of a person is one. `papers`: the same of cards, accounts and
identity papers alone, which nobody reads, whatever their role; telephone numbers stay. `line`: of a log or a
trace, where most numbers are nobody's, so only what is sure is hidden: numbers in E.164, digits of SIP and
telephone addresses, cards with a right check digit (ISO/IEC 7812), IBANs with one (ISO 13616), e-mail.

What somebody says comes in pieces. `lines`: all that one side said, so that a card which is told over several
utterances is found. `growing`: a sentence that is being said; `alone`: one whose neighbours are not known.

What is left is enough to tell two apart: +34******567, ************1111, m***@example.org. Numbers of up to
four digits are extensions and services, nobody's. What counts as a digit is in engine/access/numerals.py,
what is a card or a paper in engine/access/identity.py. Where somebody is on the network is cut by
engine/access/addresses.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from engine.access import addresses, identity, numerals
from engine.access.numerals import JOIN, Run

STAR = "*"
KEPT, KEPT_OF_CARD, KEPT_OF_OTHERS = 3, 4, 2  # digits at the end
SHORT = 4  # up to so many digits are nobody's
LEAST = 7  # digits of a number of a person, in what was said
PIECE = 3  # digits that may be a part of one
NETWORK = frozenset({"source"})  # of an event: where from on the network
WRITTEN = frozenset({"notes", "comment", "reasons", "term"})  # of an event: in somebody's own words
PAPERS = identity.PAPERS


Hide = Callable[[str], str]
Judge = Callable[[str], bool]  # whether digits, with what stands between them, are to be hidden

# Country codes of two digits (ITU-T E.164); 1 and 7 have one, the rest have three.
_TWO = frozenset(
    "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 "
    "82 84 86 90 91 92 93 94 95 98".split()
)
_SEPARATED = r"[ .\-/()\u00a0]{0,2}"
_EMAIL = r"[\w.%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*\.[A-Za-z]{2,24}"
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ ]?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])", re.ASCII)
_IBAN_SAID = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?:[ ,.\-]{0,2}[A-Za-z0-9]){11,30}(?![A-Za-z0-9])", re.ASCII
)
_MAIL = re.compile(_EMAIL)
_LETTERED = re.compile(  # all of them have a figure soon: most words are passed over
    rf"(?<![A-Za-z0-9])(?=[\w&]{{0,8}}[ -]?\d)(?:{identity.LETTERED})(?![A-Za-z0-9])", re.IGNORECASE
)
_FIGURE, _WORDS = re.compile(r"\d"), re.compile(r"[^\W_]")
_MARKS = " \t\r\n.,;:!?()…،、，。"
# What is sure, and what a text must have in it for that: looking for words is much cheaper.
_SURE = (
    (("@",), re.compile(rf"(?P<email>(?<![\w:.%+-]){_EMAIL})")),
    (("+",), re.compile(r"(?P<phone>(?<![\w.+])\+\d{7,15}(?![\w.]))")),
    (
        ("sip", "tel", "SIP", "TEL", "Sip", "Tel"),  # what is an address of four bytes is a host
        re.compile(
            r"(?P<phone>(?i:(?<=sip:|tel:)|(?<=sips:))(?!\d{1,3}(?:\.\d{1,3}){3}(?![\w.@-]))"
            r"(?:\+|%2[Bb])?\(?\d(?:[.()-]{0,2}\d){4,})"
        ),
    ),
    ((), re.compile(r"(?P<card>(?<![\w.:+-])[2-6]\d(?:[ -]?\d){11,17}(?![\w.:]|-\w))")),
)
_PHONE = re.compile(rf"\+?\(?\d(?:{_SEPARATED}\d)*")
_URI = re.compile(r"((?:sips?|tel):)([^@;?>\s]*)(.*)", re.DOTALL | re.IGNORECASE)
_LIKELY = re.compile(r"\d[ -]?\d[ -]?\d[ -]?\d[ -]?\d|@|[Tt][Ee][Ll]:|[Ss][Ii][Pp][Ss]?:")


class Spoken(Protocol):
    """An utterance of one side of a call."""

    @property
    def side(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def translation(self) -> str: ...


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
    return runs(_lettered(_MAIL.sub(_mail, said) if "@" in said else said), _long, LEAST)


def papers(said: str) -> str:
    """The same with its telephone numbers: what is hidden from everybody."""
    return runs(_lettered(said), identity.secret, identity.SHORTEST)


def lines(said: Sequence[str], hide: Hide = text) -> list[str]:
    """What one side said, utterance by utterance, in its order: a number may go on in the next."""
    return [hidden for part in _parts(said) for hidden in hide(JOIN.join(part)).split(JOIN)]


def sides(said: Sequence[Spoken], hide: Hide = text) -> list[tuple[str, str]]:
    """A call as both talked: `lines` of each side, and of what was made of them in the other language."""
    hidden = [("", "")] * len(said)
    for side in {each.side for each in said}:
        own = [at for at, each in enumerate(said) if each.side == side]
        words = lines([said[at].text for at in own], hide)
        translations = lines([said[at].translation for at in own], hide)
        for at, *both in zip(own, words, translations):
            hidden[at] = (both[0], both[1])
    return hidden


def growing(said: str) -> str:
    """`papers` of a sentence that is being said: the number at its end may be half a card."""
    hidden = papers(said)
    _, last = _edges(hidden)
    return _without(hidden, lambda run: run.end >= last and _long(hidden[run.start : run.end]), LEAST)


def alone(said: str) -> str:
    """`text` of a sentence whose neighbours are not known: what it begins or ends with may go on in them."""
    hidden = text(said)
    first, last = _edges(hidden)

    def piece(run: Run) -> bool:
        at_edge = run.start <= first or run.end >= last
        return at_edge and len(numerals.value(hidden[run.start : run.end])) >= PIECE

    return _without(hidden, piece, PIECE, kept=0)


def runs(said: str, judge: Judge, least: int = 1) -> str:
    """Without the numbers that are to be hidden; each is judged once. least: digits that all of them have."""
    return _without(said, lambda run: judge(said[run.start : run.end]), least)


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


def own_words(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The same for who may read them: what somebody wrote may hold a card all the same."""
    return {name: _papers(value) if name in WRITTEN else value for name, value in fields.items()}


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


def _papers(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return lines([str(each) for each in value], papers)
    return papers(value) if isinstance(value, str) else value


def _hidden(found: re.Match[str]) -> str:
    kind, whole = str(found.lastgroup), found[0]
    match kind:
        case "email":
            return _mail(found)
        case "phone":
            return _number(whole)
    return _starred(whole, KEPT_OF_CARD) if identity.right_card(numerals.value(whole)) else whole


def _mail(found: re.Match[str]) -> str:
    whole = found[0]
    return f"{whole[0]}{STAR * 3}@{whole.rpartition('@')[2]}"


def _lettered(said: str) -> str:
    """Without accounts and papers that have letters, and figures."""
    if not _FIGURE.search(said):
        return said
    return _LETTERED.sub(lambda found: _starred(found[0], KEPT_OF_OTHERS), _accounts(said))


def _accounts(said: str) -> str:
    """A word that only looks like the beginning of an IBAN may stand right before one."""
    parts, at = [], 0
    while (found := _IBAN_SAID.search(said, at)) is not None:
        hidden = _account(found)
        end = found.end() if hidden != found[0] else found.start() + 2
        parts += [said[at : found.start()], hidden if hidden != found[0] else said[found.start() : end]]
        at = end
    return "".join([*parts, said[at:]])


def _parts(said: Sequence[str]) -> Iterator[list[str]]:
    """Utterances that a number may go through, together: one of words alone parts those around it."""
    part: list[str] = []
    for each in said:
        part.append(each.replace(JOIN, " "))
        if not numerals.most(each) and _WORDS.search(each):
            yield part
            part = []
    if part:
        yield part


def _without(said: str, judge: Callable[[Run], bool], least: int, kept: int = KEPT_OF_OTHERS) -> str:
    parts, at = [], 0
    if numerals.most(said) < least:
        return said
    for run in numerals.runs(said):
        if judge(run):
            parts += [said[at : run.start], _told(said[run.start : run.end], kept)]
            at = run.end
    return "".join([*parts, said[at:]])


def _told(run: str, kept: int) -> str:
    value = numerals.value(run)
    if run[0] == "+" and JOIN not in run and run.isascii() and LEAST <= len(value) <= identity.E164:
        return _number(run)
    return _pieces(run, KEPT_OF_CARD if identity.right_card(value) else kept)


def _long(run: str) -> bool:
    return len(run) >= LEAST and len(numerals.value(run)) >= LEAST


def _edges(said: str) -> tuple[int, int]:
    """Where what is more than marks begins and ends."""
    return len(said) - len(said.lstrip(_MARKS)), len(said.rstrip(_MARKS))


def _pieces(run: str, kept: int) -> str:
    """A star for each digit but the last, in each utterance that the number is of."""
    pieces = [numerals.shown(each) for each in run.split(JOIN)]
    stars, hidden = sum(map(len, pieces)) - kept, []
    for each in pieces:
        here = max(0, min(len(each), stars))
        hidden.append(STAR * here + each[here:])
        stars -= here
    return JOIN.join(hidden)


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


def _account(found: re.Match[str]) -> str:
    """An IBAN, which words may follow."""
    whole = found[0]
    end = identity.account(whole)
    return _starred(whole[:end], KEPT_OF_OTHERS) + whole[end:] if end else whole
