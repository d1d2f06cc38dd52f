"""Tags of languages, as far as who hears and translates tells them apart."""

from __future__ import annotations

from media.speech.language import alike, nearest, primary


def test_a_language_is_the_same_in_every_country_and_by_its_old_name():
    assert primary("es_MX") == "es" and primary("cmn-Hans") == "zh" and primary("iw") == "he"
    assert alike("en-GB", "en-US") and not alike("en", "es")


def test_the_nearest_is_the_same_then_the_plain_one_then_any_of_the_language():
    assert nearest("es-mx", ["es-ES", "es-MX"]) == "es-MX"
    assert nearest("es-AR", ["es-ES", "es"]) == "es"
    assert nearest("es-AR", ["en", "es-ES"]) == "es-ES"
    assert nearest("zh", ["en"]) is None
