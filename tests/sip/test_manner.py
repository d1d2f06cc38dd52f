"""What a line wants in every message of its calls, and questions whether its far end is there."""

from __future__ import annotations

from typing import Any

import pytest

from sip.digest import Credentials
from sip.events import IncomingCall, OptionsAnswered
from sip.hop import Hop
from sip.manner import PLAIN, Manner
from sip.message import Request
from sip.stack import SUPPORTED
from sip.uri import Uri
from tests.sip.network import Network, Node, Seen, connect, drained, pair

ACCESS = ("P-Access-Network-Info", "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=0010100010000001")
LINE = Manner(always=(ACCESS,), supported=("100rel", "tdialog"), features='+g.3gpp.icsi-ref="urn%3Ax"')


def lines(seen: Seen, name: str) -> list[str]:
    return seen.message.headers.all(name)


def a_call_with_everything(**options: Any) -> tuple[Network, Node]:
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee, **options)
    ours.reoffer(b"v=0 changed", now=network.now)
    network.flush(caller)
    network.run(0.1)
    theirs.accept(b"v=0 fine", now=network.now)
    network.flush(callee)
    network.run(0.1)
    theirs.info_dtmf("5", now=network.now)
    ours.info_dtmf("4", now=network.now)
    network.flush_all()
    network.run(0.1)
    ours.hangup(now=network.now)
    network.settle()
    return network, caller


def test_every_message_of_a_call_but_the_ack_names_the_access_network():
    network, caller = a_call_with_everything(manner=LINE)
    ours = [seen for seen in network.trace if seen.source == caller.host]
    assert {seen.what for seen in ours} >= {"INVITE", "ACK", "INFO", "200 INFO", "BYE"}
    for seen in ours:
        assert lines(seen, ACCESS[0]) == ([] if seen.what == "ACK" else [ACCESS[1]]), seen.what
    theirs = [seen for seen in network.trace if seen.source != caller.host]
    assert not [seen for seen in theirs if ACCESS[0] in seen.message.headers]


def test_a_cancel_does_not_name_it():
    network, caller, callee = pair()
    session = caller.call(callee, manner=LINE)
    network.run(0.1)
    session.hangup(now=network.now)
    network.settle()
    (cancel,) = [seen for seen in network.trace if seen.what == "CANCEL"]
    assert ACCESS[0] not in cancel.message.headers


def test_the_callee_of_a_line_names_it_in_its_answers_and_its_requests():
    network, caller, callee = pair()
    caller.call(callee)
    network.run(0.1)
    session = callee.last(IncomingCall).session
    session.manner = LINE
    session.ring(now=network.now)
    session.answer(b"v=0 answer", now=network.now)
    network.run(0.1)
    session.hangup(now=network.now)
    network.settle()
    answers = [seen for seen in network.trace if seen.source == callee.host and "100" not in seen.what]
    assert [seen.what for seen in answers] == ["180 INVITE", "200 INVITE", "BYE"]
    assert all(lines(seen, ACCESS[0]) == [ACCESS[1]] for seen in answers)


def test_option_tags_are_said_once_each():
    assert LINE.options(SUPPORTED) == f"{SUPPORTED}, tdialog"
    assert PLAIN.options(SUPPORTED) == SUPPORTED
    network, caller = a_call_with_everything(manner=LINE)
    offers = [seen for seen in network.trace if seen.source == caller.host and seen.what == "INVITE"]
    assert len(offers) == 2
    assert all(lines(seen, "Supported") == [f"{SUPPORTED}, tdialog"] for seen in offers)


def test_features_stand_behind_our_contact():
    network, _ = a_call_with_everything(manner=LINE)
    (contact,) = lines(network.trace[0], "Contact")
    assert contact == '<sip:user1@10.0.0.1:5060>;+g.3gpp.icsi-ref="urn%3Ax"'


def test_a_telephone_number_is_called_by_the_route_that_is_given():
    network, caller, callee = pair()
    target = Uri.parse("tel:+442071838750")
    caller.call(
        callee,
        target=target,
        hops=(),
        route=("<sip:10.0.0.2;lr>", "<sip:orig@10.9.9.9;lr>"),
        headers=[("P-Preferred-Identity", "<sip:+34910601234@ims.example>")],
    )
    network.run(0.1)
    invite = callee.last(IncomingCall).request
    assert str(invite.uri) == "tel:+442071838750"
    assert invite.headers.all("Route") == ["<sip:10.0.0.2;lr>", "<sip:orig@10.9.9.9;lr>"]
    assert invite.headers.get("P-Preferred-Identity") == "<sip:+34910601234@ims.example>"


# ------------------------------------------------------------------------------------------------- questions


def ask(network: Network, node: Node, other: str, **options: Any) -> OptionsAnswered:
    hop = Hop("udp", other, 5060)
    number = node.agent.options(Uri.sip("", other), (hop,), network.now, **options)
    network.flush(node)
    network.run(40.0)
    (answer,) = node.told(OptionsAnswered)
    assert answer.id == number
    return answer  # type: ignore[no-any-return]


def test_the_answer_to_a_question_comes_with_the_time_it_took():
    network, caller, callee = pair()
    answer = ask(network, caller, callee.host, headers=[ACCESS])
    assert (answer.status, answer.cause) == (200, "response")
    assert answer.seconds == pytest.approx(0.02)
    assert lines(network.trace[0], ACCESS[0]) == [ACCESS[1]]
    assert isinstance(network.trace[0].message, Request)


@pytest.mark.parametrize(("patience", "after"), [(0.5, 0.5), (None, 32.0)])
def test_nobody_is_waited_for_longer_than_wanted(patience: float | None, after: float):
    network, caller, _ = pair()
    answer = ask(network, caller, "10.0.0.99", patience=patience)
    assert (answer.status, answer.cause) == (None, "timeout")
    assert answer.seconds == pytest.approx(after, abs=0.01)
    assert drained(network.counts())


def test_an_answer_that_comes_too_late_is_not_heard():
    network, caller, callee = pair()
    network.weather.delay = 1.0
    answer = ask(network, caller, callee.host, patience=0.5)
    assert answer.status is None
    assert len(caller.told(OptionsAnswered)) == 1


def test_where_nothing_can_be_sent_that_is_known_at_once():
    network, caller, _ = pair()
    network.unreachable.add("10.0.0.99")
    answer = ask(network, caller, "10.0.0.99", credentials=Credentials("us", "secret"))
    assert (answer.status, answer.cause, answer.seconds) == (None, "transport", 0.0)
