"""Transfers: one end asks the other to call a third (REFER), blind or in place of a call it has.

Replaces.
"""

from __future__ import annotations

from typing import Any

import pytest

from sip.events import Answered, Ended, IncomingCall, ReferProgress, Referred, Rejected
from sip.hop import Hop
from sip.message import NameAddr, Uri
from sip.refer import read_replaces
from sip.session import Session
from tests.sip.network import Network, Node, connect, drained, pair


def trio() -> tuple[Network, Node, Node, Node]:
    network, alice, bob = pair()
    return network, alice, bob, network.add("10.0.0.3")


class Phone:
    """A softphone's manners: it answers what rings, takes referrals, makes the call and reports on it."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.referrer: dict[Session, Session] = {}
        node.on_event = self.on_event

    def on_event(self, event: Any) -> None:
        now = self.node.network.now
        if isinstance(event, IncomingCall):
            event.session.answer(b"v=0 answer", now=now)
        elif isinstance(event, Referred):
            event.session.accept_refer(now=now)
            headers = [("Referred-By", event.referred_by)] if event.referred_by else []
            headers += [(name, value) for name, value in event.refer_to.headers if name == "Replaces"]
            target = Uri.sip(event.refer_to.user, event.refer_to.host, event.refer_to.port)
            new = self.node.agent.invite(
                target,
                (Hop("udp", target.host, 5060),),
                from_=self.node.address,
                to=NameAddr("", target),
                offer=b"v=0 offer",
                headers=headers,
                now=now,
            )
            self.referrer[new] = event.session
        elif isinstance(event, Answered) and event.session in self.referrer:
            self.referrer[event.session].notify_refer(200, now=now)
        elif isinstance(event, Rejected) and event.session in self.referrer:
            self.referrer[event.session].notify_refer(event.status, event.reason, now=now)


def test_a_blind_transfer_connects_the_other_two():
    network, alice, bob, carol = trio()
    ours, theirs = connect(network, alice, bob)
    Phone(bob)
    Phone(carol)
    ours.refer(carol.uri, now=network.now)
    network.run(1)
    referred = bob.last(Referred, theirs)
    assert referred.refer_to == carol.uri
    assert referred.referred_by == f"<{alice.uri}>"
    assert [(event.status, event.final) for event in alice.told(ReferProgress)] == [
        (202, False),
        (100, False),
        (200, True),
    ]
    assert carol.last(IncomingCall).request.headers.get("Referred-By") == f"<{alice.uri}>"
    ours.hangup(now=network.now)
    network.run(1)
    assert carol.last(IncomingCall).session.state == "connected"
    carol.last(IncomingCall).session.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


@pytest.mark.parametrize("draining", [False, True])
def test_an_attended_transfer_replaces_the_consultation_also_where_no_new_calls_are_taken(draining: bool):
    network, alice, bob, carol = trio()
    first, _ = connect(network, alice, bob)
    consultation, consulted = connect(network, alice, carol)
    carol.agent.settings.draining = draining
    Phone(bob)
    Phone(carol)
    first.refer(carol.uri, consultation, now=network.now)
    network.run(1)
    incoming = carol.last(IncomingCall)
    assert incoming.replaces is consulted
    assert carol.last(Ended, consulted).cause == "hangup"
    assert alice.last(Ended, consultation).cause == "bye"
    assert alice.last(ReferProgress).final
    assert incoming.session.state == "connected"
    first.hangup(now=network.now)
    network.run(1)
    incoming.session.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_refer_that_names_another_call_of_the_same_pair_says_which():
    # What a back-to-back user agent sees of an attended transfer: both calls are with itself.
    network, phone, engine = pair()
    first, _ = connect(network, phone, engine)
    second, consulted = connect(network, phone, engine)
    first.refer(engine.uri, second, now=network.now)
    network.run(1)
    assert engine.last(Referred).replaces is consulted


def test_a_refused_referral_is_reported():
    network, alice, bob, carol = trio()
    ours, theirs = connect(network, alice, bob)
    ours.refer(carol.uri, now=network.now)
    network.run(0.1)
    theirs.refuse_refer(603, now=network.now)
    network.run(0.1)
    assert [(event.status, event.final) for event in alice.told(ReferProgress)] == [(603, True)]
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_transfer_that_fails_leaves_the_call_as_it_was():
    network, alice, bob, carol = trio()
    ours, theirs = connect(network, alice, bob)
    Phone(bob)
    carol.on_event = lambda event: (
        event.session.reject(486, now=network.now) if isinstance(event, IncomingCall) else None
    )
    ours.refer(carol.uri, now=network.now)
    network.run(1)
    progress = alice.last(ReferProgress)
    assert (progress.status, progress.final) == (486, True)
    assert ours.state == theirs.state == "connected"


def test_reports_go_on_after_the_referrer_has_hung_up():
    network, alice, bob, carol = trio()
    ours, theirs = connect(network, alice, bob)
    ours.refer(carol.uri, now=network.now)
    network.run(0.1)
    theirs.accept_refer(now=network.now)
    network.run(0.1)
    ours.hangup(now=network.now)
    network.run(0.1)
    theirs.notify_refer(200, now=network.now)
    network.run(0.1)
    assert network.said()[-2:] == ["NOTIFY", "200 NOTIFY"]
    ended = [event for event in alice.log if isinstance(event, Ended | ReferProgress)]
    assert isinstance(ended[-1], Ended)
    network.settle()
    assert drained(network.counts())


def test_a_transfer_that_nobody_reports_on_is_given_up():
    network, alice, bob, carol = trio()
    ours, theirs = connect(network, alice, bob)
    ours.refer(carol.uri, now=network.now)
    network.run(0.1)
    theirs.accept_refer(now=network.now)
    network.run(300)
    progress = alice.last(ReferProgress)
    assert (progress.status, progress.final) == (408, True)
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_referral_nobody_considers_does_not_stay_behind():
    network, alice, bob, carol = trio()
    ours, _ = connect(network, alice, bob)
    ours.refer(carol.uri, now=network.now)
    network.run(60)
    assert alice.last(ReferProgress).final
    ours.refer(carol.uri, now=network.now)
    network.run(1)
    assert len(bob.told(Referred)) == 2
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_second_referral_while_the_first_is_considered_is_told_to_wait():
    network, alice, bob, carol = trio()
    ours, _ = connect(network, alice, bob)
    ours.refer(carol.uri, now=network.now)
    ours.refer(carol.uri, now=network.now)
    network.run(0.1)
    assert "491 REFER" in network.said(bob)


@pytest.mark.parametrize("refer_to", ["", "not a uri", "<sip:a@b>, <sip:c@d>"])
def test_a_refer_without_one_readable_target_is_answered_400(refer_to: str):
    network, alice, bob, _ = trio()
    ours, _ = connect(network, alice, bob)
    answers: list[int] = []
    headers = [("Refer-To", refer_to)] if refer_to else []
    ours.send("REFER", lambda _, response, __: answers.append(response.status), network.now, headers=headers)
    network.run(0.1)
    assert answers == [400]
    assert not bob.told(Referred)


def test_a_referrer_may_do_without_reports():
    network, alice, bob, carol = trio()
    ours, theirs = connect(network, alice, bob)
    headers = [("Refer-To", f"<{carol.uri}>"), ("Refer-Sub", "false")]
    ours.send("REFER", lambda *_: None, network.now, headers=headers)
    network.run(0.1)
    theirs.accept_refer(now=network.now)
    theirs.notify_refer(200, now=network.now)
    network.run(0.1)
    assert "NOTIFY" not in network.said()
    ours.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_notify_for_nothing_is_answered_481():
    network, alice, bob = pair()
    ours, _ = connect(network, alice, bob)
    answers: list[int] = []
    for event in ("refer;id=1", "dialog"):
        ours.send(
            "NOTIFY",
            lambda _, response, __: answers.append(response.status),
            network.now,
            headers=[("Event", event), ("Subscription-State", "active")],
        )
        network.run(0.1)
    assert answers == [481, 489]


@pytest.mark.parametrize(
    ("replaces", "status"),
    [
        ("nobody@nowhere;to-tag=1;from-tag=2", 481),
        ("broken", 400),
    ],
)
def test_an_invite_that_replaces_no_call_of_ours_is_refused(replaces: str, status: int):
    network, alice, bob = pair()
    ours = alice.call(bob, headers=[("Replaces", replaces)])
    network.run(1)
    assert alice.last(Rejected, ours).status == status
    assert not bob.told(IncomingCall)


def test_only_an_unanswered_call_may_be_replaced_when_the_caller_says_so():
    network, alice, bob, carol = trio()
    _, theirs = connect(network, alice, bob)
    dialog = theirs.dialog
    value = f"{dialog.call_id};to-tag={dialog.local_tag};from-tag={dialog.remote_tag};early-only"
    new = carol.call(bob, headers=[("Replaces", value)])
    network.run(1)
    assert carol.last(Rejected, new).status == 486
    assert theirs.state == "connected"


def test_an_unanswered_call_of_ours_is_picked_up_by_replacing_it():
    network, alice, bob, carol = trio()
    ours = alice.call(bob)
    network.run(0.05)
    ringing = bob.last(IncomingCall).session
    ringing.ring(now=network.now)
    network.run(0.05)
    dialog = ours.dialog
    value = f"{dialog.call_id};to-tag={dialog.local_tag};from-tag={dialog.remote_tag}"
    carol.call(alice, headers=[("Replaces", value)])
    network.run(0.1)
    incoming = alice.last(IncomingCall)
    assert incoming.replaces is ours
    incoming.session.answer(b"v=0 answer", now=network.now)
    network.run(1)
    assert "CANCEL" in network.said(alice)
    assert bob.last(IncomingCall).session.state == "ended"


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("a@b;to-tag=1;from-tag=2", (("a@b", "1", "2"), False)),
        ("a@b ; from-tag=2 ;to-tag=1;early-only", (("a@b", "1", "2"), True)),
        ("a@b;to-tag=1;from-tag=0", (("a@b", "1", ""), False)),
        ("a@b;to-tag=1", None),
        (";to-tag=1;from-tag=2", None),
        ('a@b;to-tag="', None),
    ],
)
def test_replaces_is_read_from_our_side(value: str, read: object):
    assert read_replaces(value) == read
