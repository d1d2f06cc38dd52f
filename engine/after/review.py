"""All that is made of a call that is over, put together: pure, from its facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from engine.access import mask
from engine.after import quality
from engine.after.facts import Facts
from engine.after.outcome import outcome
from engine.after.summary import BY, summary
from engine.after.topics import topics
from engine.events import CallRecord
from engine.store.transcripts import Felt, Review, Said
from media.speech.lexicon import Lexicon
from media.speech.mood import Cause, Moods
from media.speech.transcript import Line

Lexica = Callable[[str], Lexicon | None]
WORDS = 5  # that are told of a mood


def review(
    record: CallRecord, facts: Facts, lexica: Lexica, terms: quality.Terms = quality.DEFAULT
) -> Review:
    """What rules and the call's own words say of it."""
    seen = replace(facts, lines=shown(facts.lines))  # a quote may be cut in the middle of a card
    marks = quality.marks(seen, terms)
    text = summary(seen.lines, facts.reads, lexica)
    return Review(
        call=record.call,
        ended_at=record.ended_at,
        market=record.market,
        language=record.language,
        queue=record.queue,
        agent=record.agent,
        outcome=outcome(facts, lexica),
        score=quality.score(marks),
        summary=text,
        by=BY if text else "",
        topics=topics(facts.lines),
        marks=marks,
        moods=moods(record.call, facts.lines, lexica),
    )


def moods(call: str, lines: Sequence[Line], lexica: Lexica) -> dict[str, Felt]:
    """How each side felt, by its words alone."""
    felt = Moods(call, lexica)
    worst: dict[str, float] = {}
    words: dict[
        str, dict[str, tuple[float, str]]
    ] = {}  # by side and word, what it weighs and how it was said
    for line in lines:
        felt.hear(line, now=line.end)
        mood = felt.sides[line.side]
        worst[line.side] = min(worst.get(line.side, 1.0), mood.score)
        for each in mood.reasons:
            if each.cause is Cause.WORD and each.at == line.begin:
                words.setdefault(line.side, {})[each.term.casefold()] = abs(each.value), each.term
    return {
        side: Felt(
            last=round(mood.score, 3),
            worst=round(worst[side], 3),
            reasons=tuple(term for _, term in sorted(words.get(side, {}).values(), reverse=True)[:WORDS]),
        )
        for side, mood in felt.sides.items()
    }


def heard_worse(made: Review, worst: Mapping[str, float]) -> Review:
    """The same with what was heard of moods while they talked, voices and all, where that was worse."""
    moods = {
        side: replace(felt, worst=round(min(felt.worst, worst.get(side, felt.worst)), 3))
        for side, felt in made.moods.items()
    }
    return replace(made, moods=moods)


def without_words(made: Review) -> Review:
    """The same with nothing in it that was said."""
    marks = tuple(replace(each, quote="") for each in made.marks)
    moods = {side: replace(felt, reasons=()) for side, felt in made.moods.items()}
    return replace(made, summary="", by="", marks=marks, moods=moods)


def shown(lines: Sequence[Line]) -> list[Line]:
    """Without cards and papers, which nobody is to read in a summary either, and which may be told over
    several sentences of which it quotes one.
    """
    hidden = mask.sides(lines, mask.papers)
    return [each._replace(text=text, translation=other) for each, (text, other) in zip(lines, hidden)]


def kept(lines: Sequence[Line]) -> list[Said]:
    """Lines as the store has them."""
    return [
        Said(
            side=each.side,
            begin=round(each.begin, 2),
            end=round(each.end, 2),
            language=each.language,
            text=each.text,
            translation=each.translation,
            low=each.low,
            gist=each.gist,
        )
        for each in lines
    ]


def line_of(call: str, number: int, said: Said, zero: float) -> Line:
    """A line of the store, its times less `zero`."""
    return Line(
        call=call,
        side=said.side,
        utterance=number,
        begin=said.begin - zero,
        end=said.end - zero,
        language=said.language,
        text=said.text,
        translation=said.translation,
        low=said.low,
        gist=said.gist,
    )
