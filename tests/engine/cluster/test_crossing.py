"""A caller at one node and an agent at another: whole nodes, whose user agents, media and queues are real."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.events import EndReason, Side
from engine.states import State
from routing.agent import AgentState
from sip.hop import Hop
from sip.uri import Uri
from tests.sim.house import DOMAIN
from tests.sim.several import Several


@pytest.fixture
def several(tmp_path: Path) -> Several:
    return Several(tmp_path, agents=3)


def test_a_caller_reaches_an_agent_of_another_node_and_has_one_record(several: Several) -> None:
    agent = several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.run(6.0)
    (call,), (crossed,) = a.calls, b.calls
    assert (call.state, crossed.state) == (State.TALKING, State.TALKING)
    assert (call.agent, crossed.agent) == ("agent1", "agent1")
    assert call.party is not None and call.party.suite
    assert b.house.switch.acd.agents["agent1"].state is AgentState.TALKING
    agent.hang_up(agent.session)  # type: ignore[arg-type]
    agent.host.pump()
    several.run(3.0)
    (record,) = a.records
    assert (record.reason, record.ended_by, record.agent) == (EndReason.COMPLETED, Side.AGENT, "agent1")
    assert not b.records and not b.calls and not a.calls
    assert b.house.switch.acd.agents["agent1"].state is AgentState.AVAILABLE


def test_the_nearest_free_agent_is_rung_and_the_local_one_before_any_other(several: Several) -> None:
    several.agent(1, "b")
    several.agent(2, "a")
    several.customer("a")
    several.run(4.0)
    (call,) = several.nodes["a"].calls
    assert (call.state, call.agent) == (State.TALKING, "agent2")


def test_an_agent_who_does_not_answer_is_counted_a_miss_at_her_node_and_the_caller_stays_first(
    several: Several,
) -> None:
    agent = several.agent(1, "b")
    agent.answers = False
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: b.house.switch.acd.agents["agent1"].misses == 1, 15.0)
    several.until(lambda: a.calls[0].misses == 1, 1.0)
    assert a.calls[0].state in (State.QUEUED, State.OFFERED)
    agent.answers = True
    several.until(lambda: a.calls[0].state is State.TALKING, 15.0)


def test_a_caller_who_gives_up_stops_the_ringing_and_costs_the_agent_nothing(several: Several) -> None:
    agent = several.agent(1, "b")
    agent.answers = False
    b = several.nodes["b"]
    caller = several.customer("a")
    several.until(lambda: b.house.switch.acd.agents["agent1"].state is AgentState.OFFERED, 3.0)
    caller.hang_up(caller.session)  # type: ignore[arg-type]
    caller.host.pump()
    several.run(3.0)
    found = b.house.switch.acd.agents["agent1"]
    assert (found.state, found.misses) == (AgentState.AVAILABLE, 0)
    assert not b.calls
    assert [record.reason for record in several.nodes["a"].records] == [EndReason.ABANDONED]


def test_two_nodes_that_want_one_agent_get_her_one_after_the_other(several: Several) -> None:
    agent = several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    first = several.customer("a")
    several.customer("b", caller="+491701235")
    several.run(6.0)
    assert len(agent.live) == 1
    states = sorted(call.state for call in [*a.calls, *b.calls] if call.origin is None)
    assert states == [State.QUEUED, State.TALKING]
    assert first.live
    agent.hang_up(agent.session)  # type: ignore[arg-type]
    agent.host.pump()
    several.until(lambda: any(c.state is State.TALKING for c in [*a.calls, *b.calls]), 6.0)


def test_an_agent_of_another_node_holds_and_takes_back(several: Several) -> None:
    agent = several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    agent.hold()
    several.until(lambda: b.calls[0].state is State.HELD, 1.0)
    several.until(lambda: a.calls[0].state is State.HELD, 1.0)
    several.run(4.0)
    agent.take_back()
    several.until(lambda: b.calls[0].state is State.TALKING, 1.0)
    several.until(lambda: a.calls[0].state is State.TALKING, 1.0)
    several.run(2.0)
    agent.hang_up(agent.session)  # type: ignore[arg-type]
    agent.host.pump()
    several.run(3.0)
    (record,) = a.records
    assert record.hold_s == pytest.approx(4.0, abs=0.3)
    assert record.talk_s == pytest.approx(2.0, abs=1.5)


def test_a_customer_whom_an_agent_elsewhere_transfers_out_of_a_hold_is_held_no_more(several: Several) -> None:
    first = several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    several.agent(2, "b")
    first.hold()
    several.until(lambda: a.calls[0].state is State.HELD, 1.0)
    assert first.session is not None
    first.session.refer(Uri.parse(f"sip:agent2@{DOMAIN}"), now=several.world.now)
    first.host.pump()
    several.until(lambda: b.calls[0].agent == "agent2", 6.0)
    several.run(1.0)
    assert a.calls[0].state is State.TALKING


def test_a_customer_is_transferred_to_an_agent_of_another_node(several: Several) -> None:
    first, second = several.agent(2, "a"), several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].agent == "agent2", 6.0)
    assert first.session is not None
    first.session.refer(Uri.parse(f"sip:agent1@{DOMAIN}"), now=several.world.now)
    first.host.pump()
    several.until(lambda: a.calls[0].agent == "agent1", 6.0)
    assert len(second.live) == 1 and not first.live
    second.hang_up(second.session)  # type: ignore[arg-type]
    second.host.pump()
    several.run(3.0)
    (record,) = a.records
    assert (record.agent, record.transfers) == ("agent1", 1)
    assert not b.records


def test_an_agent_of_another_node_transfers_a_customer_to_her_colleague_there(several: Several) -> None:
    first = several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    second = several.agent(2, "b")
    assert first.session is not None
    first.session.refer(Uri.parse(f"sip:agent2@{DOMAIN}"), now=several.world.now)
    first.host.pump()
    several.until(lambda: b.calls and b.calls[0].agent == "agent2", 6.0)
    second.hang_up(second.session)  # type: ignore[arg-type]
    second.host.pump()
    several.run(3.0)
    assert [record.reason for record in a.records] == [EndReason.COMPLETED]
    assert not b.records and not b.calls


def test_an_agent_is_called_by_her_number_whatever_node_she_is_at(several: Several) -> None:
    several.agent(1, "b")
    several.customer("a", number="agent1")
    a, b = several.nodes["a"], several.nodes["b"]
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    assert a.calls[0].agent == "agent1"
    assert b.house.switch.acd.agents["agent1"].state is AgentState.TALKING


def test_an_agents_node_that_dies_while_she_is_rung_gives_the_caller_to_the_next_agent(
    several: Several,
) -> None:
    several.agent(1, "b").answers = False
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.OFFERED, 3.0)
    several.run(0.5)
    b.kill()
    several.agent(2, "a")
    several.until(lambda: a.calls[0].state is State.TALKING, 8.0)
    assert a.calls[0].agent == "agent2"


def test_an_agents_node_that_dies_under_a_talk_makes_the_customer_the_next_in_the_queue(
    several: Several,
) -> None:
    several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    several.customer("a", caller="+491701299")
    several.run(1.0)
    b.kill()
    several.until(lambda: a.calls[0].state is State.QUEUED, 15.0)
    queue = a.house.switch.acd.queues["sales"]
    assert queue.position(a.calls[0].id) == 1


def test_a_callers_node_that_dies_frees_the_agent_it_rang(several: Several) -> None:
    several.agent(1, "b").answers = False
    b = several.nodes["b"]
    several.customer("a")
    several.until(lambda: b.house.switch.acd.agents["agent1"].state is AgentState.OFFERED, 3.0)
    several.nodes["a"].kill()
    several.until(lambda: b.house.switch.acd.agents["agent1"].state is AgentState.AVAILABLE, 3.0)
    assert b.house.switch.acd.agents["agent1"].misses == 0


def test_a_waiting_caller_whose_node_dies_calls_another_and_is_where_she_was(several: Several) -> None:
    b = several.nodes["b"]
    several.customer("a", caller="+491701111")
    several.run(1.0)
    several.customer("b", caller="+491702222")
    several.run(1.0)
    several.nodes["a"].kill()
    several.run(3.0)
    several.customer("b", caller="+491701111")
    several.run(1.0)
    first, again = (call for call in sorted(b.calls, key=lambda call: call.id))
    queue = b.house.switch.acd.queues["sales"]
    assert (queue.position(again.id), queue.position(first.id)) == (1, 2)


def test_an_outage_of_the_store_ends_no_call_and_offers_nobody_twice(several: Several) -> None:
    phones = [several.agent(1, "b"), several.agent(2, "a")]
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.customer("b", caller="+491701235")
    several.until(
        lambda: sum(c.state is State.TALKING and not c.origin for c in [*a.calls, *b.calls]) == 2, 8.0
    )
    for node in (a, b):
        node.store.cut(several.world.now)
    for n in range(4):
        several.customer("ab"[n % 2], caller=f"+49170888{n}")
    several.run(5.0)
    assert all(len(phone.live) == 1 for phone in phones)
    several.server.lose()
    for node in (a, b):
        node.store.mend(several.world.now)
    several.run(3.0)
    for phone in phones:
        phone.hang_up(phone.session)  # type: ignore[arg-type]
        phone.host.pump()
    several.run(8.0)
    assert all(len(phone.live) == 1 for phone in phones)
    waiting = [[place.call for place in node.house.switch.acd.queues["sales"].waiting] for node in (a, b)]
    assert waiting[0] == waiting[1]
    assert len(waiting[0]) == 2
    assert not [
        record for node in (a, b) for record in node.records if record.reason is not EndReason.COMPLETED
    ]


def test_who_knows_the_names_of_a_dialog_between_nodes_and_has_no_certificate_changes_nothing(
    several: Several,
) -> None:
    several.agent(1, "b")
    a, b = several.nodes["a"], several.nodes["b"]
    several.customer("a")
    several.until(lambda: a.calls and a.calls[0].state is State.TALKING, 6.0)
    dialog = b.calls[0].customer.session.dialog  # type: ignore[union-attr]
    bye = (
        f"BYE sip:x@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.66.0.1;branch=z9hG4bKx\r\nMax-Forwards: 70\r\n"
        f"From: {dialog.remote}\r\nTo: {dialog.local}\r\nCall-ID: {dialog.call_id}\r\n"
        f"CSeq: {(dialog.remote_seq or 0) + 1} BYE\r\nContent-Length: 0\r\n\r\n"
    )
    b.house.agent.receive(bye.encode(), Hop("udp", "10.66.0.1", 5060), several.world.now)
    answered = [data for data, _ in b.house.agent.outgoing()]
    assert answered[0].startswith(b"SIP/2.0 403")
    several.run(2.0)
    assert (a.calls[0].state, b.calls[0].state) == (State.TALKING, State.TALKING)
