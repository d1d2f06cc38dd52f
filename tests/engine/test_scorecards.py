"""Calls judged by forms: what answers come to, what is none, and what the store finds again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from engine.judging import Judging, UnknownForm
from engine.scorecards import BadAnswers, CardFilter, answered, forms_for, judged, scored
from engine.store import database, migrate
from engine.store.paged import BadCursor
from engine.store.scorecards import Scorecards
from engine.views import IllegalState
from tests.engine.card_samples import FORM, GOOD
from tests.engine.store_samples import T0, record
from tests.engine.test_within import limited

CALL = record("r1", T0, queue="support", agent="alice", market="de")


@pytest.mark.parametrize(
    ("given", "score", "failed"),
    [
        (GOOD, 90.0, False),  # (1 + 1 + 2 * 0.8) / 4
        (GOOD | {"offer": 0}, 72.0, False),
        (GOOD | {"offer": None}, 90.0, False),
        (GOOD | {"solved": 5, "offer": 1}, 100.0, False),
        (GOOD | {"solved": 0, "greeting": 0}, 25.0, False),
        (GOOD | {"identity": 0, "offer": 1}, 0.0, True),
    ],
)
def test_the_score_is_the_weighted_mean_and_a_critical_no_fails_the_whole(
    given: dict[str, int | None], score: float, failed: bool
) -> None:
    card = judged(FORM, CALL, given, id="1", at=T0, by="sue")
    assert (card.score, card.failed) == (score, failed)
    assert (card.call, card.agent, card.queue, card.market) == ("r1", "alice", "support", "de")
    assert [each.ask for each in card.answers] == [each.ask for each in FORM.questions]


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"greeting": 1, "identity": 1}, "'solved' wants"),
        (GOOD | {"solved": 6}, "0 to 5"),
        (GOOD | {"greeting": -1}, "0 to 1"),
        (GOOD | {"other": 1}, "'other'"),
    ],
)
def test_what_is_no_answer_is_told_so(given: dict[str, int | None], why: str) -> None:
    with pytest.raises(BadAnswers, match=why):
        answered(FORM, given)


def test_where_nothing_counts_there_is_no_score() -> None:
    loose = replace(FORM, questions=tuple(replace(each, optional=True) for each in FORM.questions))
    with pytest.raises(BadAnswers, match="nothing that counts"):
        scored(answered(loose, {}))


def test_a_form_is_for_its_queues_and_for_calls_that_an_agent_had() -> None:
    every = replace(FORM, name="any", queues=())
    forms = {"service": FORM, "any": every}
    assert [each.name for each in forms_for(forms, "support")] == ["service", "any"]
    assert [each.name for each in forms_for(forms, "sales")] == ["any"]
    with pytest.raises(IllegalState, match="this queue"):
        judged(FORM, replace(CALL, queue="sales"), GOOD, id="1", at=T0, by="sue")
    with pytest.raises(IllegalState, match="nobody to judge"):
        judged(FORM, replace(CALL, agent=""), GOOD, id="1", at=T0, by="sue")


def test_what_was_judged_is_found_again(tmp_path: Path) -> None:
    engine = database.connect(f"sqlite:///{tmp_path}/isogloss.db")
    migrate.upgrade(engine)
    found_again(Scorecards(engine))
    engine.dispose()


def found_again(store: Scorecards) -> None:
    """For each sort of database."""
    clock, calls = [T0], {"r1": CALL, "r2": replace(CALL, call="r2", agent="carol", market="us")}
    cards = Judging(store, lambda: {"service": FORM}, calls.get, lambda: clock[0])
    assert cards.judge("gone", "service", GOOD, "sue", "") is None
    with pytest.raises(UnknownForm):
        cards.judge("r1", "other", GOOD, "sue", "")
    made = []
    for step, call in enumerate(("r1", "r2", "r1")):
        clock[0] = T0 + step
        card = cards.judge(call, "service", GOOD | {"solved": step}, "sue", f"the {step}.\x00")
        assert card is not None
        made.append(card)
    first, _, third = made
    assert [each.id for each in cards.of_call("r1")] == [third.id, first.id]
    assert cards.of_call("r1")[1] == replace(first, comment="the 0.\ufffd")
    page = cards.page(CardFilter(), cursor=None, limit=2)
    rest = cards.page(CardFilter(), cursor=page.next, limit=2)
    assert [each.at - T0 for each in (*page.items, *rest.items)] == [2.0, 1.0, 0.0] and rest.next is None
    assert len(cards.page(CardFilter(since=T0 + 1, until=T0 + 2), cursor=None, limit=9).items) == 1
    assert len(cards.page(CardFilter(form="other"), cursor=None, limit=9).items) == 0
    assert [each.call for each in cards.of_agent("carol", cursor=None, limit=9).items] == ["r2"]
    german = CardFilter(reach=limited("de", ""))
    assert [each.call for each in cards.page(german, cursor=None, limit=9).items] == ["r1", "r1"]
    with pytest.raises(BadCursor):
        cards.page(CardFilter(), cursor="nonsense", limit=9)
