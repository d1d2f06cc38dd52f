"""Browsers as phones: SIP over secure WebSockets, ICE and DTLS by a stock aiortc peer, beside desk phones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import psutil
import pytest
from aioice.ice import get_host_addresses

from engine.hearing import heard, is_music, read_wav
from engine.prompts import PromptPack
from sip.message import Request, Response
from sip.pjsip.process import Softphone
from tests.interop.node import Node
from tests.interop.peer import TELEPHONE, Peer, caught
from tests.interop.test_phones import listen
from tests.interop.webphone import WebPhone
from tests.media.browser import PATIENCE

Phones = Callable[..., Softphone]
Speech = Callable[[str], Path]
seeds = count(100)  # no page repeats what another one said to the same node


class Page(Peer):
    """A page with a softphone in it: its signalling by WebPhone."""

    def __init__(self, node: Node, account: str, says: Path, seed: int) -> None:
        super().__init__(says)
        self.phone = WebPhone(node, account, seed=seed)

    def call(self, number: str) -> Response:
        offer = self.do(self.browser.offer())
        self.phone.sdp = lambda: offer  # type: ignore[method-assign]
        response, _ = self.phone.call(number)
        if response.status == 200:
            self.do(self.browser.accept(response.body.decode()))
        return response

    def answer(self) -> Request:
        """Take the call that comes; its INVITE."""
        phone = self.phone
        invite = phone.until("INVITE")
        assert isinstance(invite, Request)
        answer = self.do(self.browser.answer(invite.body.decode()))
        headers = [("Contact", phone.contact), ("Content-Type", "application/sdp")]
        phone.send(invite.respond(200, headers=headers, body=answer.encode(), tag="w2"))
        phone.until("ACK")
        return invite

    def renegotiate(self, began: Response, direction: str) -> None:
        """Another offer within the call."""
        (transceiver,) = self.browser.connection.getTransceivers()
        transceiver.direction = direction
        offer = self.do(self.browser.offer())
        uri, phone = str(began.contacts[0].uri), self.phone
        extra = f"Contact: {phone.contact}\r\n"
        ids = {"to": str(began.to), "call_id": began.call_id}
        invite = phone.build("INVITE", uri, extra=extra, body=offer, **ids)
        phone.send(invite)
        answer = phone.until("200")
        assert isinstance(answer, Response)
        phone.acknowledge(invite, answer)
        self.do(self.browser.accept(answer.body.decode()))

    def close(self) -> None:
        super().close()
        self.phone.close()


@pytest.fixture
def page(node: Node) -> Iterator[Callable[[str, Path], Page]]:
    """Opens pages, and closes them at the end."""
    if not get_host_addresses(True, False):
        pytest.skip(
            "aioice takes no loopback address, and there is no other: ip addr add 10.99.0.1/32 dev lo"
        )
    opened: list[Page] = []

    def open_page(account: str, says: Path) -> Page:
        opened.append(Page(node, account, says, next(seeds)))
        return opened[-1]

    yield open_page
    for each in opened:
        each.close()


def music(node: Node) -> Path:
    return Path(PromptPack.load(node.prompts).path("en", "music"))


def gate_of(node: Node) -> psutil.Process:
    """Its process."""
    family = psutil.Process(node.process.pid).children()
    return next(each for each in family if "media.io.gate" in each.cmdline())


def gate_is_up(node: Node) -> bool:
    checks = node.get("/health")["checks"]
    return any((each["name"], each["status"]) == ("browsers", "ok") for each in checks)


def test_a_browser_waits_with_music_talks_to_an_agent_holds_and_hangs_up(
    node: Node, page: Callable[[str, Path], Page], agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says, replies = speech("where is the parcel that I am waiting for"), speech("it comes before noon")
    customer = page("customer", says)
    began = customer.call("desk")
    assert began.status == 200
    assert is_music(customer.hears(2.0), read_wav(music(node), TELEPHONE), TELEPHONE)

    anna = agent("anna")
    call = anna.incoming()
    anna.answer(call)
    anna.expect("media", call=call, state="active")
    assert customer.talks(anna, call, (says, replies), tmp_path / "anna.wav")

    customer.renegotiate(began, "sendonly")
    waits = listen(anna, call, tmp_path / "held.wav", 1.5)
    customer.renegotiate(began, "sendrecv")
    assert is_music(read_wav(waits, TELEPHONE), read_wav(music(node), TELEPHONE), TELEPHONE)
    assert customer.understands(anna, call, replies)

    assert customer.phone.hang_up(began).status == 200
    anna.expect("ended")
    record = node.record("desk")
    assert (record["reason"], record["ended_by"], record["agent"]) == ("completed", "customer", "anna")
    assert (record["customer_codec"], record["customer_encryption"]) == ("opus", "AEAD_AES_128_GCM")
    assert record["hold_s"] > 1.0 and record["customer_loss"] == 0.0


def test_a_browser_is_called_by_a_desk_phone(
    node: Node, page: Callable[[str, Path], Page], agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says, replies = speech("good morning what can I do for you"), speech("my parcel has not come")
    gus = page("gus", says)
    assert gus.phone.register().status == 200
    customer = agent("customer")
    call = customer.call(f"sip:gus@{node.domain}")
    invite = gus.answer()
    assert b"UDP/TLS/RTP/SAVPF" in invite.body
    customer.expect("answered", call=call)
    customer.ask("record", call=call, file=str(tmp_path / "customer.wav"))
    assert gus.understands(customer, call, replies)
    customer.hangup(call)
    bye = gus.phone.until("BYE")
    assert isinstance(bye, Request)
    gus.phone.send(bye.respond(200))
    assert heard(read_wav(says, TELEPHONE), read_wav(tmp_path / "customer.wav", TELEPHONE), TELEPHONE)
    record = node.record("gus")
    assert record["reason"] == "completed"
    assert record["agent_encryption"] == "AEAD_AES_128_GCM"


def test_two_browsers_talk_to_each_other_by_way_of_a_queue(
    node: Node, page: Callable[[str, Path], Page], speech: Speech
) -> None:
    asks, tells = speech("is there anybody who can help me"), speech("there is and it will not take long")
    customer, emil = page("visitor", asks), page("emil", tells)
    assert emil.phone.register().status == 200
    began = customer.call("booth")
    emil.answer()
    emil.hears(0.5)
    assert emil.catches(asks) and customer.catches(tells)
    customer.phone.hang_up(began)
    bye = emil.phone.until("BYE")
    assert isinstance(bye, Request)
    emil.phone.send(bye.respond(200))
    record = node.record("booth")
    assert (record["reason"], record["agent"]) == ("completed", "emil")
    assert record["customer_codec"] == record["agent_codec"] == "opus"
    assert record["customer_encryption"] == record["agent_encryption"] == "AEAD_AES_128_GCM"


def test_an_offer_that_cannot_be_read_is_refused_and_leaves_nothing(
    node: Node, page: Callable[[str, Path], Page], speech: Speech
) -> None:
    customer = page("customer", speech("hello"))
    offer = customer.do(customer.browser.offer())
    for spoilt, status in ((offer.replace("a=ice-pwd", "a=ice"), 400), (offer.replace("rtcp-mux", "x"), 488)):
        customer.phone.sdp = lambda body=spoilt: body  # type: ignore[misc]
        response, _ = customer.phone.call("desk")
        assert response.status == status
        assert node.record("desk")["reason"] == "not_acceptable"
    node.idle("desk")


def test_who_talks_when_the_gate_is_killed_talks_on_and_the_next_one_takes_others(
    node: Node, page: Callable[[str, Path], Page], agent: Phones, speech: Speech, tmp_path: Path
) -> None:
    says, replies = speech("is there somebody who knows about invoices"), speech("there is and it is me")
    customer, visitor = page("customer", says), page("visitor", speech("hello"))
    anna = agent("anna")
    began = customer.call("desk")
    call = anna.incoming()
    anna.answer(call)
    anna.expect("media", call=call, state="active")
    customer.hears(0.2)
    gate_of(node).kill()
    node._poll(lambda: not gate_is_up(node), PATIENCE, "end of the gate")
    node._poll(lambda: gate_is_up(node), PATIENCE, "other gate")
    assert customer.understands(anna, call, replies)
    assert caught(anna, call, says, tmp_path / "anna.wav")
    other = visitor.call("counter")
    visitor.hears(0.2)
    assert visitor.phone.hang_up(other).status == 200
    assert node.record("counter")["reason"] == "abandoned"
    assert customer.phone.hang_up(began).status == 200
    assert node.record("desk")["reason"] == "completed"
