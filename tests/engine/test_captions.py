"""Captions reach the pages of those who talk, the newest version of each sentence, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from engine.agent_desk import NOTES, Desks, Watch
from engine.api.app import create_app
from engine.caller_line import Lines, LineWatch
from engine.captions import BOTH, Captions
from engine.hidden_captions import HiddenCaptions
from engine.views import Caption, LegSide, UnknownCall
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.sim.stage import Stage


def wake() -> None:
    """A page's, which looks by itself here."""


class Call:
    """A customer's call with agent0, and the pages that look at it."""

    def __init__(self, stage: Stage) -> None:
        switch = stage.house.switch
        self.desks, self.lines = Desks(switch), Lines(switch)
        self.captions = Captions(switch, self.desks, self.lines)
        stage.customer()
        stage.run(8.0)
        self.id = stage.call.id
        self.lines.began("token", self.id)
        self.caller: LineWatch = self.lines.open("token", wake)
        self.agent, self.other = (self.desks.open(name, wake) for name in ("agent0", "agent1"))

    def said(self, text: str, line: int = 1, final: bool = False) -> Caption:
        return Caption(
            call=self.id, side=LegSide.CUSTOMER, line=line, at=0.0, text=text, language="es", final=final
        )

    def reads(self, watch: Watch) -> list[str]:
        return [each.text for each in watch.notes if isinstance(each, Caption)]


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return Call(Stage(tmp_path, agents=2))


def test_a_caption_is_shown_to_both_sides_of_its_call_and_to_nobody_else(call: Call) -> None:
    assert call.captions.show(call.said("Hola")) == 2
    assert call.reads(call.agent) == [each.text for each in call.caller.captions] == ["Hola"]
    assert call.reads(call.other) == []


def test_a_side_that_reads_another_language_is_told_alone(call: Call) -> None:
    assert call.captions.show(call.said("Hola"), {LegSide.AGENT}) == 1
    assert call.reads(call.agent) == ["Hola"] and not call.caller.captions


def test_a_page_that_is_slow_gets_the_newest_version_of_a_sentence_alone(call: Call) -> None:
    for word in range(2 * NOTES):
        call.captions.show(call.said(f"one{word}", line=1))
    call.captions.show(call.said("two", line=2))
    call.captions.show(call.said("one, whole", line=1, final=True))
    assert call.reads(call.agent) == ["one, whole", "two"]


def test_a_card_is_on_no_page_however_many_sentences_it_is_told_in(call: Call) -> None:
    told: dict[int, str] = {}
    call.captions.observers.append(lambda caption: told.update({caption.line: caption.text}))
    for line, each in enumerate(["My card is 4111", "1111 1111,", "1111. And", "my number 612 345 678"]):
        call.captions.show(call.said(each, line=line, final=True))
    shown = ["My card is ****", "********", "1111. And", "my number 612 345 678"]
    assert call.reads(call.agent) == [each.text for each in call.caller.captions] == shown
    assert list(told.values()) == shown


def test_a_number_that_is_being_said_is_hidden_until_its_sentence_is_over(call: Call) -> None:
    for text, shown in (("It is 612 34", "It is 612 34"), ("It is 612 345 67", "It is ******67")):
        call.captions.show(call.said(text))
        assert call.reads(call.agent) == [shown]
    call.captions.show(call.said("It is 612 345 678", final=True))
    assert call.reads(call.agent) == ["It is 612 345 678"]


def test_of_a_call_that_is_over_no_word_is_kept() -> None:
    hidden = HiddenCaptions()
    said = Caption(call="c", side=LegSide.CUSTOMER, line=1, at=0.0, text="4111", language="en", final=True)
    for line in range(50):
        assert hidden.put(replace(said, line=line, text="yes"), BOTH)[-1].text == "yes"
    assert len(repr(vars(hidden))) < 20_000, "the last sentences alone"
    hidden.forget("c")
    assert not any(vars(hidden).values())


def test_a_call_that_is_over_has_no_captions(call: Call) -> None:
    with pytest.raises(UnknownCall):
        call.captions.show(Caption(call="gone", side=LegSide.AGENT, line=1, at=0.0, text="?", language="en"))


def test_captions_come_in_by_the_api_with_a_token_that_may_write() -> None:
    node = Node()
    client = TestClient(create_app(node, SETTINGS))
    text = {
        "side": "customer",
        "line": 3,
        "text": "Hola",
        "language": "es",
        "translation": "Hello",
        "to": "en",
    }

    def post(call: str, token: str, **more: object) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return client.post(f"/v1/calls/{call}/captions", json=text | more, headers=headers).status_code

    assert post("c1", WRITE, readers=["agent"], final=False) == 202
    ((shown, readers),) = node.captions
    assert (shown.call, shown.translation, shown.final, readers) == ("c1", "Hello", False, {LegSide.AGENT})
    heard = {"guess": 2, "by": "ears", "low_accuracy": True, "marks": ["shed"]}
    assert post("c1", WRITE, **heard) == 202
    shown, _ = node.captions[1]
    assert (shown.guess, shown.by, shown.low_accuracy, shown.gist) == (2, "ears", True, False)
    assert shown.marks == ("shed",)
    wrong = (
        post("c1", READ),
        post("c9", WRITE),
        post("c1", WRITE, text="a\x00b"),
        post("c1", WRITE, text=""),
    )
    assert wrong == (403, 404, 422, 422)
    assert (post("c1", WRITE, marks=["bad"]), post("c1", WRITE, guess=-1)) == (422, 422)
    assert (post("c1", WRITE, language="<b>"), post("c1", WRITE, readers=[])) == (422, 422)
