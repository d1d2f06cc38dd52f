"""Jobs of the ear, done by a recogniser: nothing is lost, doubled or waited for, whatever comes."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from media.speech.hearing import Hearing, Terms
from media.speech.jobs import AnyResult, Failed, Forget, Hear, Heard, Translate
from tests.media.speech.parrot import Parrot, sound

RATE = 16000


def hear(key: str, at: int, pcm: bytes, stream: str = "leg 1/1", **more: object) -> Hear:
    return Hear(key, 1.0, stream, at, pcm, RATE, **{"begin": 20.0, **more})


def hearing(parrot: Parrot | None = None, **terms: float) -> Hearing:
    return Hearing(parrot or Parrot(), lambda: 0.0, Terms(**terms))


def done(one: Hearing, *jobs: Hear | Forget, now: float = 0.0) -> list[AnyResult]:
    for job in jobs:
        one.take(job, now)
    found: list[AnyResult] = []
    while one.busy:
        found += one.work(now)
    return found


def text(answer: AnyResult) -> str:
    assert isinstance(answer, Heard) and answer.guess is not None
    return "".join(word.text for word in answer.guess.words)


def test_an_utterance_is_heard_as_it_comes_on_the_calls_clock():
    one = hearing()
    (first,) = done(one, hear("a", 0, sound(7)))
    (last,) = done(one, hear("b", 1600, sound(8), final=True))
    assert (text(first), text(last)) == (" 7", " 7 8")
    assert last.guess.words[1].begin == pytest.approx(20.1)
    assert (last.guess.final, last.language, last.sure, last.low) == (True, "en", 0.9, True)
    assert (first.by, first.key) == ("a parrot", "a")


def test_who_missed_the_beginning_asks_for_it_and_goes_on_where_another_ended():
    before, after = hearing(), hearing()
    (heard,) = done(before, hear("a", 0, sound(7)))
    (answer,) = done(after, hear("b", 1600, sound(8)))
    assert (answer.guess, answer.missing) == (None, 0)
    (again,) = done(after, hear("c", 0, sound(7, 8)))
    assert text(again) == " 7 8" and again.guess.serial > heard.guess.serial


def test_sound_that_was_left_out_is_asked_for_and_sound_that_comes_twice_is_heard_once():
    one = hearing()
    done(one, hear("a", 0, sound(7)))
    (gap,) = done(one, hear("b", 3200, sound(9)))
    assert gap.missing == 1600
    (whole,) = done(one, hear("c", 0, sound(7, 8), final=True))
    assert text(whole) == " 7 8"


def test_a_last_word_is_said_after_the_guess_that_heard_as_much():
    one = hearing()
    (first,) = done(one, hear("a", 0, sound(7)))
    (last,) = done(one, hear("b", 1600, b"", final=True))
    assert last.guess.serial > first.guess.serial


def test_utterances_are_heard_together_and_last_words_first():
    parrot = Parrot(batch=3)
    one = hearing(parrot)
    jobs = [hear(f"{at}", 0, sound(at + 1), f"s{at}", final=at == 3) for at in range(4)]
    assert {answer.key for answer in done(one, *jobs)} == {"0", "1", "2", "3"}
    assert parrot.asked[0][0] == "s3" and [len(each) for each in parrot.asked] == [3, 1]


def test_one_that_needs_several_turns_holds_nobody_up():
    one = hearing(Parrot(piece=1600, batch=1))
    answers = done(one, hear("long", 0, sound(*range(1, 9)), "s1"), hear("short", 0, sound(5), "s2"))
    assert [answer.key for answer in answers] == ["short", "long"] or answers[0].key == "short"
    assert text(answers[-1]) == " 1 2 3 4 5 6 7 8"


def test_a_question_that_a_newer_one_overtakes_is_answered_with_nothing():
    one = hearing()
    old, new = done(one, hear("a", 0, sound(7)), hear("b", 1600, sound(8)))
    assert (old.key, old.guess) == ("a", None) and (new.key, text(new)) == ("b", " 7 8")


def test_partial_guesses_that_come_too_late_are_left_out_and_their_sound_is_kept():
    one = hearing()
    one.take(hear("a", 0, sound(7)), 0.0)
    assert one.work(2.0) == [Heard("a", "a parrot")]
    (last,) = done(one, hear("b", 1600, sound(8), final=True), now=2.0)
    assert text(last) == " 7 8"


def test_a_model_that_breaks_fails_the_one_utterance_and_nobody_elses():
    one = hearing()
    answers = done(one, hear("bad", 0, sound(-1), "s1"), hear("good", 0, sound(5), "s2", final=True))
    failed = {answer.key: answer for answer in answers}
    assert isinstance(failed["bad"], Failed) and not failed["bad"].ever
    assert "the model is broken" in failed["bad"].why
    assert text(failed["good"]) == " 5"


@pytest.mark.parametrize(
    ("job", "why"),
    [
        (hear("a", 0, b"\0"), "samples"),
        (Hear("a", 1.0, "s", 0, b"", 96000, 0.0), "96000 Hz"),
        (hear("a", 0, b"", languages=("fr",)), "no fr"),
        (hear("a", 0, bytes(2 * RATE * 61)), "longer than 60 s"),
        (hear("a", 0, b"", phrases=("x" * 500,)), "characters"),
        (hear("a", -2, b""), "samples"),
        (Translate("a", 1.0, "hello", "en", "es"), "nothing else"),
    ],
)
def test_what_cannot_be_heard_is_refused_with_the_reason(job: Hear, why: str):
    (answer,) = done(hearing(), job)
    assert isinstance(answer, Failed) and why in answer.why and answer.ever


def test_what_is_too_much_may_be_asked_of_another_worker():
    one = hearing(streams=2)
    answers = done(one, *(hear(f"{at}", 0, sound(1), f"s{at}") for at in range(3)))
    (refused,) = (answer for answer in answers if isinstance(answer, Failed))
    assert refused.key == "2" and not refused.ever


def test_utterances_that_nobody_asks_for_are_forgotten():
    parrot = Parrot()
    one = hearing(parrot, streams=2, idle_s=30.0)
    done(one, hear("a", 0, sound(1), "s1"), hear("b", 0, sound(1), "s2"))
    (answer,) = done(one, hear("c", 0, sound(1), "s3"), now=31.0)
    assert text(answer) == " 1" and set(parrot.kept) == {"s3"}
    done(one, Forget("d", 1.0, "s3"), now=31.0)
    assert not parrot.kept
    one.close()
    assert parrot.closed_down


@pytest.mark.parametrize("seed", range(20))
def test_an_ear_that_sends_what_is_missing_hears_everything_of_a_worker_that_forgets(seed: int):
    rng, one = Random(seed), hearing(Parrot(piece=4000), streams=4)
    said = [rng.randint(1, 99) for _ in range(12)]
    pcm, at, last = sound(*said), 0, None
    for turn in range(200):
        if rng.random() < 0.1:
            done(one, Forget("f", 1.0, "s"))
        upto = min(len(pcm) // 2, at + rng.randint(0, 4000))
        answers = done(one, hear(f"{turn}", at, pcm[2 * at : 2 * upto], "s", final=upto == len(pcm) // 2))
        last = _only(answers)
        at = upto if last.missing is None else last.missing
        if last.guess is not None and last.guess.final:
            break
    want = [number for place, number in enumerate(said) if not place or said[place - 1] != number]
    assert text(last) == "".join(f" {number}" for number in want)


def _only(answers: Sequence[AnyResult]) -> Heard:
    (answer,) = answers
    assert isinstance(answer, Heard)
    return answer


def test_names_that_may_be_said_are_put_right_where_they_were_heard_as_something_else():
    said = {1: "aurorra", 2: "plus", 3: "please"}
    for hints, heard in (((), " aurorra plus please"), (("order", "Aurora Plus"), " Aurora Plus please")):
        one = hearing(Parrot(spoken=said))
        [told] = done(one, hear("1", 0, sound(1, 2, 3), hints=hints, languages=("en",), final=True))
        assert text(told) == heard
