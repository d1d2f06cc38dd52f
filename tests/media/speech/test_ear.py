"""The ear: who speaks is heard, by whoever is there, and what stood stands whatever becomes of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from media.speech import recognition
from media.speech.jobs import AnyJob, AnyResult, Failed, Forget, Hear, Heard, Offer, Speak, Translate
from media.speech.messages import (
    Attend,
    Clip,
    Crafts,
    Ignore,
    Into,
    Rendered,
    Said,
    Speaks,
    Strained,
    Talking,
    Unable,
)
from media.speech.shedding import Level, Shedding, Terms
from media.speech.utterance import Stage
from media.speech.word import Guess
from media.tap import HEARD, Frame, Part
from tests.media.speech.scene import HEARING, SPEAKING, TRANSLATING, Scene, Script, shout

WORDS = ["mi", "pedido", "no", "ha", "llegado"]
ENGLISH = Into(2, "en")
ALOUD = Into(2, "en", voice="over")


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.hand(1, Script(WORDS), HEARING)
    scene.hand(2, shout, TRANSLATING, SPEAKING)
    return scene


def utter(scene: Scene, seconds: float = 2.1, pause: float = 1.0) -> None:
    scene.speak(seconds)
    scene.listen(pause)


def test_a_sentence_is_shown_as_it_is_said_and_ends_with_all_of_it(scene: Scene) -> None:
    scene.attend()
    utter(scene)
    said = scene.told(Said)
    assert said[-1].over and said[-1].stands == "mi pedido no ha llegado" and said[-1].low
    assert sum(not each.over for each in said) >= 4
    assert [each.serial for each in said] == sorted(each.serial for each in said)
    assert said[-1].by == "script" and said[-1].language == "es"


def test_where_no_guesses_are_wanted_a_sentence_comes_when_it_is_over() -> None:
    scene = Scene(terms=recognition.Terms(partial_s=0.0))
    scene.hand(1, Script(WORDS), Offer("hear", "script", ("es",)))
    scene.attend()
    utter(scene)
    (said,) = scene.told(Said)
    assert said.over and said.stands == "mi pedido no ha llegado"
    assert [job.final for job in scene.jobs(Hear)] == [True]


def test_what_stood_is_never_taken_back(scene: Scene) -> None:
    scene.attend()
    utter(scene)
    said = scene.told(Said)
    assert all(later.stands.startswith(each.stands) for each, later in pairwise(said))


def test_nobody_is_asked_about_silence_or_a_leg_that_is_not_attended(scene: Scene) -> None:
    scene.attend()
    scene.listen(3.0, 10)
    scene.speak(1.0, legs=(9,))
    assert not scene.asked and not scene.told(Talking)


def test_who_speaks_is_told_with_the_time_it_was(scene: Scene) -> None:
    scene.attend()
    scene.listen(1.0)
    began = scene.now
    utter(scene, 1.0)
    talking = scene.told(Talking)
    assert [each.speaks for each in talking] == [True, False]
    assert talking[0].at == pytest.approx(began - 0.2, abs=0.03)  # its lead belongs to it
    assert talking[1].at == pytest.approx(began + 1.0, abs=0.03)


def test_sound_goes_to_the_recogniser_once_and_from_the_very_beginning(scene: Scene) -> None:
    scene.attend()
    scene.listen(1.0)
    utter(scene, 1.5)
    hears = scene.jobs(Hear)
    ends = [job.at + len(job.pcm) // 2 for job in hears]
    assert hears[0].at == 0 and [job.at for job in hears[1:]] == ends[:-1]
    assert hears[-1].final and ends[-1] / 8000 == pytest.approx(0.2 + 1.5 + 0.5, abs=0.05)
    assert scene.jobs(Forget)


def test_each_clause_is_translated_and_spoken_and_says_how_long_that_took(scene: Scene) -> None:
    scene.attend(1, ("es",), ALOUD)
    utter(scene)
    rendered = scene.told(Rendered)
    assert rendered[-1].stands == "MI PEDIDO NO HA LLEGADO" and rendered[-1].over and rendered[-1].gist
    (clip,) = scene.told(Clip)
    assert (clip.leg, clip.listener, clip.text) == (1, 2, "MI PEDIDO NO HA LLEGADO")
    assert clip.seconds == pytest.approx(len(scene.files[0]) / 2 / 16000) and clip.language == "en"
    assert clip.lags[Stage.VOICED] >= clip.lags[Stage.TRANSLATED] >= clip.lags[Stage.WRITTEN] > 0


def test_a_voice_that_cannot_be_written_down_is_told_and_the_captions_stay(scene: Scene) -> None:
    scene.full = True
    scene.attend(1, ("es",), ALOUD)
    utter(scene)
    assert scene.told(Rendered)[-1].over and not scene.told(Clip)
    assert [(each.what, "disk" in each.why) for each in scene.told(Unable)] == [("speak", True)]


def test_what_is_still_a_guess_is_translated_as_one_meanwhile(scene: Scene) -> None:
    scene.attend(1, ("es",), ENGLISH)
    scene.speak(1.5)
    rendered = scene.told(Rendered)
    assert rendered and all(not each.over and not each.stands for each in rendered)
    assert "MI PEDIDO".startswith(rendered[0].guess.split(" NO")[0])


def test_who_reads_the_speakers_language_needs_no_translation(scene: Scene) -> None:
    scene.attend(1, ("es-MX",), Into(2, "es-ES", voice="over"))
    utter(scene)
    assert scene.told(Said)[-1].over
    assert not scene.jobs(Translate) and not scene.jobs(Speak) and not scene.told(Rendered)


def test_where_nobody_translates_the_original_stays_and_says_so(scene: Scene) -> None:
    scene.attend(1, ("es",), Into(2, "ja", voice="over"))
    utter(scene)
    assert scene.told(Rendered)[-1].marks == ("no_pair",) and not scene.told(Rendered)[-1].stands
    assert "into ja" in scene.told(Unable)[0].why and not scene.told(Clip)


def test_a_recogniser_that_dies_in_the_middle_loses_no_word(scene: Scene) -> None:
    scene.attend()
    scene.speak(1.2)
    before = scene.told(Said)[-1].stands
    assert before
    scene.kill(1)
    scene.hand(3, Script(WORDS), HEARING)
    scene.speak(0.9)
    scene.listen(1.0)
    assert next(job for number, job in scene.asked if number == 3 and isinstance(job, Hear)).at == 0
    said = scene.told(Said)
    assert said[-1].stands == "mi pedido no ha llegado" and said[-1].over
    assert all(later.stands.startswith(each.stands) for each, later in pairwise(said))


def test_two_seconds_without_any_recogniser_cost_nothing_but_time(scene: Scene) -> None:
    scene.attend()
    scene.speak(1.6)
    scene.kill(1)
    scene.speak(0.5)
    scene.listen(1.5)
    scene.hand(3, Script(WORDS), HEARING)
    scene.listen(0.1)
    assert scene.told(Said)[-1].stands == "mi pedido no ha llegado"


def test_a_sentence_that_nobody_hears_ends_with_what_stood_within_its_bound(scene: Scene) -> None:
    scene.attend()
    scene.speak(1.6)
    scene.kill(1)
    scene.listen(6.0)
    said = scene.told(Said)[-1]
    assert said.over and said.stands.startswith("mi")
    assert any(each.what == "hear" for each in scene.told(Unable))


def test_a_translator_that_dies_is_followed_by_another(scene: Scene) -> None:
    scene.hands[2] = lambda job: []
    scene.attend(1, ("es",), ALOUD)
    utter(scene, pause=0.7)
    assert scene.jobs(Translate) and not scene.told(Clip)
    scene.kill(2)
    scene.hand(4, shout, TRANSLATING, SPEAKING)
    scene.listen(0.2)
    assert scene.told(Clip)[-1].text == "MI PEDIDO NO HA LLEGADO"
    assert scene.told(Rendered)[-1].over


def test_one_that_says_nothing_is_not_waited_for_for_ever(scene: Scene) -> None:
    scene.hands[2] = lambda job: []
    scene.attend(1, ("es",), ALOUD)
    utter(scene, pause=9.0)
    last = scene.told(Rendered)[-1]
    assert last.over and last.marks == ("failed",)
    assert not scene.ear.dispatch.workers[2].owes


def test_a_recogniser_that_was_not_given_the_beginning_is_given_it(scene: Scene) -> None:
    script = Script(WORDS)
    lapses = iter([True])

    def forgetful(job: AnyJob) -> list[AnyResult]:
        if isinstance(job, Hear) and job.at and next(lapses, False):
            script.heard.clear()
        return script(job)

    scene.hands[1] = forgetful
    scene.attend()
    utter(scene)
    assert [job.at for job in scene.jobs(Hear)].count(0) == 2
    assert scene.told(Said)[-1].stands == "mi pedido no ha llegado"


def test_lost_packets_are_bridged_and_told(scene: Scene) -> None:
    scene.attend()
    scene.speak(1.0)
    scene.listen(0.2, 0, made=True)
    scene.speak(1.0)
    scene.listen(1.0)
    assert {each.utterance for each in scene.told(Said)} == {1}
    assert scene.told(Said)[-1].lost_s == pytest.approx(0.2)


def test_ticks_that_were_left_out_on_the_way_are_bridged_and_many_break_it_off(scene: Scene) -> None:
    scene.attend()
    scene.speak(1.0)
    scene.tick += 10
    scene.now += 0.2
    scene.speak(0.9)
    assert {each.utterance for each in scene.told(Said)} == {1}
    scene.tick += 200
    scene.now += 4.0
    scene.speak(0.9)
    scene.listen(1.0)
    assert {each.utterance for each in scene.told(Said)} == {1, 2}


def test_a_worker_whose_count_of_ticks_begins_anew_is_heard_on(scene: Scene) -> None:
    scene.attend()
    scene.listen(1.0)
    scene.ear.lost(7, scene.now)
    scene.tick = 0
    utter(scene)
    assert scene.told(Said)[-1].over


def test_a_leg_that_changes_its_rate_in_a_sentence_ends_that_and_begins_another(scene: Scene) -> None:
    scene.attend()
    scene.speak(1.0)
    wide = np.full((1, 320), 5000, np.int16)
    for _ in range(40):
        scene.tick, scene.now = scene.tick + 1, scene.now + 0.02
        part = Part(HEARD, 16000, np.array([1]), np.zeros(1, np.float32), wide)
        scene.ear.hear(7, Frame(scene.tick, [part]), scene.now)
        scene.ear.tick(scene.now)
        scene.work()
    rates = {job.stream: job.rate for job in scene.jobs(Hear)}
    assert list(rates.values()) == [8000, 16000]


def test_the_last_words_of_a_leg_that_is_gone_are_still_recognised(scene: Scene) -> None:
    scene.attend()
    scene.speak(2.1)
    scene.ear.ignore(Ignore(1), scene.now)
    scene.work()
    assert scene.told(Said)[-1].over and scene.told(Said)[-1].stands.endswith("llegado")
    scene.speak(1.0)
    assert len(scene.told(Talking)) == 2


def hearing(scene: Scene, language: str, sure: float) -> None:
    """From now on all is taken for that."""
    script = Script(WORDS)

    def detects(job: AnyJob) -> list[AnyResult]:
        found = script(job)
        return [
            Heard(each.key, "script", guess=each.guess, language=language, sure=sure)
            for each in found
            if isinstance(each, Heard)
        ]

    scene.hands[1] = detects


def test_a_leg_that_turns_out_to_speak_another_language_is_told_and_may_change_again(scene: Scene) -> None:
    scene.attend(1, ("es", "en", "pt"))
    hearing(scene, "en", 0.6)
    utter(scene, 0.7)
    assert scene.told(Said)[-1].language == "en" and not scene.told(Speaks), "one that is not sure"
    utter(scene, 0.7)
    assert scene.told(Speaks) == [Speaks(1, "en")]
    utter(scene, 0.7)
    assert scene.jobs(Hear)[0].languages == ("es", "en", "pt")
    assert scene.jobs(Hear)[-1].languages == ("en", "es", "pt")
    hearing(scene, "pt", 0.95)
    utter(scene, 2.0)
    assert scene.told(Speaks)[1:] == [Speaks(1, "pt")]


def test_what_only_one_language_was_named_for_is_of_that(scene: Scene) -> None:
    scene.attend(1, ("es",))
    hearing(scene, "en", 0.9)
    utter(scene, 2.0)
    assert not scene.told(Speaks) and scene.jobs(Hear)[-1].languages == ("es",)


def test_where_none_was_named_every_sentence_is_looked_at(scene: Scene) -> None:
    scene.attend(1, ())
    hearing(scene, "es", 0.9)
    utter(scene, 0.7)
    utter(scene, 0.7)
    assert scene.told(Speaks) == [Speaks(1, "es")]
    assert {job.languages for job in scene.jobs(Hear)} == {()}


def test_a_guess_too_good_for_the_time_it_was_said_in_is_not_shown(scene: Scene) -> None:
    scene.hands[1] = Script(["thanks for watching and do not forget to subscribe to this channel"] * 9, 0.05)
    scene.attend()
    utter(scene, 0.6)
    assert all(not each.stands for each in scene.told(Said))


def test_what_speech_costs_beyond_its_share_is_shed_in_order_and_comes_back() -> None:
    scene = Scene(shedding=Shedding(Terms(cores=1.0)))
    scene.hand(1, Script(WORDS, cost_s=0.4), Offer("hear", "slow", ("es",)))
    scene.hand(2, shout, TRANSLATING, SPEAKING)
    legs = tuple(range(1, 9))
    for leg in legs:
        scene.ear.attend(Attend(leg, ("es",), (Into(leg + 100, "en", voice="over"),)))
    for _ in range(4):
        scene.speak(2.1, legs)
        scene.listen(0.9, 0, legs)
    levels = [each.level for each in scene.told(Strained)]
    assert levels[:3] == [Level.PARTIALS, Level.VOICES, Level.CAPTIONS]
    assert "captions" in scene.told(Strained)[2].text
    asked = len(scene.jobs(Hear))
    scene.listen(40.0, 0, legs)
    assert scene.told(Strained)[-1].level is Level.NOTHING
    assert asked < 8 * 4 * 7  # what four sentences of eight legs would have been asked


def test_workers_are_told_of_whenever_they_change(scene: Scene) -> None:
    scene.work()
    scene.kill(1)
    assert [len(each.offers) for each in scene.told(Crafts)] == [1, 3, 2]


def test_a_job_that_fails_for_good_is_told_once(scene: Scene) -> None:
    scene.hands[1] = lambda job: (
        [Failed(job.key, why="the model is broken; name another")] if isinstance(job, Hear) else []
    )
    scene.attend()
    utter(scene)
    utter(scene, pause=6.0)
    assert [(each.what, each.why) for each in scene.told(Unable)] == [
        ("hear", "the model is broken; name another")
    ]
    assert scene.told(Said) == [] or not scene.told(Said)[-1].stands


def test_an_answer_to_nothing_that_was_asked_moves_nothing(scene: Scene) -> None:
    scene.attend()
    scene.speak(0.5)
    scene.ear.answered(Heard("nobody", "x", guess=Guess(0, ())), scene.now)
    scene.ear.answered(Failed("nobody"), scene.now)
    scene.listen(1.0)
    assert scene.told(Said) == [] or scene.told(Said)[-1].over


def test_a_pool_elsewhere_is_given_an_utterance_from_its_beginning_each_time() -> None:
    scene = Scene()
    scene.hand(-1, Script(WORDS), HEARING)
    scene.attend()
    utter(scene)
    asked = [job for number, job in scene.asked if number == -1 and isinstance(job, Hear)]
    assert len(asked) > 3 and {job.at for job in asked} == {0}
    assert scene.told(Said)[-1].stands == "mi pedido no ha llegado"


def test_of_equals_the_one_beside_the_ear_is_asked_and_the_pool_when_it_dies() -> None:
    scene = Scene()
    scene.hand(-1, Script(WORDS), HEARING)
    scene.hand(1, Script(WORDS), HEARING)
    scene.attend()
    scene.speak(1.0)
    assert {number for number, _ in scene.asked} == {1}
    scene.kill(1)
    utter(scene, 1.1)
    assert scene.asked[-1][0] == -1 and scene.told(Said)[-1].stands == "mi pedido no ha llegado"


def test_what_phrases_take_is_made_ready_before_they_are_said_once_for_all_legs(scene: Scene) -> None:
    phrases = ("mi pedido no ha llegado",)
    for leg in (1, 3):
        scene.ear.attend(Attend(leg, ("es",), (), phrases=phrases))
    scene.listen(0.1, 0, legs=(1, 3))
    (ready,) = scene.jobs(Hear)
    assert ready.phrases == phrases and not ready.pcm and not scene.told(Said)
    assert [job.stream for job in scene.jobs(Forget)] == [ready.stream]
    scene.kill(1)
    scene.hand(3, Script(WORDS), HEARING)
    scene.listen(0.1, 0, legs=(1, 3))
    assert [number for number, job in scene.asked if isinstance(job, Hear)] == [1, 3]


def test_a_leg_that_is_heard_anew_while_its_last_words_are_out_mixes_nothing_up(scene: Scene) -> None:
    answers, scene.hands[1] = scene.hands[1], lambda job: []
    scene.attend()
    scene.speak(1.2)
    scene.ear.ignore(Ignore(1), scene.now)
    scene.attend()
    scene.speak(1.2)
    scene.kill(2)
    scene.ear.gone(1, scene.now)
    scene.hand(3, answers, HEARING)
    scene.listen(1.0)
    last = {each.utterance: each for each in scene.told(Said)}
    assert len(last) == 2 and all(each.over for each in last.values())
    assert len({job.stream for job in scene.jobs(Hear)}) == 2
    scene.listen(6.0)
    assert scene.ear.dispatch.workers.keys() == {3}


def test_a_voice_that_dies_in_the_middle_is_not_heard_twice(scene: Scene) -> None:
    def half(job: AnyJob) -> list[AnyResult]:
        return shout(job)[:1]

    scene.hands[2] = half
    scene.attend(1, ("es",), ALOUD)
    utter(scene, pause=0.7)
    (first,) = scene.jobs(Speak)
    scene.kill(2)
    scene.hand(4, shout, TRANSLATING, SPEAKING)
    scene.listen(0.2)
    for late in shout(first):  # from one that was only out of reach
        scene.ear.answered(late, scene.now)
    scene.work()
    (pcm,) = scene.files
    assert len(pcm) == 2 * 2 * 40 * len(first.text)


def test_half_a_voice_is_not_heard(scene: Scene) -> None:
    def breaks(job: AnyJob) -> list[AnyResult]:
        if isinstance(job, Translate):
            return shout(job)
        return [*shout(job)[:1], Failed(job.key, "voice", why="it ended", ever=False)]

    scene.hands[2] = breaks
    scene.attend(1, ("es",), ALOUD)
    utter(scene)
    assert not scene.told(Clip) and [each.what for each in scene.told(Unable)] == ["speak"]


def test_last_words_that_could_not_be_had_are_asked_for_again(scene: Scene) -> None:
    script, failed = Script(WORDS), []

    def fails_once(job: AnyJob) -> list[AnyResult]:
        if isinstance(job, Hear) and job.final and not failed:
            failed.append(job)
            script.heard.clear()
            return [Failed(job.key, "script", why="the server is too far behind", ever=False)]
        return script(job)

    scene.hands[1] = fails_once
    scene.attend()
    utter(scene, pause=1.5)
    assert failed and not scene.told(Unable)
    last = scene.told(Said)[-1]
    assert last.over and last.stands == "mi pedido no ha llegado" and not last.guess
    assert [job.final for job in scene.jobs(Hear)].count(True) <= 3


def test_one_that_always_fails_is_not_asked_for_ever(scene: Scene) -> None:
    scene.hands[1] = lambda job: (
        [Failed(job.key, "script", why="it broke", ever=False)] if isinstance(job, Hear) else []
    )
    scene.attend()
    utter(scene, pause=6.0)
    assert len(scene.jobs(Hear)) <= recognition.TRIES + 1
    assert [each.why for each in scene.told(Unable)] == ["it broke"]


def test_a_voice_that_is_wished_in_the_middle_of_a_sentence_speaks_the_next_clause(scene: Scene) -> None:
    words = [*WORDS[:-1], "llegado.", "Quiero", "mi", "dinero", "ahora."]
    scene.hands[1] = Script(words)
    scene.attend(1, ("es",), ENGLISH)
    scene.speak(3.2)
    before = scene.jobs(Translate)
    assert before and not scene.jobs(Speak)
    scene.attend(1, ("es",), ALOUD)
    scene.speak(0.8)
    scene.listen(1.0)
    assert scene.told(Clip) and "DINERO" in scene.told(Clip)[-1].text
