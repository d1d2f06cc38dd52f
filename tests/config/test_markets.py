"""Markets: those that are shipped keep their own rules, and a lint names what is wrong with others."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from config.load import SHIPPED, SHIPPED_MARKETS, load
from config.reload import plan
from media.speech.language import primary
from media.speech.market import Market, Occasion

TEN = ["ar-SA", "de-DE", "en-GB", "en-US", "es-ES", "es-MX", "fr-FR", "ja-JP", "pt-BR", "zh-CN"]


def test_ten_markets_are_shipped_each_with_something_to_say_on_every_occasion():
    markets = load(SHIPPED, {}).markets
    assert sorted(markets) == TEN
    for name, market in markets.items():
        assert market.language == name
        assert set(market.phrases) == set(Occasion) and all(market.phrases.values()), name
        assert market.urgent and market.taboos and market.required and market.variants, name


@pytest.mark.parametrize("name", TEN)
def test_every_term_that_is_shipped_has_words_in_every_market(name: str):
    market = SHIPPED_MARKETS[name]
    assert len(market.terms) >= 25
    lacking = [term.name for term in market.terms if term.within(name) is None]
    assert lacking == []
    if primary(name) in ("es", "fr", "pt", "de", "ar"):
        assert [term.name for term in market.terms if not term.within(name).gender] == []


def test_a_folder_without_markets_has_those_that_are_shipped(folder: Path):
    for path in (folder / "markets").iterdir():
        path.unlink()
    (folder / "markets").rmdir()
    assert sorted(load(folder, {}).markets) == TEN


def test_a_folder_with_markets_has_those_alone(folder: Path):
    for path in (folder / "markets").glob("*.yaml"):
        if path.stem != "es-MX":
            path.unlink()
    assert list(load(folder, {}).markets) == ["es-MX"]


def test_a_market_can_be_told_to_another_process():
    market = SHIPPED_MARKETS["fr-FR"]
    assert msgspec.json.decode(msgspec.json.encode(market), type=Market) == market


def test_calls_may_belong_to_markets_by_name_country_or_neither(folder: Path, edit):
    edit("queues.yaml", "market: cn", "market: zh-CN")
    assert load(folder, {}).queues["zhichi"].market == "zh-CN"
    edit("queues.yaml", "market: zh-CN", "market: elsewhere")
    assert load(folder, {}).queues["zhichi"].market == "elsewhere"


@pytest.mark.parametrize(
    ("old", "new", "problem", "remedy"),
    [
        ("language: es-MX", "language: Spanish", "is not a language", "write its code"),
        ("formality: formal", "formality: polite", 'cannot be "polite"', "`formal` or `informal`"),
        ("[service.csv]", "[servise.csv]", "cannot be read", "check that it is there"),
        ("[service.csv]", "[../markets/service.csv]", "is elsewhere", "into the folder of the markets"),
        ("[service.csv]", "[es-MX.yaml]", "is neither CSV nor TBX", "name it .csv or .tbx"),
        ("zumo: jugo", "zumo: coche", "'coche' is rewritten itself", "write what stays as it is"),
        ("zumo: jugo", 'zumo: ""', "has nothing in its place", "write the word"),
        ("  hold:\n", "  holding:\n", "cannot be", "`greet`"),
        ("su amable espera", "tu amable espera", "addresses people informally", "write it formally"),
        ("su amable espera", "su amable {wait}", "has a blank that means nothing", "{agent}"),
        ("su amable espera", "su móvil", "has a word of another region", "`variants`"),
        ("su amable espera", "que puede correrse", "has a word of the taboo 'vulgar here'", "in other words"),
        ("cojo: tomo,", "cojo: coja,", "'coja' is taboo as well", "write what will do"),
        ("close: [algo más]", "close: [adiós]", "no phrase of 'close' has what is required", "into a phrase"),
        (
            "taboos:\n  vulgar here:",
            "taboos:\n  vulgar here:\n    during: lent",
            "no season 'lent'",
            "ramadan",
        ),
        ("      en: A harmless", "      fr: A harmless", "is not in English", "add `en`"),
        ("  zumo: jugo", "  pedido: orden", "rewrites 'pedido' of the glossary's term 'order'", "remove one"),
        (
            "\nurgent:",
            "\nseasons: {x: [2026-02-30]}\nurgent:",
            "is no time of the year",
            "first and last day",
        ),
        (
            "\nurgent:",
            "\nseasons: {x: [2026-02-01/2026-02-10, 2026-02-05/2026-02-06]}\nurgent:",
            "begins before the one before it ends",
            "in order",
        ),
    ],
)
def test_what_contradicts_itself_is_named_with_what_to_do(faults, edit, old, new, problem, remedy):
    edit("markets/es-MX.yaml", old, new)
    [fault] = faults()
    assert problem in fault.problem and remedy in fault.remedy, fault
    assert "markets" in fault.file and (fault.line or "csv" in old)


def test_a_mistake_in_a_glossary_is_told_once_with_its_line(folder: Path, faults):
    path = folder / "markets" / "service.csv"
    path.write_text(path.read_text("utf-8") + "loan,loan\n", "utf-8")
    [fault] = faults()
    assert (
        fault.file.endswith("service.csv") and fault.line == 31 and "'loan' is there twice" in fault.problem
    )


def test_what_a_change_of_a_market_does_is_said_without_its_glossary(folder: Path, edit):
    before = load(folder, {})
    edit("markets/es-MX.yaml", "  zumo: jugo\n", "")
    path = folder / "markets" / "service.csv"
    path.write_text(path.read_text("utf-8") + "quota,quota\n", "utf-8")
    told = [str(change) for change in plan(before, load(folder, {}))]
    assert "market es-MX: variants.zumo is removed (with the next call)" in told
    assert any("es-MX: 1 terms of its glossaries are new" in each for each in told)
    assert all(len(each) < 120 for each in told)
