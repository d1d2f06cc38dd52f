"""Another user agent goes on with a session, in the middle of whatever it was in."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from sip import snapshot as snapshots
from sip.agent import UserAgent
from sip.errors import BadSnapshot, WrongState
from sip.events import Ended, IncomingCall, Reanswered, Rejected, Reoffered
from sip.message import Request
from sip.refer import replaces_value
from sip.session import Session
from sip.snapshot import JUMP, Snapshot
from tests.sip.network import Network, Node, Weather, connect, drained, pair

PROXY = "10.0.0.9"
WEATHERS = {"calm": Weather(), "rough": Weather(jitter=0.05, loss=0.1, duplication=0.05)}


def answering(network: Network, node: Node, answer: bytes = b"v=0 moved") -> None:
    def on_event(event: object) -> None:
        if isinstance(event, Reoffered):
            event.session.accept(answer, now=network.now)

    node.on_event = on_event


def die(network: Network, node: Node) -> None:
    """Nothing that is sent there arrives, and nothing more comes from there."""
    del network.nodes[node.host]


def taken_up(network: Network, node: Node, session: Session, by: str = "10.0.0.3") -> tuple[Node, Session]:
    """`node` dies, and another one has its session, written down and read."""
    snapshot = node.agent.snapshot(session)
    assert snapshot is not None
    die(network, node)
    heir = network.nodes.get(by) or network.add(by)
    return heir, heir.agent.restore(Snapshot.read(snapshot.plain()), now=network.now)


@pytest.mark.parametrize("weather", WEATHERS)
@pytest.mark.parametrize("caller_dies", [True, False], ids=["the caller's", "the callee's"])
@pytest.mark.parametrize("peer_ends", [True, False], ids=["they hang up", "we hang up"])
def test_a_session_goes_on_at_another_address(weather: str, caller_dies: bool, peer_ends: bool):
    network, caller, callee = pair(seed=7)
    ours, theirs = connect(network, caller, callee)
    network.weather = WEATHERS[weather]
    dead, peer = (caller, callee) if caller_dies else (callee, caller)
    lost, kept = (ours, theirs) if caller_dies else (theirs, ours)
    answering(network, peer)
    heir, session = taken_up(network, dead, lost)
    session.reoffer(b"v=0 new place", now=network.now)
    network.run(40)
    assert heir.last(Reanswered, session).sdp == b"v=0 moved"
    assert kept.dialog.target.host == "10.0.0.3"
    (kept if peer_ends else session).hangup(now=network.now)
    network.settle()
    assert peer.last(Ended, kept).cause == ("hangup" if peer_ends else "bye")
    assert heir.last(Ended, session).cause == ("bye" if peer_ends else "hangup")
    assert drained(network.counts())


def test_our_numbers_jump_over_what_was_said_since_it_was_written():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    answering(network, callee)
    written = caller.agent.snapshot(ours)
    for _ in range(3):
        ours.reoffer(b"v=0 more", now=network.now)
        network.run(1)
    die(network, caller)
    heir = network.add("10.0.0.3")
    session = heir.agent.restore(written, now=network.now)
    session.reoffer(b"v=0 new place", now=network.now)
    network.run(1)
    assert heir.last(Reanswered, session).sdp == b"v=0 moved"
    assert session.dialog.local_seq == written.local_seq + JUMP + 1


def test_it_can_be_handed_on_again_and_again():
    network, caller, callee = pair()
    session, theirs = connect(network, caller, callee)
    answering(network, callee)
    node = caller
    for last in range(3, 8):
        node, session = taken_up(network, node, session, f"10.0.0.{last}")
        session.reoffer(b"v=0 here", now=network.now)
        network.run(1)
        assert theirs.dialog.target.host == f"10.0.0.{last}"
    session.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_node_that_died_with_our_ack_unsent_leaves_no_call_unacknowledged():
    network, caller, callee = pair()
    ours = caller.call(callee)
    network.run(0.1)
    network.drop = lambda seen: seen.what == "ACK" and seen.source == caller.host
    theirs = callee.last(IncomingCall).session
    theirs.answer(b"v=0 answer", now=network.now)
    network.run(0.1)
    assert (ours.state, theirs.state) == ("connected", "answered")
    answering(network, callee)
    _, session = taken_up(network, caller, ours)
    session.reoffer(b"v=0 here", now=network.now)
    network.run(60)
    assert (session.state, theirs.state) == ("connected", "connected")


def test_a_node_that_died_before_the_ack_came_goes_on_all_the_same():
    network, caller, callee = pair()
    ours = caller.call(callee)
    network.run(0.1)
    network.drop = lambda seen: seen.what == "ACK" and seen.target == callee.host
    theirs = callee.last(IncomingCall).session
    theirs.answer(b"v=0 answer", now=network.now)
    network.run(0.1)
    assert (ours.state, theirs.state) == ("connected", "answered")
    answering(network, caller)
    _, session = taken_up(network, callee, theirs)
    session.reoffer(b"v=0 here", now=network.now)
    network.run(60)
    assert (session.state, ours.state) == ("connected", "connected")


def test_a_hold_on_its_way_to_the_node_that_died_is_over_before_ours_is_taken():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    written = caller.agent.snapshot(ours)
    die(network, caller)
    theirs.reoffer(b"v=0 hold", now=network.now)  # nobody is there to hear it
    answering(network, callee)
    network.run(0.5)
    heir = network.add("10.0.0.3")
    session = heir.agent.restore(written, now=network.now)
    answering(network, heir, b"v=0 held")
    session.reoffer(b"v=0 here", now=network.now)
    network.run(1)
    assert "491 INVITE" in network.said(callee)
    network.nodes[caller.host] = heir  # a proxy that knows the node to be dead brings the rest here
    network.run(20)
    assert callee.last(Reanswered, theirs).sdp == b"v=0 held"
    assert heir.last(Reanswered, session).sdp == b"v=0 moved"


def test_what_was_heard_and_never_answered_may_come_again_under_its_own_number():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    theirs.reoffer(b"v=0 hold", now=network.now)
    network.run(0.1)
    assert caller.last(Reoffered, ours).sdp == b"v=0 hold"  # and its owner dies over the answer
    heir, _ = taken_up(network, caller, ours)
    answering(network, heir, b"v=0 held")
    network.nodes[caller.host] = heir
    network.run(2)
    assert callee.last(Reanswered, theirs).sdp == b"v=0 held"


@pytest.mark.parametrize("we_refresh", [True, False], ids=["we refresh", "they refresh"])
@pytest.mark.parametrize("reoffers", [True, False], ids=["told at once", "told by the refresh"])
def test_a_session_whose_refresh_is_due_lives_on(we_refresh: bool, reoffers: bool):
    network, caller, callee = pair(session_expires=90, we_refresh=True)
    ours, theirs = connect(network, caller, callee)
    dead, peer, lost, kept = (callee, caller, theirs, ours) if we_refresh else (caller, callee, ours, theirs)
    answering(network, peer)
    network.run(43)  # seconds; half of 90 is when it is refreshed
    heir, session = taken_up(network, dead, lost)
    answering(network, heir)
    network.nodes[dead.host] = heir
    if reoffers:
        session.reoffer(b"v=0 here", now=network.now)
    network.run(300)
    assert (session.state, kept.state) == ("connected", "connected")


def test_a_peer_behind_a_proxy_is_reached_by_the_route_that_stands():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    ours.dialog.route_set = (f"<sip:{PROXY};lr>", "<sip:10.0.0.8;lr>")
    ours.dialog.symmetric = False
    _, session = taken_up(network, caller, ours)
    session.reoffer(b"v=0 here", now=network.now)
    network.flush_all()
    (sent,) = [seen for seen in network.trace if seen.target == PROXY and seen.what == "INVITE"]
    assert isinstance(sent.message, Request)
    assert sent.message.headers.all("Route") == [f"<sip:{PROXY};lr>", "<sip:10.0.0.8;lr>"]
    assert sent.message.headers.get("Contact") == "<sip:user1@10.0.0.3:5060>"


def test_whoever_has_lost_a_dialog_to_another_says_nothing_more_in_it():
    network, caller, callee = pair()
    ours, theirs = connect(network, caller, callee)
    answering(network, callee)
    heir = network.add("10.0.0.3")
    session = heir.agent.restore(caller.agent.snapshot(ours), now=network.now)
    session.reoffer(b"v=0 here", now=network.now)
    network.run(1)
    before = len(network.trace)
    ours.surrender(now=network.now)
    network.run(60)
    assert network.said(caller, since=before) == []
    assert caller.told(Ended, ours) == []
    assert theirs.state == "connected"
    assert drained(caller.agent.counts())


def test_a_call_that_only_rings_cannot_be_written_down():
    network, caller, callee = pair()
    ours = caller.call(callee)
    network.run(0.1)
    theirs = callee.last(IncomingCall).session
    assert caller.agent.snapshot(ours) is None
    assert callee.agent.snapshot(theirs) is None
    ours.hangup(now=network.now)
    network.run(1)
    assert caller.agent.snapshot(ours) is None


def test_a_dialog_is_restored_once():
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    with pytest.raises(WrongState):
        caller.agent.restore(caller.agent.snapshot(ours), now=network.now)


@pytest.mark.parametrize(("shares", "status"), [(False, 481), (True, 503)])
def test_who_comes_back_to_the_wrong_one_of_us_is_sent_on(shares: bool, status: int):
    """A page whose dialog another node has taken up: the proxy in front asks the next after a 503 alone."""
    network, caller, callee = pair()
    other = network.add("10.0.0.3", shares_dialogs=shares)
    ours, _ = connect(network, caller, callee)
    again = caller.call(other, headers=[("Replaces", replaces_value(ours) or ""), ("Require", "replaces")])
    network.run(1)
    assert caller.last(Rejected, again).status == status
    assert (caller.last(Rejected, again).retry_after is not None) is shares


# --- what is read ------------------------------------------------------------------------------------------


@pytest.fixture
def plain() -> list[Any]:
    network, caller, callee = pair()
    ours, _ = connect(network, caller, callee)
    ours.dialog.route_set = (f"<sip:{PROXY};lr>",)
    return caller.agent.snapshot(ours).plain()


def test_what_is_written_reads_as_the_same(plain: list[Any]):
    assert Snapshot.read(plain).plain() == plain


NAMES = ["version", *Snapshot.__dataclass_fields__]
WRONG = {
    "version": [0, 2, True, "1", None],
    "direction": ["both", None],
    "call_id": ["", "a\r\nVia: x", "x" * 3000, 7],
    "local": ["<sip:a@b>\r\nX: y", "no uri <", 1],
    "remote": ["<http://x", None],
    "target": ["tel:+49", "sip:", "sip:a b@c", []],
    "routes": [["<sip:p;lr>"] * 21, ["\n"], "<sip:p;lr>", [1]],
    "hop": [
        ["udp", "a.name", 5060, ""],
        ["smoke", "10.0.0.1", 5060, ""],
        ["udp", "10.0.0.1", 0, ""],
        ["udp"],
    ],
    "symmetric": [1, None],
    "local_seq": [-1, 2**31, True, 1.5],
    "remote_seq": [-1, 2**32, "7"],
    "acknowledges": ["yes"],
    "methods": [["x"] * 65, [1]],
    "options": [{"a": 1}],
    "interval": [-1, 10**6],
    "refreshes": [0],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, each in WRONG.items() for value in each])
def test_what_is_not_quite_a_session_is_refused(plain: list[Any], name: str, value: object):
    plain[NAMES.index(name)] = value
    with pytest.raises(BadSnapshot):
        Snapshot.read(plain)


@pytest.mark.parametrize("value", [None, 7, "text", {}, [], [1], b"bytes"])
def test_what_is_nothing_of_the_kind_is_refused(value: object):
    with pytest.raises(BadSnapshot):
        Snapshot.read(value)


def test_whatever_is_read_can_be_restored_or_is_refused(plain: list[Any]):
    rng, network = Random(3), Network()
    pool: list[Any] = [
        None,
        -1,
        0,
        1,
        2**31 - 1,
        "",
        "x",
        "<sip:a@b>",
        "sip:a@[::1]",
        True,
        [],
        ["<sip:p>"],
        0.5,
    ]
    agent: UserAgent = network.add("10.0.0.3").agent
    for _ in range(400):
        mutated = list(plain)
        for _ in range(rng.randrange(1, 4)):
            mutated[rng.randrange(len(mutated))] = rng.choice(pool)
        try:
            session = agent.restore(Snapshot.read(mutated), now=network.now)
        except (BadSnapshot, WrongState):
            continue
        session.reoffer(b"v=0 here", now=network.now)
        session.hangup(now=network.now)
    network.settle()
    assert drained(network.counts())


def test_a_snapshot_holds_no_description_and_no_key(plain: list[Any]):
    assert "v=0" not in str(plain)
    assert plain[0] == snapshots.VERSION
