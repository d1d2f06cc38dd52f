"""How well a call went, by rules: a first pass over all calls, so that people listen where it is worth it.

A rule passes, fails, or cannot be judged (nothing was held, nothing was written down, the market requires
nothing). The score is the share of what could be judged that passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from engine.after.facts import Facts, Hold, in_language, of_side, says
from engine.after.topics import WAIT, named
from engine.store.transcripts import Mark
from media.speech.transcript import Line

QUOTE = 120  # characters of a line that is quoted


@dataclass(frozen=True, slots=True)
class Terms:
    """Seconds. greet_s: from the connection, in which the agent greets. ask_s: before a hold, in which it is
    announced; hold_s: of the longest. over: share of the agent's speech that may fall into the
    customer's. silent_s: of the longest silence.
    """

    greet_s: float = 15.0
    ask_s: float = 20.0
    hold_s: float = 120.0
    over: float = 0.10
    silent_s: float = 20.0


DEFAULT = Terms()
Rule = Callable[[Facts, Terms], Mark]


def marks(facts: Facts, terms: Terms = DEFAULT) -> tuple[Mark, ...]:
    """What each rule says of a call; nothing where two people never talked."""
    return tuple(rule(facts, terms) for rule in RULES) if facts.connected is not None else ()


def score(given: Sequence[Mark]) -> float | None:
    """0 to 100; None where nothing could be judged."""
    judged = [each for each in given if each.passed is not None]
    whole = sum(each.share for each in judged)
    return round(100 * sum(each.share for each in judged if each.passed) / whole, 1) if whole else None


def _greeting(facts: Facts, terms: Terms) -> Mark:
    """The agent speaks soon, and greets as the market does."""
    assert facts.connected is not None
    agents = of_side(facts.lines, "agent")
    if not facts.lines:
        return Mark(rule="greeting", passed=None, share=0.2)
    soon = [each for each in agents if each.begin <= facts.connected + terms.greet_s]
    wanted = (*facts.required.get("greet", ()), *facts.phrases.get("greet", ()))
    found = soon[:1] if not wanted else [each for each in soon if _any(each, wanted, facts)]
    late = round(max(0.0, agents[0].begin - facts.connected), 1) if agents else None
    quote = (found or soon)[0].text[:QUOTE] if soon else ""
    missing = () if found else tuple(wanted[:1])
    return Mark(rule="greeting", passed=bool(found), share=0.2, seconds=late, quote=quote, missing=missing)


def _hold(facts: Facts, terms: Terms) -> Mark:
    """Who is put on hold is told so, and not for long."""
    holds = [each for each in facts.holds if each.side == "agent"]
    if not holds:
        return Mark(rule="hold", passed=None, share=0.2)
    longest = max(each.end - each.begin for each in holds)
    wanted = facts.phrases.get("hold", ())
    asked = not facts.lines or all(_announced(each, wanted, facts, terms) for each in holds)
    passed = asked and longest <= terms.hold_s
    missing = () if asked else tuple(wanted[:1])
    return Mark(rule="hold", passed=passed, share=0.2, seconds=round(longest, 1), missing=missing)


def _announced(hold: Hold, wanted: Sequence[str], facts: Facts, terms: Terms) -> bool:
    before = [
        each
        for each in of_side(facts.lines, "agent")
        if hold.begin - terms.ask_s <= each.end and each.begin <= hold.begin
    ]
    return any(WAIT in named(each) or _any(each, wanted, facts) for each in before)


def _talk_over(facts: Facts, terms: Terms) -> Mark:
    """The agent lets the customer finish: of both at once, only what the agent began counts."""
    agents, customers = of_side(facts.lines, "agent"), of_side(facts.lines, "customer")
    spoken = sum(each.seconds for each in agents)
    if not spoken or not customers:
        return Mark(rule="talk_over", passed=None, share=0.2)
    over, worst = 0.0, ("", 0.0)
    for agent in agents:
        own = sum(
            max(0.0, min(agent.end, other.end) - agent.begin)
            for other in customers
            if other.begin < agent.begin < other.end
        )
        over += own
        worst = max(worst, (agent.text[:QUOTE], own), key=lambda each: each[1])
    passed = over <= terms.over * spoken
    quote = "" if passed else worst[0]
    return Mark(rule="talk_over", passed=passed, share=0.2, seconds=round(over, 1), quote=quote)


def _dead_air(facts: Facts, terms: Terms) -> Mark:
    """Nobody waits in silence, holds apart."""
    if len(facts.lines) < 2:
        return Mark(rule="dead_air", passed=None, share=0.2)
    longest, before = max(_silences(facts))
    passed = longest <= terms.silent_s
    return Mark(
        rule="dead_air", passed=passed, share=0.2, seconds=round(longest, 1), quote="" if passed else before
    )


def _silences(facts: Facts) -> Iterator[tuple[float, str]]:
    """Each with what was said before it."""
    assert facts.connected is not None
    at, said = facts.connected, ""
    for line in facts.lines:
        yield line.begin - at - _held(facts, at, line.begin), said
        if line.end > at:
            at, said = line.end, line.text[:QUOTE]


def _held(facts: Facts, begin: float, end: float) -> float:
    return sum(max(0.0, min(end, each.end) - max(begin, each.begin)) for each in facts.holds)


def _required(facts: Facts, terms: Terms) -> Mark:
    """What the market has agents say, each occasion in one of its ways."""
    occasions = {name: ways for name, ways in facts.required.items() if ways and name != "greet"}
    if not occasions or not facts.lines:
        return Mark(rule="required", passed=None, share=0.2)
    agents = of_side(facts.lines, "agent")
    missing = tuple(
        ways[0] for ways in occasions.values() if not any(_any(each, ways, facts) for each in agents)
    )
    return Mark(rule="required", passed=not missing, share=0.2, missing=missing)


def _any(line: Line, phrases: Sequence[str], facts: Facts) -> bool:
    text = in_language(line, facts.language)
    return any(says(text, phrase, facts.language or line.language) for phrase in phrases)


RULES: tuple[Rule, ...] = (_greeting, _hold, _talk_over, _dead_air, _required)
