"""Help for agents while they talk: what soothes, answers, warns and can be offered, as soon as it is wanted.

Everything is at hand in memory and looked up on the words that come, so that it is on the agent's page with
the caption that asks for it. Nothing is told twice within `AGAIN_S`, and answers do not come one upon the
other. Nothing that goes wrong here reaches a call.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from engine.after.facts import in_language
from engine.assist_views import Help, HelpKind
from engine.events import CallEnded, CallRecord, Event
from media.speech.knowledge import Answer, Knowledge, Use
from media.speech.language import alike
from media.speech.market import Market, Occasion, Term, market_for
from media.speech.mood import Alarm, Turn
from media.speech.taboo import acceptable, warnings
from media.speech.transcript import Line
from media.speech.word import bare

if TYPE_CHECKING:
    from engine.call import Call
    from engine.switch import Switch

AGAIN_S = 120.0  # before the same is told again
PACE_S = 8.0  # between two answers
KEPT = 40  # of a call
CALLS = 5000
TERMS = 3  # of one word
BEST = 6  # passages that answers and offers are chosen from
LONGEST = 120  # characters of what is looked up
CUSTOMER, AGENT = "customer", "agent"


@dataclass(slots=True)
class _Help:
    """Of a call. told: when, by kind and title."""

    given: deque[Help] = field(default_factory=lambda: deque(maxlen=KEPT))
    told: dict[tuple[HelpKind, str], float] = field(default_factory=dict)
    answered: float = -AGAIN_S
    soothed: int = 0


class Assist:
    """Of all calls of a node. say: puts it on the pages of an agent. knowledge: what the company knows.
    language: of an agent.
    """

    def __init__(
        self,
        switch: Switch,
        say: Callable[[str, Help], int],
        knowledge: Callable[[], Knowledge],
        language: Callable[[str], str],
    ) -> None:
        self._switch = switch
        self._say = say
        self._knowledge = knowledge
        self._language = language
        self._calls: OrderedDict[str, _Help] = OrderedDict()
        switch.observers.append(self.forget)

    def given(self, call: str) -> tuple[Help, ...]:
        """What the agent of a call was told, the newest last."""
        found = self._calls.get(call)
        return tuple(found.given) if found is not None else ()

    # --- what is heard ------------------------------------------------------------------------------

    def said(self, call: Call, line: Line, now: float) -> None:
        """A side says something, as its words stand (`Minutes.observers`)."""
        if call.id not in self._switch.calls:
            return  # its last words, of which nobody needs help any more
        if line.side == CUSTOMER:
            self._answer(call, line, now)
        else:
            self._warn(call, line, now)

    def felt(self, told: Turn | Alarm, now: float) -> None:
        """A mood turned, or an urgent word was said (`Feelings.told`)."""
        call = self._switch.calls.get(told.call)
        if call is None or told.side != CUSTOMER:
            return
        if isinstance(told, Alarm):
            self._tell(call, HelpKind.URGENT, told.term, "", "", now)
        elif told.worse:
            self._soothe(call, now)

    def forget(self, event: Event | CallRecord) -> None:
        """A call that is over needs no help."""
        if isinstance(event, CallEnded):
            self._calls.pop(event.call, None)

    def _soothe(self, call: Call, now: float) -> None:
        """One of the market's phrases, in the language that the agent speaks, each in its turn."""
        market = self._market(call, self._reads(call))
        phrases = market.phrases.get(Occasion.SOOTHE, ()) if market is not None else ()
        if market is None or not phrases:
            return
        kept = self._of(call)
        phrase = phrases[kept.soothed % len(phrases)]
        kept.soothed += 1
        self._tell(call, HelpKind.SOOTHE, phrase, "", market.language, now)

    def _answer(self, call: Call, line: Line, now: float) -> None:
        reads = self._reads(call)
        text = in_language(line, reads)
        if text == line.text and not alike(line.language, reads):
            return  # not translated yet
        kept = self._of(call)
        found = self._knowledge().find(text, reads, most=BEST)
        for kind, use in ((HelpKind.ANSWER, Use.ANSWER), (HelpKind.UPGRADE, Use.UPGRADE)):
            best = next((each for each in found if each.passage.use is use), None)
            if best is None or (kind is HelpKind.ANSWER and now - kept.answered < PACE_S):
                continue
            if self._tell_answer(call, kind, best, now) and kind is HelpKind.ANSWER:
                kept.answered = now

    def _tell_answer(self, call: Call, kind: HelpKind, found: Answer, now: float) -> bool:
        """In words that will do in the customer's market, today."""
        passage = found.passage
        market, text = self._market(call, call.language), passage.text
        if market is not None:
            text = acceptable(text, passage.language, market, self._today(now))
        return self._tell(call, kind, passage.title, text, passage.language, now, source=passage.source)

    def _warn(self, call: Call, line: Line, now: float) -> None:
        """The customer's market has words that are not to be said to her, now or ever."""
        market = self._market(call, call.language)
        if market is None:
            return
        said = ((line.text, line.language), (line.translation, call.language))
        for text, language in said:
            for each in warnings(text, language, market, self._today(now), self._reads(call)) if text else ():
                self._tell(call, HelpKind.TABOO, each.word, each.text, "", now, instead=each.instead)

    # --- what is asked ------------------------------------------------------------------------------

    def look_up(self, agent: str, call_id: str, words: str, now: float) -> tuple[Help, ...]:
        """What is known of some words: terms in both languages, then what answers. call_id: "" for none."""
        reads = self._language(agent)
        words = words.strip()[:LONGEST]
        call = self._switch.calls.get(call_id)
        at = self._switch.wall(now)
        found: list[Help] = []
        market = self._market(call, call.language) if call is not None else self._any_market(reads)
        if market is not None:
            other = call.language if call is not None else reads
            found += [_term_help(call_id, each, reads, other, at) for each in _terms(market, words)]
        for passage, _ in self._knowledge().find(words, reads):
            kind = HelpKind.ANSWER if passage.use is Use.ANSWER else HelpKind.UPGRADE
            found.append(
                Help(
                    call=call_id,
                    kind=kind,
                    at=at,
                    title=passage.title,
                    text=passage.text,
                    language=passage.language,
                    source=passage.source,
                )
            )
        return tuple(found)

    # --- telling ------------------------------------------------------------------------------------

    def _tell(
        self, call: Call, kind: HelpKind, title: str, text: str, language: str, now: float, **more: str
    ) -> bool:
        """Put it on the agent's pages, unless it was there a while ago; whether it was put."""
        kept = self._of(call)
        if now - kept.told.get((kind, title), -AGAIN_S) < AGAIN_S:
            return False
        while len(kept.told) >= 2 * KEPT:
            del kept.told[next(iter(kept.told))]
        kept.told[kind, title] = now
        at = self._switch.wall(now)
        help = Help(call=call.id, kind=kind, at=at, title=title, text=text, language=language, **more)
        kept.given.append(help)
        for agent in dict.fromkeys(leg.agent for leg in call.legs if leg.agent):
            self._say(agent, help)
        return True

    def _of(self, call: Call) -> _Help:
        kept = self._calls.setdefault(call.id, _Help())
        while len(self._calls) > CALLS:
            self._calls.popitem(last=False)
        return kept

    def _reads(self, call: Call) -> str:
        return self._language(call.agent)

    def _market(self, call: Call, language: str) -> Market | None:
        return market_for(self._switch.config.markets, call.market, language)

    def _any_market(self, language: str) -> Market | None:
        return market_for(self._switch.config.markets, "", language)

    def _today(self, now: float) -> date:
        return datetime.fromtimestamp(self._switch.wall(now), UTC).date()


def _terms(market: Market, words: str) -> list[Term]:
    """Terms that are called so in any language, whole names before parts of them."""
    wanted = bare(words)
    if not wanted:
        return []
    whole, part = [], []
    for term in market.terms:
        names = {bare(name) for form in term.forms.values() for name in (form.one, form.many, *form.also)}
        if wanted in names:
            whole.append(term)
        elif len(wanted) > 3 and any(wanted in name for name in names):
            part.append(term)
    return [*whole, *part][:TERMS]


def _term_help(call: str, term: Term, reads: str, other: str, at: float) -> Help:
    own, theirs = term.within(reads), term.within(other)
    title = own.one if own is not None else term.name
    said = [each.one for each in (theirs,) if each is not None and each.one != title]
    also = own.also if own is not None else ()
    text = " · ".join([*said, *also])
    return Help(call=call, kind=HelpKind.TERM, at=at, title=title, text=text, language=reads)
