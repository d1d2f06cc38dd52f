"""CTranslate2 as it is, with toy models of every layout: what they learnt, how they are told apart, and
refused.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from media.speech.io.ctranslate import CTranslate, layout
from media.speech.io.translators import translators
from media.speech.jobs import Translate, Translated
from media.speech.settings import TranslatorSettings
from media.speech.translating import Translating
from media.speech.translator import Brief, Pair, Reach, TranslatorFault, Version
from tests.media.speech.glossary import market

MODELS = Path(__file__).with_name("models")
LANGUAGES = ("en", "es", "zh")
PAIRS = (("en", "es"), ("es", "zh"), ("zh", "en"))
OPUS = MODELS / "opus-mt-es-en"
ROWS = [
    dict(zip(LANGUAGES, line.split("\t"), strict=True))
    for line in (MODELS / "translations.tsv").read_text("utf-8").splitlines()
]


def translated(model: CTranslate, source: str, target: str) -> list[Version]:
    texts = [row[source] for row in ROWS]
    return model.translate(texts, [Brief(source, target)] * len(texts))


@pytest.mark.parametrize(
    ("name", "source", "target"),
    [
        ("opus-mt-es-en", "es", "en"),
        *((name, *pair) for name in ("m2m100", "madlad400") for pair in PAIRS),
    ],
)
def test_a_model_of_each_layout_says_what_it_learnt(name: str, source: str, target: str):
    told = translated(CTranslate(MODELS / name), source, target)
    assert [each.text for each in told] == [row[target] for row in ROWS]
    assert all(0.3 < each.sure <= 1.0 for each in told)


def test_what_a_model_reaches_stands_in_its_folder():
    assert layout(OPUS).reach == Reach(frozenset({Pair("es", "en")}))
    for name in ("m2m100", "madlad400"):
        assert layout(MODELS / name).reach == Reach(among=frozenset(LANGUAGES))


def test_a_model_is_no_gist_and_is_named_with_its_layout():
    model = CTranslate(OPUS)
    assert not model.gist and model.name == "OPUS-MT opus-mt-es-en"
    with pytest.raises(TranslatorFault) as told:
        model.translate(["hello"], [Brief("en", "es")])
    assert told.value.ever


def test_text_without_end_is_bounded():
    [told] = CTranslate(OPUS).translate(["hola " * 5000], [Brief("es", "en")])
    assert len(told.text) < 20_000


def test_several_targets_are_named_by_tokens(tmp_path: Path):
    folder = tmp_path / "opus-mt-es-ROMANCE-es-fr"
    shutil.copytree(OPUS, folder)
    path = folder / "shared_vocabulary.json"
    path.write_text(json.dumps([*json.loads(path.read_text("utf-8")), ">>fra<<", ">>pt_BR<<"]), "utf-8")
    found = layout(folder)
    assert found.reach.pairs == {Pair("es", "fr"), Pair("es", "pt")}
    assert found.tokens("hola", Pair("es", "pt"))[0] == ">>pt_BR<<"


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda folder: (folder / "config.json").unlink(), "is no CTranslate2 model"),
        (lambda folder: (folder / "shared_vocabulary.json").write_text('["a"]'), "is neither OPUS-MT"),
        (
            lambda folder: (folder / "shared_vocabulary.json").write_text('["spa_Latn"]'),
            "not for commercial use",
        ),
        (lambda folder: (folder / "sentencepiece.bpe.model").write_bytes(b"?"), "SentencePiece"),
        (lambda folder: (folder / "sentencepiece.bpe.model").unlink(), "copy it beside"),
        (lambda folder: (folder / "model.bin").write_bytes(b"?"), "convert the model again"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(tmp_path: Path, spoil, why: str):
    folder = tmp_path / "m2m"
    shutil.copytree(MODELS / "m2m100", folder)
    spoil(folder)
    with pytest.raises(TranslatorFault) as told:
        CTranslate(folder)
    assert why in told.value.why and told.value.ever


def test_a_pair_that_cannot_be_known_is_asked_for(tmp_path: Path):
    shutil.copytree(OPUS, tmp_path / "marian")
    with pytest.raises(TranslatorFault) as told:
        layout(tmp_path / "marian")
    assert "opus-mt-es-en" in told.value.why


def test_the_best_that_is_there_translates_and_a_broken_model_takes_no_other_along(tmp_path: Path):
    settings = TranslatorSettings(models=(str(tmp_path), str(OPUS)))
    found, why = translators(settings)
    assert [each.name for each in found] == ["OPUS-MT opus-mt-es-en", "Apertium"]
    assert "is no CTranslate2 model" in why and "for the gist" in why
    craft = Translating(found, why=why)
    for key, text, source, target in (("1", "Muchas gracias.", "es", "en"), ("2", "thank you", "en", "es")):
        craft.take(Translate(key, 5.0, text, source, target), 0.0)
    told = {}
    while craft.busy:
        told |= {each.key: each for each in craft.work(0.0)}
    assert isinstance(told["1"], Translated) and told["1"].text == "Thank you very much."
    assert not told["1"].gist and isinstance(told["2"], Translated) and told["2"].gist
    craft.close()


def test_what_was_asked_for_is_all_there_is():
    found, why = translators(TranslatorSettings(kind="ctranslate2"))
    assert found == [] and "stay in the original" in why
    found, why = translators(TranslatorSettings(kind="apertium", models=(str(OPUS),)))
    assert [each.name for each in found] == ["Apertium"]


def test_a_term_comes_through_a_model_that_never_saw_it():
    craft = Translating([CTranslate(MODELS / "m2m100")], markets={"zh-CN": market("zh-CN")})
    craft.take(Translate("1", 5.0, "Where is my Aurora Plus?", "en", "zh-CN", "zh-CN"), 0.0)
    told = [each for _ in range(3) for each in craft.work(0.0)]
    assert isinstance(told[0], Translated) and told[0].text == "我的 Aurora Plus 在哪里？"
