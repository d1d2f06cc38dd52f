"""What a dialled string leads to: the number plan of a node, as values.

A plan holds exact strings (E.164 numbers, extensions, names), feature codes, E.164 prefixes and digit
patterns; `NumberPlan.find` tries them in that order and says which rule matched. Numbers are understood
through `phonenumbers`, in the region of the line (or node) that the call came in on. Who may dial a rule is
part of it, so that a prefix which leads out over a line is not open to callers from outside.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

import phonenumbers


class Feature(StrEnum):
    """What an agent may ask for by dialling a code; of recordings and interpreters, beside the call meant.
    Behind the code to supervise stands whom.
    """

    LOGIN = "login"
    LOGOUT = "logout"
    PAUSE = "pause"
    RESUME = "resume"
    WRAP_UP_OVER = "wrap_up_over"
    PAUSE_RECORDING = "pause_recording"
    RESUME_RECORDING = "resume_recording"
    INTERPRETER = "interpreter"
    SUPERVISE = "supervise"


class Callers(StrEnum):
    """Who may dial a rule: everyone, accounts of this node, or its agents alone."""

    ANYONE = "anyone"
    USERS = "users"
    AGENTS = "agents"


@dataclass(frozen=True, slots=True)
class QueueTarget:
    name: str


@dataclass(frozen=True, slots=True)
class AgentTarget:
    """An agent's own phone, past any queue."""

    name: str


@dataclass(frozen=True, slots=True)
class UriTarget:
    """A SIP address elsewhere; `{number}` in it stands for the number dialled."""

    uri: str


@dataclass(frozen=True, slots=True)
class LineTarget:
    """Out over one of these lines, or of all where none is named, with the number as dialled."""

    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureCode:
    """of: what was dialled behind the code."""

    feature: Feature
    of: str = ""


@dataclass(frozen=True, slots=True)
class Announce:
    """A prompt is played, then the call ends."""

    prompt: str


@dataclass(frozen=True, slots=True)
class Echo:
    """Whoever calls hears what she says: for tests of lines, phones and networks."""


Destination = QueueTarget | AgentTarget | UriTarget | LineTarget | FeatureCode | Announce | Echo


@dataclass(frozen=True, slots=True)
class Rule:
    """One entry of the plan: `pattern` as written by the operator, where it leads, and who may dial it."""

    pattern: str
    destination: Destination
    callers: Callers = Callers.ANYONE


@dataclass(frozen=True, slots=True)
class Found:
    """What a dialled string came to: `number` is E.164 where the string was a telephone number."""

    rule: Rule
    number: str

    @property
    def destination(self) -> Destination:
        return self.rule.destination


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """exact: by whole string. codes: by how it begins, with more behind. prefixes: of E.164, longest wins.
    patterns: X is any digit, first wins.
    """

    region: str = ""
    exact: Mapping[str, Rule] = field(default_factory=dict)
    codes: Mapping[str, Rule] = field(default_factory=dict)
    prefixes: tuple[Rule, ...] = ()
    patterns: tuple[Rule, ...] = ()

    def find(self, dialled: str, region: str = "") -> Found | None:
        """The rule for `dialled` (a URI's user part or a tel: number); None when nothing matches.

        region: ISO 3166 country of the line the call came in on, for numbers in national format.
        """
        text = bare(dialled)
        number = normalise(text, region or self.region)
        for candidate in (text, number):
            if candidate in self.exact:
                return Found(self.exact[candidate], number)
        for code, rule in self.codes.items():
            if text.startswith(code) and len(text) > len(code):
                return Found(_behind(rule, text[len(code) :]), text)
        best = max(
            (rule for rule in self.prefixes if number.startswith(rule.pattern)),
            key=lambda rule: len(rule.pattern),
            default=None,
        )
        if best is not None:
            return Found(best, number)
        for rule in self.patterns:
            if matches(rule.pattern, text):
                return Found(rule, text)
        return None


def _behind(rule: Rule, of: str) -> Rule:
    """The rule of a code, with what was dialled behind it."""
    assert isinstance(rule.destination, FeatureCode)
    return replace(rule, destination=replace(rule.destination, of=of))


MAX_DIALLED = 128
_SEPARATORS = str.maketrans("", "", "-.() ")
_TELEPHONE = re.compile(r"\+?[0-9]{2,20}")


def bare(dialled: str) -> str:
    """The string without parameters and, where it is a number, visual separators (RFC 3966 section 5.1.1)."""
    text = dialled[:MAX_DIALLED].partition(";")[0].strip()
    compact = text.translate(_SEPARATORS)
    return compact if _TELEPHONE.fullmatch(compact) else text


def normalise(text: str, region: str = "") -> str:
    """E.164 for a valid telephone number in `region`; anything else (an extension, a code, a name) unchanged.

    Without a region only numbers that begin with + can be understood.
    """
    if not _TELEPHONE.fullmatch(text):
        return text
    try:
        number = phonenumbers.parse(text, region or None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_possible_number(number):
        return text
    if not text.startswith("+") and not phonenumbers.is_valid_number(number):
        return text
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def matches(pattern: str, text: str) -> bool:
    """Whether `text` fits a pattern of literal characters and X (any one digit)."""
    return len(pattern) == len(text) and all(
        have.isdecimal() and have.isascii() if want == "X" else have == want
        for want, have in zip(pattern, text, strict=True)
    )
