"""numbers.yaml as values, and the number plan that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, PlainValidator

from config.setting import Words, destination, setting, settings, wrong
from routing.number import Callers, Destination, Feature, FeatureCode, NumberPlan, Rule, bare, normalise


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a number leads; `callers` when the operator said who may dial it."""

    destination: Destination
    callers: Callers | None = None


def _entry(value: object) -> Entry:
    if not isinstance(value, dict) or "callers" not in value:
        return Entry(destination(value))
    rest: dict[str, Any] = {key: each for key, each in value.items() if key != "callers"}
    if value["callers"] not in tuple(Callers):
        raise wrong(f"{value['callers']!r} is nobody who may dial", "write anyone, users or agents")
    return Entry(destination(rest), Callers(value["callers"]))


def _dialled(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9+*#._() -]{1,40}", text) or not bare(text):
        raise wrong(
            f"{text!r} cannot be dialled",
            "write a number with + and country code, an extension, a code such as *45, or a name",
        )
    return text


def _prefix(text: str) -> str:
    if not re.fullmatch(r"\+([1-9][0-9]{0,14})?", text):
        remedy = "write + and the first digits, for instance +4420, or + alone for all numbers"
        raise wrong(f"{text!r} is not an E.164 prefix", remedy)
    return text


def _pattern(text: str) -> str:
    if not re.fullmatch(r"[0-9X*#]{1,20}", text) or "X" not in text:
        raise wrong(f"{text!r} is not a pattern", "write digits, with X for any digit, for instance 10XX")
    return text


def _code(text: str) -> str:
    if text and not re.fullmatch(r"[*#][0-9*#]{1,7}", text):
        raise wrong(f"{text!r} is not a feature code", "write * or # and up to seven digits, in quotes")
    return text


Dialled = Annotated[str, AfterValidator(_dialled), Words("number, extension or name")]
Prefix = Annotated[str, AfterValidator(_prefix), Words("E.164 prefix")]
Pattern = Annotated[str, AfterValidator(_pattern), Words("pattern")]
Code = Annotated[str, AfterValidator(_code), Words("feature code")]
EntryField = Annotated[Entry, PlainValidator(_entry), Words("destination")]


@settings
class Features:
    login: Code = setting("Dialled by an agent to log in; empty for no such code.", default="*45")
    logout: Code = setting("To log out.", default="*46")
    pause: Code = setting("To take a break: no calls until resumed.", default="*47")
    resume: Code = setting("To take calls again.", default="*48")
    wrap_up_over: Code = setting("To end wrap-up early.", default="*49")
    pause_recording: Code = setting(
        "Dialled beside a call, while that waits: its recording is silent from now on.", default="*51"
    )
    resume_recording: Code = setting("To record that call again.", default="*52")
    interpreter: Code = setting(
        "Dialled beside a call, while that waits: a person is rung to interpret in it, whom its queue's "
        "`speech.interpreter` names.",
        default="*53",
    )
    supervise: Code = setting(
        "Dialled with an agent's number or name behind it, by who `supervises` her calls (agents.yaml): to "
        "listen to the one that she is in. Then 1 listens, 2 speaks to the agent alone, 3 to both, 9 takes "
        "the call over.",
        default="*86",
    )


@settings
class Numbers:
    numbers: Mapping[Dialled, EntryField] = setting(
        "Numbers with + and country code, extensions and names, each with its destination. `callers` beside "
        "a destination says who may dial it: `anyone` (as when left out), `users` or `agents`.",
        default={},
    )
    prefixes: Mapping[Prefix, EntryField] = setting(
        "All numbers that begin so; the longest prefix wins. Open to `agents` unless `callers` says more.",
        default={},
    )
    patterns: Mapping[Pattern, EntryField] = setting(
        "Extensions by shape, X for any digit; the first that fits wins. Open to `agents` unless `callers` "
        "says more.",
        default={},
    )
    features: Features = setting("What agents dial to change their state.", default=Features())

    def codes(self) -> Iterator[tuple[Feature, str]]:
        """Each feature that has a code, and the code."""
        for feature in Feature:
            code = getattr(self.features, feature.value)
            if code:
                yield feature, code

    def plan(self, country: str) -> NumberPlan:
        """The plan for a node in `country`, whose national format its own accounts may dial."""
        exact = {
            canonical(text, country): Rule(text, entry.destination, entry.callers or Callers.ANYONE)
            for text, entry in self.numbers.items()
        }
        codes: dict[str, Rule] = {}
        for feature, code in self.codes():
            if feature is Feature.SUPERVISE:
                codes[code] = Rule(code, FeatureCode(feature), Callers.USERS)
            else:
                exact[code] = Rule(code, FeatureCode(feature), Callers.AGENTS)
        return NumberPlan(country, exact, codes, _rules(self.prefixes), _rules(self.patterns))


def canonical(text: str, country: str) -> str:
    """The string under which a number of numbers.yaml is looked up."""
    return normalise(bare(text), country)


def _rules(entries: Mapping[str, Entry]) -> tuple[Rule, ...]:
    return tuple(
        Rule(text, entry.destination, entry.callers or Callers.AGENTS) for text, entry in entries.items()
    )
