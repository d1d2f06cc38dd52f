"""What a company knows: the passage that answers is found, and none where nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest

from media.speech.knowledge import BadKnowledge, Knowledge, Passage, Use, parse

FOLDER = Path(__file__).resolve().parents[3] / "config" / "knowledge"


def shipped() -> Knowledge:
    found = []
    for path in sorted(FOLDER.glob("*.md")):
        name, language, _ = path.name.split(".")
        use = Use.UPGRADE if name == "upgrades" else Use.ANSWER
        found += parse(path.read_text("utf-8"), path.name, language, use)
    return Knowledge(found)


@pytest.mark.parametrize(
    ("said", "language", "title"),
    [
        ("I ordered it last week and my parcel still has not arrived", "en-GB", "Where a parcel is"),
        ("the parcels never arrive, where is it", "en", "Where a parcel is"),
        ("you have charged me twice this month", "en-US", "When money comes back"),
        ("my wifi keeps dropping every evening", "en", "The connection is slow or breaks off"),
        ("mi pedido no ha llegado todavía", "es-MX", "Dónde está un paquete"),
    ],
)
def test_the_passage_that_answers_is_found(said: str, language: str, title: str):
    assert shipped().find(said, language)[0].passage.title == title


@pytest.mark.parametrize(
    "said", ["", "hello", "my name is Anna Miller", "yes please, thank you", "?!", "a b c"]
)
def test_nothing_answers_what_asks_nothing(said: str):
    assert shipped().find(said, "en") == []


def test_answers_are_of_the_language_that_was_asked_in():
    assert {each.passage.language for each in shipped().find("mi paquete roto", "es")} == {"es"}
    assert shipped().find("my parcel has not arrived", "de") == []


def test_what_may_be_offered_is_apart_from_what_answers():
    slow = "my internet is so slow when working from home"
    assert [each.passage.title for each in shipped().find(slow, "en", Use.UPGRADE)] == ["The faster plan"]
    assert shipped().find(slow, "en", Use.ANSWER)[0].passage.use is Use.ANSWER


def test_scripts_without_spaces_are_searched_by_pairs_of_letters():
    passages = {"包裹在哪里": "请查物流单号。", "退款": "七天到账。"}
    found = Knowledge(Passage("a.zh.md", title, text, "zh") for title, text in passages.items())
    assert [each.passage.title for each in found.find("我的包裹在哪", "zh-CN")] == ["包裹在哪里"]


def test_a_file_is_passages_with_what_they_are_asked_for_by():
    (one, two) = parse("notes\n## A\nAsked for: b, c d\n\ntext\nmore\n## E\nf", "x.en.md", "en")
    assert (one.title, one.also, one.text, two.text) == ("A", ("b", "c d"), "text more", "f")
    assert parse("", "x.en.md", "en") == []


@pytest.mark.parametrize(("text", "line"), [("## A\n\n## B\ntext", 1), ("\n## A\n" + "x" * 5000, 2)])
def test_a_fault_names_its_line(text: str, line: int):
    with pytest.raises(BadKnowledge) as told:
        parse(text, "x.en.md", "en")
    assert told.value.line == line and told.value.remedy


def test_it_is_bounded():
    assert len(Knowledge(Passage("", f"t{at}", "x", "en") for at in range(6000))) == 5000
