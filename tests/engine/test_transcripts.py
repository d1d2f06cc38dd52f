"""What was said in calls that are over: kept whole, found by its words in any language, gone when erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.store import database, migrate
from engine.store.errors import StoreUnavailable
from engine.store.records import BadCursor
from engine.store.search import indexed, phrases
from engine.store.transcripts import TextFilter, Transcripts
from tests.engine.store_samples import T0
from tests.engine.transcript_samples import review, said

SAID = {
    "c0": ("en-GB", "I'd like a refund for the café voucher", ""),
    "c1": ("zh-CN", "我要投诉你们的快递", "I want to complain about your delivery"),
    "c2": ("es-ES", "La señal va lentísima", "The signal is very slow"),
    "c3": ("ja-JP", "返金はまだですか", "Is the refund still not there?"),
    "c4": ("ar-SA", "الفَاتورة غلط", "The bill is wrong"),
}


def store(folder: Path) -> Transcripts:
    engine = database.connect(f"sqlite:///{folder}/isogloss.db")
    migrate.upgrade(engine)
    return fill(Transcripts(engine))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Transcripts:
    """To read from."""
    return store(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def own(tmp_path: Path) -> Transcripts:
    """To write to."""
    return store(tmp_path)


def fill(kept: Transcripts) -> Transcripts:
    """Five calls that ended a second apart, and one of which nothing was written down."""
    for at, (call, (language, text, translation)) in enumerate(SAID.items()):
        kept.keep(review(call, T0 + at, market=language), [said(text, language, translation)])
    kept.keep(review("mute", T0 + 10, score=None, topics=()), [])
    return kept


def calls(kept: Transcripts, **wanted: object) -> list[str]:
    return [each.review.call for each in kept.page(TextFilter(**wanted)).items]  # type: ignore[arg-type]


FINDINGS = [
    ("refund", ["c3", "c0"]),
    ("REFUND cafe", ["c0"]),
    ("投诉", ["c1"]),
    ("诉投", []),
    ("señal lentisima", ["c2"]),
    ("返金", ["c3"]),
    ("الفاتوره", ["c4"]),
    ('"very slow"', ["c2"]),
    ('"slow very"', []),
    ("nothing like it", []),
    ('" OR ** NEAR(', []),
    ("' OR 1=1 --", []),
    ("...", []),
]


@pytest.mark.parametrize(("words", "found"), FINDINGS)
def test_calls_are_found_by_what_was_said(kept: Transcripts, words: str, found: list[str]) -> None:
    assert calls(kept, words=words) == found


def test_what_is_found_shows_the_lines_that_it_was_found_in(kept: Transcripts) -> None:
    (hit,) = kept.page(TextFilter(words="complain")).items
    assert [each.text for each in hit.lines] == ["我要投诉你们的快递"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"market": "es-ES"}, ["c2"]),
        ({"topic": "refund", "since": T0 + 3}, ["c4", "c3"]),
        ({"until": T0 + 1}, ["c0"]),
        ({"below": 50.0}, []),
        ({"below": 80.5, "until": T0 + 1}, ["c0"]),
        ({"written": False}, ["mute"]),
        ({"agent": "bob"}, []),
        ({"topic": "ref"}, []),
        ({"topic": "%"}, []),
    ],
)
def test_calls_are_found_by(kept: Transcripts, wanted: dict[str, object], found: list[str]) -> None:
    assert calls(kept, **wanted) == found


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_pages_hold_every_call_once(kept: Transcripts, limit: int) -> None:
    seen, cursor = [], None
    while True:
        page = kept.page(TextFilter(), cursor=cursor, limit=limit)
        seen += [each.review.call for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert seen == ["mute", "c4", "c3", "c2", "c1", "c0"]


def test_a_call_reads_back_as_it_was_kept(kept: Transcripts) -> None:
    assert kept.review("c0") == review("c0", T0)
    assert kept.lines("c0") == (said("I'd like a refund for the café voucher"),)
    assert kept.review("nobody") is None
    assert kept.lines("mute") is None


def test_what_is_kept_anew_takes_the_place_of_what_was(own: Transcripts) -> None:
    own.keep(review("c0", T0, score=10.0), [said("something else")])
    assert calls(own, words="refund") == ["c3"] and calls(own, words="else") == ["c0"]
    found = own.review("c0")
    assert found is not None and found.score == 10.0


def test_erasing_takes_the_words_and_what_quotes_them_and_leaves_the_marks(own: Transcripts) -> None:
    assert own.erase("c0")
    assert own.lines("c0") is None and calls(own, words="voucher") == []
    found = own.review("c0")
    assert found is not None
    assert (found.summary, found.marks[0].quote, found.moods["customer"].reasons) == ("", "", ())
    assert (found.score, found.marks[0].passed, found.moods["customer"].worst) == (80.0, False, -0.6)
    assert not own.erase("c0")


def test_what_is_older_than_it_may_be_is_erased(own: Transcripts) -> None:
    assert own.erase_before(T0 + 2) == 2
    assert calls(own, written=True) == ["c4", "c3", "c2"]


def test_what_no_database_keeps_is_replaced(own: Transcripts) -> None:
    own.keep(review("odd", summary="a\0b\ud800"), [said("nul\0 and \ud800 alone")])
    assert own.lines("odd") is not None and calls(own, words="alone") == ["odd"]


@pytest.mark.parametrize("cursor", ["x", "!!!!", "W10", "bnVsbA", "é"])
def test_a_cursor_from_elsewhere_is_refused(kept: Transcripts, cursor: str) -> None:
    with pytest.raises(BadCursor):
        kept.page(TextFilter(), cursor=cursor)


def test_a_store_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/never-made.db")
    with pytest.raises(StoreUnavailable):
        Transcripts(engine).review("c0")


def test_words_and_questions_are_bounded() -> None:
    assert len(indexed(["word " * 500_000])) <= 400_000
    assert sum(len(each) for each in phrases("投" * 10_000)) <= 32
