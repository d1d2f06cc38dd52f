"""A side's mood: smoothed, with reasons, told when it turns; urgent words are told at once, and once."""

from __future__ import annotations

import pytest

from media.speech.io.lexica import shipped
from media.speech.mood import Alarm, Cause, Level, Moods, Turn
from media.speech.prosody import Voice
from media.speech.transcript import MOST, Line, Transcript
from media.speech.urgent import Urgent

URGENT = Urgent("en-GB", ["ambulance", "data breach", "lawyer*"])
ANGRY = "This is ridiculous, I want to speak to your supervisor"


def said(
    text: str, utterance: int = 1, at: float = 0.0, side: str = "customer", seconds: float = 3.0
) -> Line:
    return Line("c1", side, utterance, at, at + seconds, "en-GB", text)


def voice(higher: float = 0.0, louder: float = 0.0) -> Voice:
    return Voice(2.0, 180.0, 60.0, 4.0, higher, louder, 0.0)


@pytest.fixture
def moods() -> Moods:
    return Moods("c1", shipped, {"customer": URGENT})


def test_an_angry_sentence_turns_the_mood_and_says_why(moods: Moods):
    (turn,) = moods.hear(said(ANGRY), now=3.0)
    assert isinstance(turn, Turn)
    assert (turn.side, turn.level, turn.worse) == ("customer", Level.UPSET, True)
    assert [each.term for each in turn.reasons] == ["ridiculous", "supervisor"]
    assert all(each.cause is Cause.WORD and each.value < 0 for each in turn.reasons)


def test_each_turn_is_told_once_while_the_sentence_grows(moods: Moods):
    words = ANGRY.split()
    grown = [said(" ".join(words[: end + 1])) for end in range(len(words))]
    told = [each for line in grown for each in moods.hear(line, now=3.0)]
    assert [each.level for each in told if isinstance(each, Turn)] == [Level.UNEASY, Level.UPSET]


def test_one_side_says_nothing_of_the_other(moods: Moods):
    moods.hear(said(ANGRY), now=3.0)
    assert moods.hear(said("Thank you, that is great", side="agent"), now=4.0) == []
    assert moods.sides["customer"].level is Level.UPSET


def test_plain_words_do_not_make_up_for_anger_and_kind_ones_do(moods: Moods):
    moods.hear(said(ANGRY), now=3.0)
    assert moods.hear(said("My number is four seven one", 2, 5.0), now=8.0) == []
    told = moods.hear(said("Oh that is wonderful, thank you so much", 3, 9.0), now=12.0)
    assert [(each.level, each.worse) for each in told if isinstance(each, Turn)] == [(Level.FINE, False)]


def test_a_mood_fades_with_time(moods: Moods):
    moods.hear(said(ANGRY), now=3.0)
    told = [each.level for now in range(10, 600, 10) for each in moods.tick(float(now))]
    assert told == [Level.UNEASY, Level.FINE]


def test_a_raised_voice_makes_cross_words_worse_and_glad_ones_not(moods: Moods):
    other = Moods("c2", shipped)
    words = said("it is slow", seconds=1.0)
    moods.hear(words, now=1.0)
    other.hear(words, voice(higher=3.0, louder=3.0), now=1.0)
    assert other.sides["customer"].score < moods.sides["customer"].score
    causes = {each.cause for each in other.sides["customer"].reasons}
    assert causes == {Cause.WORD, Cause.LOUDER, Cause.HIGHER}
    glad = Moods("c3", shipped)
    glad.hear(said("this is wonderful"), voice(louder=4.0), now=1.0)
    assert glad.sides["customer"].score > 0.4


def test_talking_over_the_other_counts(moods: Moods):
    moods.hear(said("wait a moment"), over=0.8, now=1.0)
    assert [each.cause for each in moods.sides["customer"].reasons] == [Cause.OVER]
    assert moods.sides["customer"].score < 0


def test_an_urgent_word_is_told_as_soon_as_it_is_said_and_once(moods: Moods):
    assert moods.hear(said("please call an"), now=1.0) == []
    (alarm,) = moods.hear(said("please call an ambulance"), now=1.3)
    assert alarm == Alarm("c1", "customer", 1, "ambulance", 1.3)
    assert moods.hear(said("please call an ambulance right now"), now=1.6) == []
    assert [each.term for each in moods.hear(said("my lawyers say", 2, 4.0), now=5.0)] == ["lawyers"]


def test_a_language_without_a_lexicon_has_moods_by_voice_alone():
    moods = Moods("c1", shipped)
    line = said("io")._replace(language="eo")
    moods.hear(line, voice(louder=4.0, higher=4.0), now=1.0)
    assert moods.sides["customer"].score < 0


def test_urgent_terms_of_unspaced_scripts_and_of_arabic_are_found():
    assert [each.term for each in Urgent("zh-CN", ["报警"]).find("我要报警了")] == ["报警"]
    assert [each.term for each in Urgent("ar-SA", ["محامي"]).find("سأتصل بالمحامي")] != []


def test_a_transcript_keeps_the_newest_words_of_each_utterance_in_order():
    kept = Transcript()
    kept.put(said("hello", 1, 2.0, "agent"))
    kept.put(said("hi", 1, 1.0))
    kept.put(said("hello there", 1, 2.0, "agent"))
    assert [(each.side, each.text) for each in kept.lines] == [("customer", "hi"), ("agent", "hello there")]


def test_a_transcript_is_bounded():
    kept = Transcript()
    for number in range(MOST + 5):
        kept.put(said("x" * 9999, number, float(number)))
    assert (len(kept), kept.missed) == (MOST, 5)
    assert len(kept.lines[0].text) == 2000
