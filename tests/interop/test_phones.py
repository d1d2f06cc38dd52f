"""Customers and agents with real phones, PJSIP and baresip: they call, wait, talk, and hear each other."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.hearing import heard, is_music, read_wav
from engine.prompts import PromptPack
from sip.pjsip.process import NothingHappened, Softphone
from tests.interop.baresip import HELLO, Baresip
from tests.interop.node import Node

RATE = 8000
Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]


@pytest.fixture
def baresip(node: Node, tmp_path: Path, speech: Speech) -> Callable[..., Baresip]:
    """A registered baresip that says a sentence in every call."""

    says = speech(HELLO)
    return lambda user, *more, **options: Baresip.of(node, user, tmp_path, says, *more, **options)


def listen(phone: Softphone, call: int, file: Path, seconds: float) -> Path:
    """Record what the phone hears for a while."""
    phone.ask("record", call=call, file=str(file))
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        with pytest.raises(NothingHappened):
            phone.expect("ended", left, call=call)
    phone.ask("stop", call=call, what="record")
    return file


def arrived(quality: dict[str, Any]) -> bool:
    """Whether what was sent came, by its numbers. Packets that came too late for the phone's buffer are not
    counted here: beside other tests that is the machine's doing (test_listening.py looks at those).
    """
    received, lost = quality["received"], quality["lost"]
    return bool(received) and lost <= 0.01 * (received + lost)


def music(node: Node) -> Path:
    return Path(PromptPack.load(node.prompts).path("en", "music"))


@pytest.mark.parametrize(
    ("customer_codec", "agent_codec", "transport"),
    [("PCMA", "PCMA", "udp"), ("PCMU", "PCMA", "tcp"), ("PCMU", "PCMU", "tls")],
)
def test_a_customer_waits_with_music_and_talks_to_an_agent(
    node: Node,
    agent: Phones,
    speech: Speech,
    tmp_path: Path,
    customer_codec: str,
    agent_codec: str,
    transport: str,
) -> None:
    customer = agent("customer", transport, codecs=(customer_codec,))
    call = customer.call("desk")
    customer.expect("answered", call=call)
    waits = listen(customer, call, tmp_path / "waits.wav", 2.0)

    anna = agent("anna", transport, codecs=(agent_codec,))
    offered = anna.incoming()
    anna.answer(offered)
    anna.expect("media", call=offered, state="active")
    says, replies = (
        speech("where is the parcel that I am waiting for"),
        speech("it comes tomorrow before noon"),
    )
    customer.ask("record", call=call, file=str(tmp_path / "customer.wav"))
    anna.ask("record", call=offered, file=str(tmp_path / "anna.wav"))
    customer.ask("play", call=call, file=str(says))
    anna.ask("play", call=offered, file=str(replies))
    customer.expect("played", 10)
    anna.expect("played", 10)
    customer.ask("dtmf", call=call, digits="5")
    assert anna.expect("dtmf")["digit"] == "5"
    quality = [customer.hangup(call)["stats"], anna.expect("ended")["stats"]]

    assert is_music(read_wav(waits, RATE), read_wav(music(node), RATE), RATE)
    assert heard(read_wav(says, RATE), read_wav(tmp_path / "anna.wav", RATE), RATE)
    assert heard(read_wav(replies, RATE), read_wav(tmp_path / "customer.wav", RATE), RATE)
    assert all(arrived(each) for each in quality)
    record = node.record("desk")
    assert (record["customer_codec"], record["agent_codec"]) == (customer_codec, agent_codec)


def test_a_customer_on_hold_hears_music_and_then_the_agent_again(
    node: Node, agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    customer, anna = agent("visitor"), agent("anna")
    call = customer.call("desk")
    offered = anna.incoming()
    anna.answer(offered)
    anna.expect("media", call=offered, state="active")
    anna.hold(offered)
    held = listen(customer, call, tmp_path / "held.wav", 2.0)
    anna.resume(offered)
    customer.ask("record", call=call, file=str(tmp_path / "after.wav"))
    says = speech("thank you for waiting, I am back again")
    anna.ask("play", call=offered, file=str(says))
    anna.expect("played", 10)
    anna.hangup(offered)
    customer.expect("ended", call=call)
    record = node.record("desk")
    assert (record["ended_by"], record["hold_s"] > 1.5) == ("agent", True)
    after = read_wav(tmp_path / "after.wav", RATE)
    assert is_music(read_wav(held, RATE), read_wav(music(node), RATE), RATE)
    assert heard(read_wav(says, RATE), after, RATE)
    assert not is_music(after[RATE // 2 :], read_wav(music(node), RATE), RATE)


def test_an_agent_who_does_not_answer_is_tried_again_and_the_customer_keeps_waiting(
    node: Node, agent: Phones
) -> None:
    customer, anna = agent("customer"), agent("anna")
    call = customer.call("desk")
    anna.ask("hangup", call=anna.incoming(), code=486)
    offered = anna.incoming()
    anna.answer(offered)
    anna.expect("answered", call=offered)
    customer.hangup(call)
    anna.expect("ended", call=offered)
    assert node.record("desk")["misses"] == 1


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_baresip_registers_calls_and_is_heard(
    node: Node,
    agent: Phones,
    baresip: Callable[..., Baresip],
    speech: Speech,
    tmp_path: Path,
    transport: str,
) -> None:
    anna = agent("anna")
    replies = speech("welcome, this is a softphone of another make")
    anna.auto(answer_after=0.1, record=str(tmp_path / "anna.wav"))
    with baresip("tenant", transport) as tenant:
        tenant.dial("sip:desk@isogloss.test")
        tenant.expect("CALL_ESTABLISHED")
        offered = anna.expect("answered", 10)["call"]
        anna.ask("play", call=offered, file=str(replies))
        anna.expect("played", 10)
        tenant.command("hangup")
        anna.expect("ended", call=offered)
        tenant.expect("CALL_CLOSED")
        assert heard(read_wav(tenant.says, RATE), read_wav(tmp_path / "anna.wav", RATE), RATE)
        assert heard(read_wav(replies, RATE), read_wav(tenant.heard, RATE), RATE)
    assert node.record("desk")["customer"] == "tenant"


def test_baresip_is_an_agents_phone(node: Node, agent: Phones, baresip: Callable[..., Baresip]) -> None:
    customer = agent("customer")
    with baresip("anna", answer="auto") as anna:
        call = customer.call("desk")
        anna.expect("CALL_ESTABLISHED")
        customer.hangup(call)
        anna.expect("CALL_CLOSED")
    assert node.record("desk")["agent"] == "anna"
