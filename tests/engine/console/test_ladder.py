"""The SIP ladder: every message between the parties, with its text as text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.console.insight import Ladder, Message
from engine.console.language import Words
from engine.console.markup import text_of
from engine.console.views.ladder import MOST_MESSAGES, ladder, level_of
from tests.engine.console.samples import Authored

FOUND = Authored(1000.0).ladder() or Ladder()


def test_messages_are_rows_in_their_order_with_the_time_since_the_first() -> None:
    drawn = ladder(Words(), FOUND)
    told = text_of(drawn)
    assert drawn.count("<li data-key") == len(FOUND.messages) == 13
    assert told.index("+0.000") < told.index("+0.300") < told.index("+66.900")
    assert "Call-ID: 3848276298220188511@carrier.example.net" in told


def test_what_was_sent_again_is_marked() -> None:
    drawn = ladder(Words(), FOUND)
    assert drawn.count('good again"') == 1 and drawn.count(">again<") == 1


def test_a_message_is_text_whatever_it_says() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    message = Message(at=0.0, source="a", target="b", label=hostile, cseq=hostile, text=hostile)
    drawn = ladder(Words(), Ladder(parties=(("a", hostile), ("b", "B")), messages=(message,)))
    assert "<img" not in drawn and drawn.count("&lt;img") >= 4


def test_what_is_between_others_is_left_out_and_there_is_an_end() -> None:
    strange = replace(FOUND.messages[0], source="nobody")
    assert ladder(Words(), replace(FOUND, messages=(strange,))).count("<details>") == 0
    many = replace(FOUND, messages=FOUND.messages[:1] * (MOST_MESSAGES + 5))
    drawn = ladder(Words(), many)
    assert drawn.count("<details>") == MOST_MESSAGES and "5 more messages" in drawn


@pytest.mark.parametrize(("label", "level"), [("INVITE", "busy"), ("180 Ringing", "soft"), ("200 OK", "good"),
    ("302 Moved", "warn"), ("503 Unavailable", "bad"), ("", "busy")])  # fmt: skip
def test_answers_are_coloured_by_their_class(label: str, level: str) -> None:
    assert level_of(label) == level
