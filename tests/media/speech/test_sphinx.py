"""The recogniser that comes with the program: phrases in any language well, open English more or less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from media.speech.io.pronouncing import Pronouncing
from media.speech.io.sphinx import FRAMES, SphinxRecogniser, files
from media.speech.recogniser import RecogniserFault, Said
from media.speech.word import written
from tests.media.speech.spoken import spoken

RATE = 16000
SERVICE = {
    "en": ("yes please", "no thank you", "cancel my order", "speak to an agent"),
    "es": ("sí por favor", "no gracias", "cancelar mi pedido", "hablar con un agente"),
    "de": ("ja bitte", "nein danke", "meine Bestellung stornieren", "mit jemandem sprechen"),
    "ru": ("да спасибо", "нет спасибо", "отменить заказ", "соединить с оператором"),
}
VOICES = {"en": "en-us"}


@pytest.fixture(scope="module")
def sphinx() -> Iterator[SphinxRecogniser]:
    made = SphinxRecogniser(files(), decoders=2)
    yield made
    made.close()


def said(one: SphinxRecogniser, name: str, *, final: bool = True) -> Said:
    """Asked until it is done."""
    for _ in range(200):
        answer = one.guesses([name], {name} if final else set(), 0.0)
        if name in answer:
            return answer[name]
    raise AssertionError("it never came to an end")


def heard(
    one: SphinxRecogniser,
    pcm: bytes,
    languages: Sequence[str],
    phrases: Sequence[str] = (),
    rate: int = RATE,
) -> Said:
    one.start("u", rate, languages, (), phrases)
    one.feed("u", pcm)
    answer = said(one, "u")
    one.stop("u")
    return answer


def test_what_can_be_said_is_heard_in_any_language_over_a_telephone(sphinx: SphinxRecogniser):
    missed = []
    for language, phrases in SERVICE.items():
        for phrase in phrases:
            pcm = spoken(phrase, VOICES.get(language, language), 8000)
            answer = heard(sphinx, pcm, [language], phrases, 8000)
            assert (answer.language, answer.low) == (language, language != "en")
            missed += [phrase] if written(answer.guess.words) != phrase else []
    assert len(missed) <= 1, f"of 16: {missed}"


def test_several_phrases_may_be_said_one_after_the_other(sphinx: SphinxRecogniser):
    pcm = spoken("cancel my order, speak to an agent", "en-us", RATE)
    answer = heard(sphinx, pcm, ["en-GB"], SERVICE["en"])
    assert written(answer.guess.words) == "cancel my order speak to an agent"


def test_words_come_while_they_are_said_each_with_its_time(sphinx: SphinxRecogniser):
    pcm = spoken("cancel my order", "en-us", RATE)
    sphinx.start("u", RATE, ["en"], (), SERVICE["en"])
    shown = []
    for at in range(0, len(pcm), RATE // 2):
        sphinx.feed("u", pcm[at : at + RATE // 2])
        shown.append(written(said(sphinx, "u", final=False).guess.words))
    last = said(sphinx, "u").guess.words
    sphinx.stop("u")
    assert shown[0] == "" and "cancel" in shown[-2]
    times = [(word.begin, word.end) for word in last]
    assert times == sorted(times) and times[-1][1] <= len(pcm) / 2 / RATE + 1 / FRAMES
    assert [word.text for word in last] == [" cancel", " my", " order"]


def test_open_speech_is_english_with_low_accuracy(sphinx: SphinxRecogniser):
    answer = heard(sphinx, spoken("good morning", "en-us", RATE), ["en-GB"])
    assert answer.low and answer.language == "en" and answer.guess.words
    with pytest.raises(RecogniserFault) as fault:
        sphinx.start("u", RATE, ["es"])
    assert fault.value.ever and "Whisper" in str(fault.value)


def test_a_word_that_cannot_be_read_is_refused_with_what_to_do(sphinx: SphinxRecogniser):
    with pytest.raises(RecogniserFault, match="pinyin"):
        sphinx.start("u", RATE, ["zh-CN"], (), ["你好"])
    with pytest.raises(RecogniserFault, match="without a word"):
        sphinx.start("u", RATE, ["en"], (), ["...", "-"])


def test_when_all_decoders_are_taken_partial_guesses_wait_and_last_words_do_not(sphinx: SphinxRecogniser):
    pcm = spoken("good morning", "en-us", RATE)
    for name in ("a", "b"):
        sphinx.start(name, RATE, ["en"])
        sphinx.feed(name, pcm)
    assert said(sphinx, "a", final=False).guess.words
    assert not said(sphinx, "b", final=False).guess.words
    assert said(sphinx, "b").guess.words
    for name in ("a", "b", "b"):
        sphinx.stop(name)


@pytest.mark.parametrize("pcm", [b"", b"\0\0", bytes(2 * RATE), b"\xff\x7f" * RATE])
def test_silence_and_noise_are_no_fault(sphinx: SphinxRecogniser, pcm: bytes):
    assert heard(sphinx, pcm, ["en"]).guess.final
    assert heard(sphinx, pcm, ["en"], SERVICE["en"]).guess.final


def test_a_folder_without_a_model_is_named(tmp_path: Path):
    with pytest.raises(RecogniserFault, match="no Sphinx model in"):
        files(str(tmp_path))
    (tmp_path / "mdef").write_bytes(b"")
    with pytest.raises(RecogniserFault, match="no Sphinx model in"):
        files(str(tmp_path))
    (tmp_path / "mdef").write_bytes(b"BMDF")
    with pytest.raises(RecogniserFault, match=r"feat\.params"):
        files(str(tmp_path))


def test_english_is_read_from_the_dictionary_and_names_by_espeak():
    one = Pronouncing(files().dictionary)
    found = one.of(["read", "isogloss"], "en-US")
    assert set(found["read"]) == {"R EH D", "R IY D"} and found["isogloss"][0].endswith("S")
