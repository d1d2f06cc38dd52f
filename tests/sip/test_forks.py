"""One INVITE, several phones: early dialogs are kept apart, the first answer wins, the others are hung up."""

from __future__ import annotations

import pytest

from sip.events import Answered, Ended, IncomingCall, Provisional, Rejected
from sip.hop import Hop
from sip.message import Request, Uri
from sip.session import Session
from tests.sip.network import Network, Node, Seen, drained

PROXY = "10.0.0.50"


class Forking:
    """A caller whose INVITE a proxy hands to two phones, without recording itself in the route."""

    def __init__(self) -> None:
        self.network = Network()
        self.caller = self.network.add("10.0.0.1")
        self.phones = [self.network.add(f"10.0.0.{number}") for number in (2, 3)]
        self.network.drop = self._fork

    def _fork(self, seen: Seen) -> bool:
        message = seen.message
        if seen.target != PROXY or not isinstance(message, Request):
            return False
        for phone in self.phones:
            phone.agent.receive(seen.data, Hop("udp", self.caller.host, 5060), self.network.now)
        return True

    def call(self) -> Session:
        session = self.caller.call(
            self.phones[0], hops=(Hop("udp", PROXY, 5060),), target=Uri.sip("sales", "example.com")
        )
        self.network.run(0.05)
        return session

    def at(self, index: int) -> Session:
        session: Session = self.phones[index].last(IncomingCall).session
        return session


@pytest.fixture
def forking() -> Forking:
    return Forking()


def test_each_phone_rings_in_a_dialog_of_its_own(forking: Forking):
    network = forking.network
    forking.call()
    for index in (0, 1):
        forking.at(index).progress(b"v=0 early %d" % index, now=network.now)
    network.run(0.2)
    assert [event.sdp for event in forking.caller.told(Provisional)] == [b"v=0 early 0", b"v=0 early 1"]
    assert forking.caller.agent.counts()["dialogs"] == 2
    pracks = [seen.target for seen in network.trace if seen.what == "PRACK"]
    assert pracks == [phone.host for phone in forking.phones]


def test_the_first_answer_wins_and_the_second_is_acknowledged_and_hung_up(forking: Forking):
    network = forking.network
    ours = forking.call()
    for index in (0, 1):
        forking.at(index).ring(now=network.now)
    network.run(0.1)
    forking.at(1).answer(b"v=0 second phone", now=network.now)
    network.run(0.005)
    forking.at(0).answer(b"v=0 first phone", now=network.now)
    network.run(1)
    assert [event.sdp for event in forking.caller.told(Answered)] == [b"v=0 second phone"]
    assert forking.at(1).state == "connected"
    assert forking.phones[0].last(Ended).cause == "bye"
    assert network.said(forking.phones[0]).count("200 INVITE") == 1
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_hang_up_after_a_fork_rang_hangs_up_every_fork_that_still_answers(forking: Forking):
    network = forking.network
    ours = forking.call()
    for index in (0, 1):
        forking.at(index).ring(now=network.now)
    network.run(0.1)
    for index in (0, 1):
        forking.at(index).answer(b"v=0 answer", now=network.now)
    ours.hangup(now=network.now)
    network.settle()
    assert not forking.caller.told(Answered)
    assert [phone.last(Ended).cause for phone in forking.phones] == ["bye", "bye"]
    assert drained(network.counts())


def test_a_fork_that_only_rang_is_forgotten_when_another_answers(forking: Forking):
    network = forking.network
    forking.call()
    forking.at(0).ring(now=network.now)
    network.run(0.1)
    forking.at(1).answer(b"v=0 answer", now=network.now)
    network.run(0.1)
    assert forking.caller.agent.counts()["dialogs"] == 1


def test_a_retransmitted_answer_of_a_lost_fork_is_acknowledged_again(forking: Forking):
    network = forking.network
    forking.call()
    forking.at(0).answer(b"v=0 one", now=network.now)
    network.run(0.1)
    lost = iter([True, False])
    fork = network.drop
    second = forking.phones[1]

    def drop(seen: Seen) -> bool:
        if seen.what in ("ACK", "BYE") and seen.target == second.host and network.now < 1000.5:
            return next(lost, True)
        return fork(seen) if fork is not None else False

    network.drop = drop
    forking.at(1).answer(b"v=0 two", now=network.now)
    network.run(5)
    assert second.last(Ended).cause == "bye"


def test_a_refusal_forgets_all_early_dialogs(forking: Forking):
    network = forking.network
    ours = forking.call()
    for index in (0, 1):
        forking.at(index).ring(now=network.now)
    network.run(0.1)
    forking.at(0).reject(486, now=network.now)
    network.run(0.1)
    assert forking.caller.last(Rejected, ours).status == 486
    assert forking.caller.agent.counts()["dialogs"] == 0


def test_a_flood_of_forks_is_bounded():
    network = Network()
    caller: Node = network.add("10.0.0.1")
    callee = network.add("10.0.0.2")
    caller.call(callee)
    network.run(0.05)
    request = callee.last(IncomingCall).request
    for number in range(1000):
        response = request.respond(180, tag=f"fork{number}", headers=[("Contact", "<sip:x@10.0.0.2>")])
        caller.agent.receive(response.encode(), Hop("udp", callee.host, 5060), network.now)
    assert caller.agent.counts()["dialogs"] <= 16
