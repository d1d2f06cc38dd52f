"""Visitors of a web site call by WHIP, a stock aiortc peer each, and talk to a PJSIP agent at a real node."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from aioice.ice import get_host_addresses

from engine.hearing import heard, is_music, read_wav
from engine.prompts import PromptPack
from sip.pjsip.process import Softphone
from tests.interop.node import Node
from tests.interop.peer import TELEPHONE, caught
from tests.interop.test_phones import listen
from tests.interop.visitor import Visitor, ask

Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]
Visit = Callable[..., Visitor]


@pytest.fixture
def visitor(node: Node) -> Iterator[Visit]:
    """Opens pages, and closes them at the end."""
    if not get_host_addresses(True, False):
        pytest.skip(
            "aioice takes no loopback address, and there is no other: ip addr add 10.99.0.1/32 dev lo"
        )
    opened: list[Visitor] = []

    def visit(says: Path, destination: str = "desk", **more: str) -> Visitor:
        opened.append(Visitor(node, destination, says, **more))
        return opened[-1]

    yield visit
    for each in opened:
        each.hang_up()  # one that failed would be waited for
        each.close()


def prompt(node: Node, name: str) -> Path:
    return Path(PromptPack.load(node.prompts).path("en", name))


def in_talk(anna: Softphone) -> int:
    """The agent takes the call that comes."""
    call = anna.incoming()
    anna.answer(call)
    anna.expect("media", call=call, state="active")
    return call


def test_a_visitor_trickles_waits_with_music_talks_to_an_agent_and_hangs_up(
    node: Node, visitor: Visit, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says, replies = speech("where is the parcel that I am waiting for"), speech("it comes before noon")
    ana = visitor(says)
    assert ana.call(trickles=True).status == 201
    assert ana.trickle().status == 204
    music = read_wav(prompt(node, "music"), TELEPHONE)
    assert is_music(ana.hears(2.0), music, TELEPHONE)
    anna = agent("anna")
    call = in_talk(anna)
    assert ana.understands(anna, call, replies)
    assert caught(anna, call, says, tmp_path / "anna.wav")
    assert ana.hang_up().status == 200
    anna.expect("ended")
    record = node.record("desk")
    assert (record["reason"], record["ended_by"], record["agent"]) == ("completed", "customer", "anna")
    assert (record["source"], record["customer_codec"]) == ("whip", "opus")
    assert record["customer_encryption"] == "AEAD_AES_128_GCM" and record["customer_loss"] == 0.0
    assert json.loads(ana.hang_up().text)["type"] == "urn:isogloss:problem:unknown-session"


def test_a_dead_path_is_told_to_the_agent_and_over_with_it_or_with_a_restart_on_another_one(
    node: Node, visitor: Visit, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says, replies = speech("are you still there I was in a tunnel"), speech("yes I have waited for you")
    anna, ana = agent("anna"), visitor(says)
    assert ana.call(by_road=True).status == 201
    call = in_talk(anna)
    assert ana.understands(anna, call, replies) and ana.road is not None
    ana.road.closed = True
    meanwhile = read_wav(listen(anna, call, tmp_path / "dead.wav", 14.0), TELEPHONE)
    ana.road.closed = False
    listen(anna, call, tmp_path / "back.wav", 2.0)
    assert caught(anna, call, says, tmp_path / "there.wav")
    assert heard(read_wav(prompt(node, "connection-interrupted"), TELEPHONE), meanwhile, TELEPHONE)
    ana.road.closed = True
    answer = ana.restart()
    assert answer.status == 200 and answer.headers["ETag"]
    listen(anna, call, tmp_path / "elsewhere.wav", 2.0)
    assert caught(anna, call, says, tmp_path / "moved.wav")
    assert ana.understands(anna, call, replies)
    assert ana.hang_up().status == 200
    assert node.record("desk")["reason"] == "completed"


def test_a_page_that_is_reloaded_is_back_in_its_call(
    node: Node, visitor: Visit, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says, again, replies = speech("one moment please"), speech("here I am again"), speech("good to hear you")
    anna, first = agent("anna"), visitor(says)
    began = first.call()
    call = in_talk(anna)
    assert caught(anna, call, says, tmp_path / "before.wav")
    first.do(first.browser.close())
    second = visitor(again, token=first.token)
    resumed = second.call()
    assert (resumed.status, resumed.headers["Isogloss-Resumed"]) == (201, "true")
    assert resumed.headers["Isogloss-Call"] == began.headers["Isogloss-Call"]
    assert second.understands(anna, call, replies)
    assert caught(anna, call, again, tmp_path / "after.wav")
    assert first.hang_up().status == 404
    anna.hangup(call)
    record = node.record("desk")
    assert (record["reason"], record["ended_by"], record["transfers"]) == ("completed", "agent", 0)


def test_an_offer_that_cannot_be_read_leaves_nothing(node: Node, visitor: Visit, speech: Speech) -> None:
    ana = visitor(speech("hello"))
    offer = str(ana.do(ana.browser.offer()))
    for spoilt, status in (("nonsense", 400), (offer.replace("rtcp-mux", "x"), 406)):
        assert ask(node, "POST", "/whip/desk", ana.token, spoilt).status == status
    assert ask(node, "POST", "/whip/desk", "guess", offer).status == 401
    node.idle("desk")
