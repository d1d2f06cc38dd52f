"""What visitors from outside read about a recording: all of it in each language, in its own dates."""

from __future__ import annotations

import re
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.api import shared, shared_page
from engine.api.shared_page import FOLDER, SharedPage, table
from engine.languages import NAMES
from engine.sharing import Share
from tests.engine.transcript_samples import said

ENDS = datetime(2026, 5, 3, 14, 5, 59, tzinfo=UTC).timestamp()
SHARE = Share(
    id="0" * 16,
    digest="",
    recording="2026-01-01/r1-1.opus",
    call="r1",
    made_by="sue",
    made_at=ENDS - 3600,
    expires_at=ENDS,
)
SAID = re.compile(r"""(?:_say|refused)\("([a-z_]+)"|_say\('([a-z_]+)'""")
READ = {
    "en": (
        "Recording",
        "Recording of a call",
        "Listen to the recording",
        "What was said",
        "Customer",
        "Agent",
    ),
    "es": (
        "Grabación",
        "Grabación de una llamada",
        "Escuchar la grabación",
        "Qué se dijo",
        "Cliente",
        "Agente",
    ),
    "zh": ("录音", "通话录音", "收听录音", "说了什么", "客户", "客服"),
    "ar": ("تسجيل", "تسجيل مكالمة", "استمع إلى التسجيل", "ما قيل", "العميل", "الموظف"),
}


def shown(code: str, *sides: str) -> str:
    lines = [replace(said("hello"), side=side) for side in sides]
    return bytes(SharedPage(code).shown(SHARE, "LINK", lines).body).decode()


def test_every_language_has_the_same_keys_and_fills_in_the_same() -> None:
    english = tomllib.loads((FOLDER / "en.toml").read_text("utf-8"))
    assert {file.stem for file in FOLDER.iterdir()} == set(NAMES)
    for code in NAMES:
        found = tomllib.loads((FOLDER / f"{code}.toml").read_text("utf-8"))
        assert list(found) == list(english) == list(table(code)), code
        for key, text in found.items():
            assert text.strip() and not re.search(r"[<>&]", text), (code, key)
            assert sorted(re.findall(r"{\w*}", text)) == sorted(re.findall(r"{\w*}", english[key])), (
                code,
                key,
            )


@pytest.mark.parametrize("code", ["zh", "ar"])
def test_no_text_was_left_in_english(code: str) -> None:
    latin = {key: re.findall("[A-Za-z]+", re.sub(r"{\w+}", "", text)) for key, text in table(code).items()}
    assert {key: words for key, words in latin.items() if words} == {"ends": ["UTC"]}


def test_every_key_that_the_code_says_has_a_text() -> None:
    code = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (shared, shared_page))
    keys = {one or other for one, other in SAID.findall(code)}
    assert keys == {key for key in table("en") if "." not in key}


@pytest.mark.parametrize("code", NAMES)
def test_all_that_is_read_is_in_the_visitors_language(code: str) -> None:
    title, heading, player, head, customer, agent = READ[code]
    page = shown(code, "customer", "agent")
    assert f'<html lang="{code}" dir="{"rtl" if code == "ar" else "ltr"}">' in page
    assert f"<title>{title}</title>" in page and f"<h1>{heading}</h1>" in page and f"<h2>{head}</h2>" in page
    assert f'src="/shared/LINK/sound" aria-label="{player}"></audio>' in page
    assert re.findall(r"<b>(.*?) <span>", page) == [customer, agent]
    outside = re.sub(r"<style>.*?</style>|<[^>]*>|hello", " ", page, flags=re.DOTALL)
    assert code in ("en", "es") or set(re.findall("[A-Za-z]+", outside)) == {"UTC"}


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("en", "This link ends on 3 May 2026, 14:05 UTC."),
        ("es", "Este enlace caduca el 3 de mayo de 2026, 14:05 UTC."),
        ("zh", "此链接的有效期至 2026年5月3日 14:05（UTC）。"),
        ("ar", "تنتهي صلاحية هذا الرابط في 3 مايو 2026، الساعة 14:05 بتوقيت UTC."),
    ],
)
def test_when_the_link_ends_is_a_date_of_the_language_and_says_whose_clock_it_is_by(
    code: str, ends: str
) -> None:
    assert f'<p class="soft">{ends}</p>' in shown(code)


@pytest.mark.parametrize("code", NAMES)
def test_each_month_has_its_name(code: str) -> None:
    page = SharedPage(code)
    told = {page.ends(datetime(2026, month, 9, tzinfo=UTC).timestamp()) for month in range(1, 13)}
    assert len(told) == 12


def test_a_side_that_there_is_no_word_for_is_called_as_it_is_and_is_no_markup() -> None:
    assert re.findall(r"<b>(.*?) <span>", shown("ar", "engine", "<i>")) == ["Engine", "&lt;I&gt;"]
