"""The SIP ladder: every message between the parties, with its text as text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from engine.console.insight import Ladder, Message, Party
from engine.console.language import Words
from engine.console.markup import text_of
from engine.console.views.ladder import MOST_MESSAGES, ladder, level_of
from tests.engine.console.samples import Authored

B = Party(id="b", kind="node")
FOUND = Authored(1000.0).ladder() or Ladder()


def test_messages_are_rows_in_their_order_with_the_time_since_the_first() -> None:
    drawn = ladder(Words(), FOUND)
    told = text_of(drawn)
    assert drawn.count("<li data-key") == len(FOUND.messages) == 13
    assert told.index("+0.000") < told.index("+0.300") < told.index("+66.900")
    assert "Call-ID: 3848276298220188511@carrier.example.net" in told


def test_columns_are_named_with_the_address_below() -> None:
    heads = re.findall(r"<li>(.+?)</li>", str(ladder(Words(), FOUND)).partition("<ol")[0])
    assert [text_of(each) for each in heads] == [
        "+49 30 1234567by \u2068dtag-de\u2069192.0.2.7:5060",
        "dublin-1198.51.100.4:5060",
        "emre198.51.100.20:5061",
    ]
    nobody = Ladder(parties=(Party(id="a", kind="customer", address="192.0.2.7:5060"), B))
    assert ">Customer<" in ladder(Words(), nobody), "a caller whose number is withheld"


def test_what_was_sent_again_is_marked() -> None:
    drawn = ladder(Words(), FOUND)
    assert drawn.count('good again"') == 1 and drawn.count(">again<") == 1


def test_a_message_is_text_whatever_it_says() -> None:
    hostile = "<img src=x onerror=alert(1)>"
    message = Message(at=0.0, source="a", target="b", label=hostile, cseq=hostile, text=hostile)
    drawn = ladder(
        Words(),
        Ladder(
            parties=(Party(id="a", kind="customer", name=hostile, way=hostile, address=hostile), B),
            messages=(message,),
        ),
    )
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
