"""How a line writes telephone numbers: from E.164 to the line's own form, and back.

A `NumberStyle` is a form and rules on top of it. Going out, the form is made first and the first rule that
fits rewrites it; coming in, the first rule that fits rewrites what came, and the form is read then. So the
engine knows E.164 alone. Rules are patterns of literal characters, X (any one digit), `...` (any number of
digits, once) and brackets around what is kept: `+44(...)` written as `0{1}`. No pattern takes longer than the
number is long. Short numbers and names have no form: rules alone change them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import phonenumbers

from routing.number import MAX_DIALLED, bare, normalise


class Form(StrEnum):
    """How a number is written.

    E164: +442071838750. DIGITS: the same without +. DIALLED: as one dials it in the line's country,
    02071838750 there and 0034910601234 elsewhere. NATIONAL: as DIALLED at home, E.164 abroad.
    """

    E164 = "e164"
    DIGITS = "digits"
    DIALLED = "dialled"
    NATIONAL = "national"


class BadPattern(ValueError):
    """A rule that cannot be read; `remedy` says what to write instead."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem}; {remedy}")
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What fits `match` is written as `write`, in which {1} is what stood in the first brackets."""

    match: str
    write: str


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """country: whose national form and international prefix are meant, ISO 3166. examples: what numbers are
    promised to become.
    """

    form: Form = Form.E164
    country: str = ""
    rules: tuple[Rewrite, ...] = ()
    examples: Mapping[str, str] = field(default_factory=dict)

    def broken(self, *, outgoing: bool) -> Iterator[tuple[str, str]]:
        """Examples that do not come to what they promise, each with what it comes to."""
        for given, promised in self.examples.items():
            came = self.outgoing(given) if outgoing else self.incoming(given)
            if came != promised:
                yield given, came

    def unproven(self, *, outgoing: bool) -> Iterator[int]:
        """Rules that no example shows at work."""
        shown = {self.rule_for(given, outgoing=outgoing) for given in self.examples}
        yield from (at for at in range(len(self.rules)) if at not in shown)

    def outgoing(self, number: str) -> str:
        """`number` (E.164, or anything else that was dialled) as the line wants it."""
        return self._ruled(_written(number, self.form, self.country))[0]

    def incoming(self, text: str) -> str:
        """What came over the line, as E.164 where it is a telephone number and unchanged where it is not."""
        ruled = self._ruled(bare(text))[0]
        if self.form is Form.DIGITS and ruled.isdecimal() and ruled.isascii():
            international = normalise(f"+{ruled}")
            if phonenumbers.is_possible_number_string(international, ""):
                return international
        return normalise(ruled, self.country)

    def rule_for(self, text: str, *, outgoing: bool) -> int | None:
        """Which rule changes `text`; None when none does."""
        return self._ruled(_written(text, self.form, self.country) if outgoing else bare(text))[1]

    def _ruled(self, text: str) -> tuple[str, int | None]:
        for at, rule in enumerate(self.rules):
            found = compiled(rule.match).fullmatch(text[:MAX_DIALLED])
            if found is not None:
                return _filled(rule.write, found), at
        return text, None


_PIECE = re.compile(r"\.\.\.|[0-9+*#X()]")
_REFERENCE = re.compile(r"\{([1-9])\}")
_WRITTEN = re.compile(r"(?:[0-9A-Za-z+*#._-]|\{[1-9]\}){0,64}")
EXAMPLE = "write digits, + * and #, X for any digit, ... for any digits, brackets around what is kept"


def readable(rule: Rewrite) -> Iterator[BadPattern]:
    """What is wrong with a rule."""
    try:
        groups = compiled(rule.match).groups
    except BadPattern as bad:
        yield bad
        return
    if not _WRITTEN.fullmatch(rule.write):
        remedy = "write digits, letters, + * # . _ - and {1}, {2} for what stood in brackets"
        yield BadPattern(f"{rule.write!r} cannot be written into a number", remedy)
    for reference in _REFERENCE.findall(rule.write):
        if int(reference) > groups:
            problem = f"{{{reference}}} means nothing: '{rule.match}' has {groups} pairs of brackets"
            yield BadPattern(problem, "put brackets around what is to be kept")


@lru_cache(maxsize=4096)
def compiled(match: str) -> re.Pattern[str]:
    """The expression for a rule's pattern. Raises BadPattern."""
    pieces = _PIECE.findall(match)
    if not match or "".join(pieces) != match or len(match) > MAX_DIALLED:
        raise BadPattern(f"{match!r} is not a pattern of a number", EXAMPLE)
    if pieces.count("...") > 1:
        raise BadPattern(f"{match!r} has ... more than once", "keep one, and write X for each other digit")
    depth = 0
    for piece in pieces:
        depth += (piece == "(") - (piece == ")")
        if depth not in (0, 1):
            break
    if depth != 0:
        raise BadPattern(f"the brackets in {match!r} do not match", "close each before the next is opened")
    meant = {"...": "[0-9]*", "X": "[0-9]", "(": "(", ")": ")"}
    return re.compile("".join(meant.get(piece) or re.escape(piece) for piece in pieces))


def _written(number: str, form: Form, country: str) -> str:
    """An E.164 number in a form; anything else as it is."""
    if form is Form.E164 or not number.startswith("+"):
        return number
    if form is Form.DIGITS:
        return number[1:]
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    home = phonenumbers.country_code_for_region(country)
    if parsed.country_code == home:
        national = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        return _digits(national)
    if form is Form.NATIONAL:
        return number
    return _digits(phonenumbers.format_out_of_country_calling_number(parsed, country))


def _filled(write: str, found: re.Match[str]) -> str:
    return _REFERENCE.sub(lambda group: found[int(group[1])], write)


def _digits(text: str) -> str:
    return "".join(sign for sign in text if sign.isdecimal() or sign == "+")
