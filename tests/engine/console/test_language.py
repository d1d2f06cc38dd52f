"""Every language says all of it, in its own numbers and plurals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.console.language import Words, clock, plural, table
from engine.languages import NAMES

CONSOLE = Path(__file__).resolve().parents[3] / "engine" / "console"
FORMS = {
    "en": {"one", "other"},
    "es": {"one", "other"},
    "zh": {"other"},
    "ar": {"one", "two", "few", "other"},
}
SAID = re.compile(r"""(?:say|Told|known|Why)\(\s*"([a-z_]+(?:\.[a-z_ ]+)*)\"""")


def texts(code: str) -> Iterator[tuple[str, str]]:
    for key, text in table(code).items():
        yield from ((key, each) for each in ([text] if isinstance(text, str) else text.values()))


@pytest.mark.parametrize("code", [code for code in NAMES if code != "en"])
def test_every_language_has_the_same_keys_and_fills_in_the_same(code: str) -> None:
    assert list(table(code)) == list(table("en"))
    for key, text in table("en").items():
        other = table(code)[key]
        assert isinstance(text, str) == isinstance(other, str), key
        named = [
            set(re.findall(r"{(\w+)}", each if isinstance(each, str) else each["other"]))
            for each in (text, other)
        ]
        assert named[0] == named[1], key


@pytest.mark.parametrize("code", NAMES)
def test_plurals_have_every_form_that_their_language_needs(code: str) -> None:
    for key, text in table(code).items():
        if not isinstance(text, str):
            assert FORMS[code] <= set(text) <= FORMS[code] | {"zero", "two", "many"}, key


@pytest.mark.parametrize("code", NAMES)
def test_no_text_is_empty_or_holds_markup(code: str) -> None:
    assert [key for key, text in texts(code) if not text.strip() or re.search(r"<[a-z/]", text)] == []


def test_every_key_that_the_code_says_has_a_text() -> None:
    said = {key for file in CONSOLE.rglob("*.py") for key in SAID.findall(file.read_text("utf-8"))}
    known = set(table("en")) | {key.removeprefix("why.") for key in table("en")}
    assert len(said) > 150 and said - known == set()


def test_numbers_are_written_as_the_language_does() -> None:
    assert Words("en").number(1234.5, 1) == "1,234.5"
    assert Words("es").number(1234.5, 1) == "1.234,5"
    assert Words("es").share(0.081, 1) == "8,1\u00a0%"
    assert Words("zh").share(None) == "–"


def test_plurals_choose_their_form() -> None:
    assert Words("en")("waits.more", n=1) == "and one more"
    assert Words("en")("waits.more", n=3) == "and 3 more"
    assert Words("en")("tile.waiting.more", n=0) == "no queue"
    assert [plural("ar", n) for n in (0, 1, 2, 3, 11, 100)] == ["zero", "one", "two", "few", "many", "other"]


def test_names_keep_their_own_direction_within_a_text() -> None:
    assert Words("ar")("alert.node_gone", name="n1").count("\u2068n1\u2069") == 1


def test_braces_of_a_caller_are_no_places_to_fill_in() -> None:
    assert "{0.__class__}" in Words("en")("call.hangup.sure", who="{0.__class__}")


def test_a_key_without_a_text_says_itself() -> None:
    assert Words("en")("no.such") == "no.such"
    assert Words("en").known("pause.yoga", "yoga") == "yoga"


def test_durations_are_written_as_clocks_do() -> None:
    assert [clock(each) for each in (-1, 7.9, 75, 3723)] == ["0:00", "0:07", "1:15", "1:02:03"]
