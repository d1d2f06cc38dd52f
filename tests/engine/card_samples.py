"""Forms, and calls judged by them in memory, behind the API of the small node (tests/engine/api_node.py)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from config.form import FormSettings, QuestionSettings
from engine.scorecards import CardFilter, CardPage, Scorecard

FORM = FormSettings(
    name="service",
    title="Service call",
    queues=("support",),
    questions=(
        QuestionSettings(name="greeting", ask="Did she greet and say her name?"),
        QuestionSettings(name="identity", ask="Did she check whom she talks to?", critical=True),
        QuestionSettings(name="solved", ask="Was the matter settled?", weight=2.0, scale=5),
        QuestionSettings(name="offer", ask="Did she offer what suits?", optional=True),
    ),
)
GOOD = {"greeting": 1, "identity": 1, "solved": 4}


class Cards:
    """See engine.judging.CardStore. asked: raises where the store is away."""

    def __init__(self, asked: Callable[[], None] = lambda: None) -> None:
        self._asked = asked
        self.all: list[Scorecard] = []

    def add(self, card: Scorecard) -> None:
        self._asked()
        self.all.append(card)

    def of_call(self, call: str) -> Sequence[Scorecard]:
        self._asked()
        return [each for each in reversed(self.all) if each.call == call]

    def page(self, wanted: CardFilter, *, cursor: str | None, limit: int) -> CardPage:
        self._asked()
        found = [
            each
            for each in reversed(self.all)
            if wanted.agent in (None, each.agent)
            and wanted.form in (None, each.form)
            and wanted.reach.sees_call(each.market, each.queue, each.agent)
        ]
        return CardPage(tuple(found[:limit]), None)
