"""What would change if a node took on another configuration, in words, and what each change costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import StrEnum
from typing import Any

import phonenumbers

from config.schema import Config
from config.secret import Secret
from media.speech.knowledge import Passage
from media.speech.market import Taboo, Term
from routing.coverage import left_without_a_line
from routing.number import (
    AgentTarget,
    Announce,
    Callers,
    Echo,
    FeatureCode,
    LineTarget,
    NumberPlan,
    QueueTarget,
    Rule,
    UriTarget,
)

Path = tuple[str, ...]
Difference = tuple[Path, str]


class Effect(StrEnum):
    """When a change is felt."""

    NOW = "at once, calls in progress included"
    NEXT_CALL = "with the next call"
    RESTART = "after a restart"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `path` is the setting's, `words` says it to an operator; secrets are never shown."""

    path: str
    words: str
    effect: Effect

    def __str__(self) -> str:
        return f"{self.words} ({self.effect.value})"


# The longest path that a changed setting lies under decides; what is not named is felt with the next call.
# `taken` leaves out what needs a restart, so the node is never told of it; the rest is seen to by
# engine/applying.py, or looked up by whoever needs it at the moment of need.
EFFECTS: Mapping[str, Effect] = {
    "node.name": Effect.RESTART,
    "node.data_dir": Effect.RESTART,
    "node.traces": Effect.RESTART,
    "node.log": Effect.NOW,
    "node.limits": Effect.NOW,
    "node.limits.max_call_s": Effect.NEXT_CALL,
    "node.changes": Effect.NOW,
    "node.drain_s": Effect.NOW,
    "sip": Effect.RESTART,
    "sip.anonymous_callers": Effect.NOW,
    "sip.registrar": Effect.NOW,
    "sip.guard": Effect.NOW,
    "sip.timers.ring_s": Effect.NEXT_CALL,
    "sip.session": Effect.NEXT_CALL,
    "media": Effect.RESTART,
    "media.codecs": Effect.NEXT_CALL,
    "media.ptime_ms": Effect.NEXT_CALL,
    "media.srtp": Effect.NEXT_CALL,
    "media.srtp_suites": Effect.NEXT_CALL,
    "media.network": Effect.NEXT_CALL,
    "media.sound": Effect.NEXT_CALL,
    "media.dtmf": Effect.NOW,
    "media.dtmf.payload_type": Effect.NEXT_CALL,
    "media.rtp_timeout_s": Effect.NOW,
    "media.webrtc.resume_s": Effect.NOW,
    "media.webrtc.ice_servers": Effect.NEXT_CALL,
    "media.recording": Effect.NEXT_CALL,
    "media.recording.sync_s": Effect.RESTART,
    "api": Effect.RESTART,
    "api.tokens": Effect.NOW,
    "api.callers.keys": Effect.NOW,
    "api.callers.key": Effect.NOW,
    "api.callers.token_s": Effect.NOW,
    "api.live.origins": Effect.NOW,
    "store": Effect.RESTART,
    "queues": Effect.NOW,
    "agents": Effect.NOW,
    "users": Effect.NOW,
    "lines": Effect.NEXT_CALL,
    "markets": Effect.NEXT_CALL,
    "knowledge": Effect.NOW,
    "language": Effect.NOW,
    "hooks": Effect.NOW,
    "forms": Effect.NOW,
    "language.start": Effect.RESTART,
    "language.agents": Effect.NEXT_CALL,
    "language.lag_s": Effect.NEXT_CALL,
    "language.vocabularies": Effect.NEXT_CALL,
    "language.after": Effect.NEXT_CALL,
    "cluster": Effect.RESTART,
    "cluster.residency": Effect.NEXT_CALL,
    "cluster.near.candidates": Effect.NEXT_CALL,
    "cluster.near.prefixes": Effect.NEXT_CALL,
    "cluster.near.redirect": Effect.NEXT_CALL,
    "routing": Effect.NEXT_CALL,
    "routing.health": Effect.NOW,
    "routing.circuit": Effect.NOW,
    "routing.rescue": Effect.NOW,
}
NOUNS = {
    "queues": "queue", "agents": "agent", "users": "user", "lines": "line", "markets": "market",
    "tokens": "API token", "knowledge": "knowledge",
}  # fmt: skip


def _terms(old: tuple[Term, ...], new: tuple[Term, ...]) -> str:
    return f"{len(_changed(old, new))} terms of its glossaries are new, other or gone"


def _changed(old: Iterable[Term | Taboo], new: Iterable[Term | Taboo]) -> list[str]:
    """Names of what is not in both."""
    before, after = {each.name: each for each in old}, {each.name: each for each in new}
    return sorted(name for name in before | after if before.get(name) != after.get(name))


# What operators change most, in a sentence: by file and setting, of what was and what is to be.
PHRASES: Mapping[tuple[str, str], Callable[[Any, Any], str]] = {
    ("lines", "enabled"): lambda old, new: "is used" if new else "is not used any more",
    ("lines", "max_calls"): lambda old, new: f"up to {_most(new)} calls instead of {_most(old)}",
    ("lines", "max_calls_per_s"): (
        lambda old, new: f"up to {_most(new)} calls sent a second instead of {_most(old)}"
    ),
    ("queues", "max_length"): lambda old, new: f"up to {_most(new)} callers wait instead of {_most(old)}",
    ("markets", "terms"): _terms,
    ("markets", "taboos"): lambda old, new: f"other rules: {', '.join(_changed(old, new))}",
    ("queues", "max_wait_s"): lambda old, new: f"callers wait up to {_most(new)} s instead of {_most(old)}",
}


def plan(old: Config, new: Config) -> list[Change]:
    """The differences from `old` to `new`, in the order of the files; empty when there are none."""
    changes: list[Change] = []
    for part in fields(Config):
        if part.name in ("folder", "specs"):
            continue
        before, after = getattr(old, part.name), getattr(new, part.name)
        differences = (
            _plans(before, after) if part.name == "numbers" else _differences(before, after, (part.name,))
        )
        changes += [Change(".".join(path), words, _effect(path)) for path, words in differences]
    return [*changes, *_rate_lists(old, new)]


def taken(old: Config, new: Config) -> Config:
    """What a node that runs `old` can be told of `new` without a restart; the rest is as it was."""
    held = {
        part.name: _held(getattr(old, part.name), getattr(new, part.name), (part.name,))
        for part in fields(Config)
        if part.name not in ("folder", "specs")
    }
    return replace(new, **held)


def _held(old: Any, new: Any, path: Path) -> Any:
    text = ".".join(path)
    below = {effect for named, effect in EFFECTS.items() if named.startswith(f"{text}.")}
    effects = below | {_effect(path)}
    if Effect.RESTART not in effects:
        return new
    if effects == {Effect.RESTART}:
        return old
    values = {each.name: (getattr(old, each.name), getattr(new, each.name)) for each in fields(new)}
    return replace(new, **{name: _held(*pair, (*path, name)) for name, pair in values.items()})


def stranded(old: Config, new: Config) -> list[str]:
    """Destinations that a line took and none would take, in words."""
    return [
        f"{_numbers(prefix)} would have no line any more"
        for prefix in left_without_a_line(old.specs, new.specs)
    ]


def _numbers(prefix: str) -> str:
    if prefix == "+":
        return "all numbers outside"
    country = next(
        (
            phonenumbers.region_code_for_country_code(int(prefix[1:end]))
            for end in range(2, 5)
            if prefix[1:end].isdecimal() and int(prefix[1:end]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
        ),
        "",
    )
    return f"numbers that begin with {prefix}{f' ({country})' if country else ''}"


def _rate_lists(old: Config, new: Config) -> Iterator[Change]:
    """Lists of rates that have another content under the same name."""
    for name, spec in new.specs.items():
        was = old.specs.get(name)
        if was is None or old.lines[name] != new.lines[name] or was.tariff == spec.tariff:
            continue
        before, after = set(was.tariff.rates), set(spec.tariff.rates)
        new_ones, gone = len(after - before), len(before - after)
        words = f"line {name}: rate_list: {new_ones} rates are new or other, {gone} gone"
        yield Change(f"lines.{name}.rate_list", words, _effect(("lines", name)))


def _differences(before: Any, after: Any, path: Path) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, Secret):
        yield path, f"{_place(path)} is another"
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _entries(before, after, path)
    elif _is_block(before) and type(before) is type(after):
        for each in fields(before):
            below = (*path, each.name)
            yield from _differences(getattr(before, each.name), getattr(after, each.name), below)
    elif path[0] == "agents" and path[-1] == "queues":
        yield path, _membership(before, after, path)
    elif len(path) == 3 and (path[0], path[2]) in PHRASES:
        yield path, f"{_place(path[:2])}: {PHRASES[path[0], path[2]](before, after)}"
    else:
        yield path, f"{_place(path)}: {said(before)} → {said(after)}"


def _entries(before: Mapping[str, Any], after: Mapping[str, Any], path: Path) -> Iterator[Difference]:
    for name in before:
        if name not in after:
            yield (*path, name), f"{_place((*path, name))} is removed"
    for name, value in after.items():
        below = (*path, name)
        if name not in before:
            yield below, f"{_place(below)} is new"
        else:
            yield from _differences(before[name], value, below)


def _plans(before: NumberPlan, after: NumberPlan) -> Iterator[Difference]:
    old, new = dict(_rules(before)), dict(_rules(after))
    for text in old.keys() - new.keys():
        yield ("numbers", text), f"number {text} leads nowhere any more (was: {_rule(old[text])})"
    for text, rule in new.items():
        if text not in old:
            yield ("numbers", text), f"number {text} leads to {_rule(rule)}"
        elif _rule(old[text]) != _rule(rule):
            yield ("numbers", text), f"number {text} leads to {_rule(rule)} (was: {_rule(old[text])})"


def _rules(plan: NumberPlan) -> Iterator[tuple[str, Rule]]:
    yield from plan.exact.items()
    for rule in plan.prefixes:
        yield f"{rule.pattern}…", rule
    for rule in plan.patterns:
        yield rule.pattern, rule


def _rule(rule: Rule) -> str:
    return said(rule.destination) + ("" if rule.callers is Callers.ANYONE else f", for {rule.callers.value}")


def _membership(before: tuple[str, ...], after: tuple[str, ...], path: Path) -> str:
    said_of = [f"joins {queue}" for queue in after if queue not in before]
    said_of += [f"leaves {queue}" for queue in before if queue not in after]
    return f"{_place(path[:-1])} {', '.join(said_of) or 'has the same queues in another order'}"


def _most(count: float) -> str:
    return f"{count:g}" if count else "any number of"


def _place(path: Path) -> str:
    """`("queues", "support", "wrap_up_s")` as "queue support: wrap_up_s"."""
    for at in (0, 1):
        if len(path) > at + 1 and path[at] in NOUNS:
            rest = ".".join(path[at + 2 :])
            return f"{NOUNS[path[at]]} {path[at + 1]}{f': {rest}' if rest else ''}"
    return ".".join(path)


def said(value: Any) -> str:
    """A setting's value as an operator would say it; never a secret's."""
    match value:
        case None | "" | ():
            return "nothing"
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case QueueTarget(name):
            return f"queue {name}"
        case AgentTarget(name):
            return f"agent {name}"
        case LineTarget(names):
            return f"line {' or '.join(names)}" if names else "any line"
        case UriTarget(uri):
            return uri
        case Announce(prompt):
            return f"announcement {prompt}"
        case FeatureCode(feature):
            return f"feature {feature.value}"
        case Echo():
            return "an echo"
        case (Passage(), *_):
            return f"{len(value)} passages"
        case tuple():
            return ", ".join(said(each) for each in value)
        case Secret():
            return "a secret"
        case _ if _is_block(value):
            return " ".join(said(getattr(value, each.name)) for each in fields(value))
        case _:
            return str(value)


def _is_block(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(
        value, Secret | QueueTarget | AgentTarget | UriTarget | LineTarget | FeatureCode | Announce | Echo
    )


def _effect(path: Path) -> Effect:
    for end in range(len(path), 0, -1):
        effect = EFFECTS.get(".".join(path[:end]))
        if effect is not None:
            return effect
    return Effect.NEXT_CALL
