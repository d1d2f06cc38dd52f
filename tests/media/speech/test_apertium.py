"""Apertium as it is installed: pipelines that stay, text as it is, and death."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from media.speech.io.apertium import MODES, Apertium, Pipeline, modes, stages
from media.speech.translator import Brief, Pair, TranslatorFault, Version

EN_ES, ES_EN = Pair("en", "es"), Pair("es", "en")


@pytest.fixture(scope="module")
def apertium() -> Iterator[Apertium]:
    found = Apertium()
    yield found
    found.close()


def translated(apertium: Apertium, texts: list[str], pair: Pair = ES_EN) -> list[str]:
    told = apertium.translate(texts, [Brief(*pair)] * len(texts))
    assert all(isinstance(each, Version) for each in told), told
    return [each.text for each in told if isinstance(each, Version)]


def test_only_modes_that_are_really_there_are_offered(apertium: Apertium, tmp_path: Path):
    assert {EN_ES, ES_EN} <= apertium.reach.pairs
    (tmp_path / "eng-spa.mode").write_text("lt-proc '/nowhere/eng-spa.bin' | cat\n")
    (tmp_path / "eng-fra.mode").write_text("no-such-program | cat\n")
    (tmp_path / "eng-cat.mode").write_text("'unclosed\n")
    (tmp_path / "eng-cat-debug.mode").write_text("cat\n")
    assert modes([tmp_path]) == {}


def test_every_stage_is_asked_to_let_go_at_a_nul():
    assert stages("lt-proc 'a b.bin' | tagger -g $2 'x' | lt-proc $1 'y'") == [
        ["lt-proc", "-z", "a b.bin"],
        ["tagger", "-z", "-g", "x"],
        ["lt-proc", "-z", "-g", "y"],
    ]


def test_texts_are_translated_in_their_order(apertium: Apertium):
    texts = ["Quiero hablar con una persona.", "hola", "¿Dónde está mi paquete?"]
    told = translated(apertium, texts)
    assert told[0] == "I want to speak with a person." and told[1] == "hello"
    assert told[2].endswith("my package?")


def test_signs_of_its_own_stream_come_through_as_text(apertium: Apertium):
    [told] = translated(apertium, ["100 % ^a$ {b} [c] @d 5 * 6 <f> \\g"])
    for sign in ("%", "^", "$", "{b}", "[c]", "@", "*", "<", ">", "\\"):
        assert sign in told


def test_placeholders_pass_and_unknown_words_make_it_less_sure(apertium: Apertium):
    told = apertium.translate(["Quiero mi Xq0x.", "Quiero mi blurfizang."], [Brief("es", "en")] * 2)
    known, unknown = told
    assert isinstance(known, Version) and isinstance(unknown, Version)
    assert known.text == "I want my Xq0x." and known.sure == 1.0
    assert unknown.text == "I want my blurfizang." and unknown.sure == 0.75


def test_what_begins_within_a_sentence_has_no_capital(apertium: Apertium):
    told = translated(apertium, ["mi paquete", "Mi paquete", "quiero mi paquete"])
    assert told == ["my package", "My package", "I want my package"]


def test_a_spanish_question_begins_with_its_mark(apertium: Apertium):
    told = translated(apertium, ["Where is my package?", "Yes. Where is it?", "Good!"], EN_ES)
    assert told[0].startswith("¿D") and ". ¿" in told[1] and told[2] == "¡Bueno!"


def test_a_whole_batch_is_more_than_pipes_hold(apertium: Apertium):
    long = "quiero hablar con una persona sobre mi pedido " * 20
    told = translated(apertium, [long] * 60)
    assert len(set(told)) == 1 and told[0].startswith("I want to speak with a person")


@pytest.mark.parametrize("stage", [0, 5, -1])
def test_a_pipeline_that_is_killed_anywhere_is_started_again(apertium: Apertium, stage: int):
    translated(apertium, ["hola"])
    pipeline = apertium.pipeline(ES_EN)
    before = pipeline.pids
    os.kill(before[stage], signal.SIGKILL)
    assert translated(apertium, ["hola", "gracias"]) == ["hello", "thank you"]
    assert not set(before) & set(apertium.pipeline(ES_EN).pids)


def test_a_pipeline_that_does_not_answer_is_given_up_in_time(tmp_path: Path):
    mode = tmp_path / "eng-spa.mode"
    mode.write_text(f"{_program(tmp_path, 'silent', 'cat >/dev/null')}\n")
    pipeline = Pipeline(mode)
    with pytest.raises(TranslatorFault) as told:
        pipeline.translate(["hello"], timeout_s=0.1)
    assert not told.value.ever and "in time" in told.value.why and pipeline.pids == []


def test_a_pipeline_that_never_ends_is_given_up(tmp_path: Path):
    mode = tmp_path / "eng-spa.mode"
    mode.write_text(f"{_program(tmp_path, 'flood', 'exec yes')}\n")
    pipeline = Pipeline(mode)
    with pytest.raises(TranslatorFault) as told:
        pipeline.translate(["hello"])
    assert "without end" in told.value.why


def test_a_pair_that_is_not_installed_will_never_do(apertium: Apertium):
    with pytest.raises(TranslatorFault) as told:
        apertium.translate(["hola"], [Brief("es", "zh")])
    assert told.value.ever


def test_no_process_is_left_behind():
    pipeline = Pipeline(modes(MODES)[ES_EN])
    pipeline.translate(["hola"])
    pids = pipeline.pids
    pipeline.close()
    assert len(pids) > 5
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def _program(folder: Path, name: str, script: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_one_that_hangs_costs_a_batch_so_much_time_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "hang").write_text("#!/bin/sh\nexec tail -f /dev/null\n")
    (tmp_path / "hang").chmod(0o755)
    (tmp_path / "eng-cat.mode").write_text(f"{tmp_path}/hang\n")
    for name, seconds in (("TIMEOUT_S", 0.1), ("ALONE_S", 0.3)):
        monkeypatch.setattr(f"media.speech.io.apertium.{name}", seconds)
    hanging = Apertium([tmp_path])
    began = time.monotonic()
    told = hanging.translate(["one", "two", "three"] * 5, [Brief("en", "ca")] * 15)
    assert all(isinstance(each, TranslatorFault) and not each.ever for each in told)
    assert time.monotonic() - began < 1.5
    hanging.close()
