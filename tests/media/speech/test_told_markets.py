"""Terms that an operator changes are those of the next clause, without another worker."""

from __future__ import annotations

from pathlib import Path

import msgspec

from media.speech.io.markets import ToldMarkets
from media.speech.jobs import Translate, Translated
from media.speech.market import Forms, Market, Term
from media.speech.settings import CraftSettings, TranslatorSettings
from media.speech.translating import Translating
from tests.media.speech.phrasebook import Phrasebook


def tell(path: Path, word: str) -> None:
    term = Term("order", {"en": Forms("order"), "es": Forms(word, gender="m")})
    told = CraftSettings(translate=TranslatorSettings(markets={"es": Market("es", "es-ES", terms=(term,))}))
    new = path.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(told))
    new.replace(path)


def test_other_terms_count_from_the_next_clause_on(tmp_path: Path):
    path = tmp_path / "crafts.json"
    tell(path, "pedido")
    craft = Translating([Phrasebook([("en", "es")])], markets=ToldMarkets(path, look_s=0.0))
    for word in ("pedido", "encargo"):
        tell(path, word)
        craft.take(Translate("1", 2.0, "my order", "en", "es", "es"), 0.0)
        told = [each for _ in range(3) for each in craft.work(0.0)]
        assert isinstance(told[0], Translated) and word in told[0].text


def test_a_file_that_cannot_be_read_changes_nothing(tmp_path: Path):
    path = tmp_path / "crafts.json"
    tell(path, "pedido")
    markets = ToldMarkets(path, look_s=0.0)
    assert list(markets) == ["es"]
    path.write_bytes(b"{")
    assert list(markets) == ["es"]
    path.unlink()
    assert len(markets) == 1 and markets["es"].language == "es-ES"
