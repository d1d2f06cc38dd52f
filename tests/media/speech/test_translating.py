"""The craft of translating: what is asked of whom, in which order, and what is said where nobody can."""

from __future__ import annotations

from media.speech.dispatch import pair
from media.speech.jobs import Failed, Hear, Offer, Translate, Translated
from media.speech.translating import Terms, Translating
from media.speech.translator import TranslatorFault
from tests.media.speech.phrasebook import Phrasebook

ES_EN, EN_FR, FR_EN = ("es", "en"), ("en", "fr"), ("fr", "en")


def job(key: str, text: str, source: str = "es", target: str = "en", due_s: float = 2.0) -> Translate:
    return Translate(key, due_s, text, source, target)


def done(craft: Translating, now: float = 0.0) -> dict[str, Translated | Failed]:
    """All that comes of what was taken."""
    found: dict[str, Translated | Failed] = {}
    while craft.busy:
        for each in craft.work(now):
            assert isinstance(each, Translated | Failed)
            found[each.key] = each
    return found


def test_a_clause_is_translated_and_says_by_whom():
    craft = Translating([Phrasebook([ES_EN], {"hola": "hello"}, sure=0.8)])
    craft.take(job("1", " hola "), 0.0)
    assert done(craft)["1"] == Translated("1", by="book", text="hello", sure=0.8)


def test_clauses_of_a_pair_go_together_the_most_urgent_first():
    book = Phrasebook([ES_EN, EN_FR])
    craft = Translating([book], Terms(batch=2))
    craft.take(job("a", "uno", due_s=3.0), 0.0)
    craft.take(job("b", "dos", due_s=1.0), 0.0)
    craft.take(job("c", "two", "en", "fr", due_s=2.0), 0.0)
    craft.take(job("d", "tres", due_s=2.5), 0.0)
    done(craft)
    assert book.asked == [["dos", "tres"], ["two"], ["uno"]]


def test_what_was_translated_before_is_not_asked_again_and_memory_is_bounded():
    book = Phrasebook([ES_EN])
    craft = Translating([book], Terms(kept=2))
    for text in ("uno", "dos", "uno", "tres", "cuatro", "uno"):
        craft.take(job(text, text), 0.0)
        done(craft)
    assert book.asked == [["uno"], ["dos"], ["tres"], ["cuatro"], ["uno"]]


def test_jobs_past_their_time_are_left_out_without_an_answer():
    book = Phrasebook([ES_EN])
    craft = Translating([book])
    craft.take(job("late", "uno", due_s=1.0), 0.0)
    assert done(craft, now=1.5) == {}
    assert book.asked == []


def test_a_third_language_lies_between_where_only_two_hops_exist():
    craft = Translating([Phrasebook([ES_EN], sure=0.5), Phrasebook([EN_FR], name="other", sure=0.5)])
    craft.take(job("1", "hola", "es-MX", "fr-FR"), 0.0)
    told = Translated("1", by="book + other", text="fr-FR: en: hola", sure=0.25, via=("en",))
    assert done(craft)["1"] == told


def test_two_good_hops_are_better_than_a_direct_gist():
    gist = Phrasebook([("es", "fr")], name="gist", gist=True)
    craft = Translating([gist, Phrasebook([ES_EN, EN_FR])])
    craft.take(job("1", "hola", "es", "fr"), 0.0)
    assert done(craft)["1"] == Translated("1", by="book", text="fr: en: hola", via=("en",))


def test_one_gist_among_the_hops_makes_it_a_gist():
    craft = Translating([Phrasebook([ES_EN], gist=True), Phrasebook([EN_FR])])
    craft.take(job("1", "hola", "es", "fr"), 0.0)
    told = done(craft)["1"]
    assert isinstance(told, Translated) and told.gist


def test_a_pair_that_nobody_knows_fails_for_good_and_says_what_to_do():
    craft = Translating([Phrasebook([ES_EN])])
    craft.take(job("1", "hola", "es", "zh"), 0.0)
    told = done(craft)["1"]
    assert isinstance(told, Failed) and told.ever
    assert "from es to zh" in told.why and "original" in told.why


def test_the_same_language_of_another_country_needs_no_translator():
    craft = Translating([])
    craft.take(job("1", "the lift", "en-GB", "en-US"), 0.0)
    assert done(craft)["1"] == Translated("1", by="none", text="the lift")


def test_a_translator_that_fails_is_left_alone_for_a_while_and_another_way_is_taken():
    first, second = Phrasebook([ES_EN], name="first"), Phrasebook([ES_EN], name="second", gist=True)
    craft = Translating([first, second], Terms(rest_s=5.0))
    first.broken = TranslatorFault("it is away")
    craft.take(job("1", "uno"), 0.0)
    craft.take(job("2", "dos", due_s=9.0), 0.0)
    assert {each.by for each in done(craft).values()} == {"second"}
    first.broken = None
    craft.take(job("3", "tres"), 4.0)
    assert done(craft, 4.0)["3"].by == "second"
    craft.take(job("4", "cuatro"), 5.0)
    assert done(craft, 5.0)["4"].by == "first"


def test_when_the_only_translator_fails_another_worker_may_try():
    book = Phrasebook([ES_EN])
    book.broken = TranslatorFault("it is away")
    craft = Translating([book])
    craft.take(job("1", "uno"), 0.0)
    told = done(craft)["1"]
    assert isinstance(told, Failed) and not told.ever and told.why == "it is away"
    craft.take(job("2", "dos"), 1.0)
    again = done(craft, 1.0)["2"]
    assert isinstance(again, Failed) and not again.ever and len(book.asked) == 1


def test_a_text_that_a_translator_chokes_on_does_not_take_others_along():
    book = Phrasebook([ES_EN])
    book.never = {"dos"}
    craft = Translating([book])
    for text in ("uno", "dos", "tres"):
        craft.take(job(text, text), 0.0)
    told = done(craft)
    assert isinstance(told["dos"], Failed) and told["dos"].ever
    assert isinstance(told["uno"], Translated) and isinstance(told["tres"], Translated)


def follow(craft: Translating, *clauses: str) -> list[str]:
    """The clauses of an utterance, one after another."""
    texts = []
    for at, clause in enumerate(clauses):
        before = " ".join(clauses[:at])
        craft.take(Translate("1", 2.0, clause, "es", "en", before=before), 0.0)
        told = done(craft)["1"]
        assert isinstance(told, Translated)
        texts.append(told.text)
    return texts


def test_a_sentence_that_goes_on_is_translated_as_one_and_what_was_given_of_it_stays():
    known = {
        "mi paquete": "my parcel",
        "no ha llegado.": "it has not arrived.",
        "mi paquete no ha llegado.": "My parcel has not arrived.",
    }
    assert follow(Translating([Phrasebook([ES_EN], known)]), "mi paquete", "no ha llegado.") == [
        "my parcel",
        "has not arrived.",
    ]


def test_a_sentence_that_would_begin_otherwise_goes_on_with_the_clause_alone():
    known = {"mi paquete": "my package", "no llegó.": "it did not come.", "mi paquete no llegó.": "my parcel"}
    clauses = ("mi paquete", "no llegó.")
    assert follow(Translating([Phrasebook([ES_EN], known)]), *clauses) == ["my package", "it did not come."]


def test_what_all_of_a_sentence_says_already_is_not_said_again():
    known = {
        "mi paquete no ha": "my parcel has not come",
        "mi paquete no ha llegado.": "my parcel has not come.",
    }
    clauses = ("mi paquete no ha", "llegado.")
    assert follow(Translating([Phrasebook([ES_EN], known)]), *clauses) == ["my parcel has not come", ""]


def test_a_whole_sentence_before_is_none_that_goes_on():
    book = Phrasebook([ES_EN])
    follow(Translating([book]), "hola.", "mi paquete", "y mi pedido")
    assert book.asked == [["hola."], ["mi paquete"], ["mi paquete y mi pedido"]]


def test_placeholders_that_a_translator_makes_up_are_not_shown():
    craft = Translating([Phrasebook([ES_EN], {"mi pedido": "the <0> is wrong"})])
    craft.take(job("1", "mi pedido"), 0.0)
    told = done(craft)["1"]
    assert isinstance(told, Translated) and told.text == "the is wrong"


def test_too_much_is_refused_so_that_another_worker_may_have_it():
    craft = Translating([Phrasebook([ES_EN])], Terms(line=2))
    for key in ("1", "2", "3"):
        craft.take(job(key, "uno"), 0.0)
    told = done(craft)
    assert isinstance(told["3"], Failed) and not told["3"].ever
    assert isinstance(told["1"], Translated) and isinstance(told["2"], Translated)


def test_a_job_of_another_craft_is_given_back():
    craft = Translating([])
    craft.take(Hear("1", 1.0, "s", 0, b"", 8000, 0.0), 0.0)
    told = done(craft)["1"]
    assert isinstance(told, Failed) and not told.ever


def test_text_without_words_comes_back_as_it_is():
    craft = Translating([])
    craft.take(job("1", "123 45!", "es", "zh"), 0.0)
    assert done(craft)["1"] == Translated("1", by="none", text="123 45!")


def test_text_is_bounded_and_free_of_controls_before_anybody_sees_it():
    book = Phrasebook([ES_EN])
    craft = Translating([book], Terms(chars=10))
    craft.take(job("1", "a\0b\nc\u202ed" + "x" * 100), 0.0)
    done(craft)
    assert book.asked == [["a b c dxxx"]]


def test_the_offer_names_all_pairs_those_over_a_third_language_among_them():
    craft = Translating([Phrasebook([ES_EN], gist=True), Phrasebook([EN_FR, FR_EN])], why="as asked")
    offer = craft.offer
    assert offer.craft == "translate" and offer.why == "as asked" and not offer.low
    assert set(offer.pairs) == {
        ("es", "en", True),
        ("es", "fr", True),
        ("en", "fr", False),
        ("fr", "en", False),
    }


def test_closing_it_closes_those_it_works_with():
    book = Phrasebook([ES_EN])
    Translating([book]).close()
    assert book.closed


def test_an_offer_of_many_languages_covers_each_pair_of_them_and_no_other():
    offer = Offer("translate", "many", ("en", "zh"), (("es", "en", True),))
    assert pair(offer, "en-US", "zh-CN") is False and pair(offer, "es", "en") is True
    assert pair(offer, "es", "zh") is None
    assert pair(Offer("translate", "any"), "es", "zh") is False
