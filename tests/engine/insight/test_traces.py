"""Whose dialogs are whose: forks, transfers, calls that were refused, and what is left behind."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from engine.insight.facts import Facts
from sip.uri import Uri
from tests.engine.insight.planted import end, rendered, stage, talk
from tests.engine.insight.watched import Watched
from tests.sim.phones import Phone
from tests.sim.stage import Stage


def sides(watched: Watched) -> set[str]:
    return {each.side for each in watched.trace().messages}


def test_a_call_is_kept_with_both_sides_and_its_last_messages_and_then_let_go_of(tmp_path: Path) -> None:
    made, watched, customer = talk(tmp_path)
    made.run(8.0)
    assert len(watched.traces) == 1 and len(watched.ladders) == 2
    end(made, customer)
    assert (len(watched.traces), len(watched.ladders), watched.ladders.size) == (0, 0, 0)
    trace = watched.trace()
    assert sides(watched) == {"customer", "agent"}
    assert {each.who for each in trace.messages if each.side == "agent"} == {made.agents[0].name}
    assert [each.text.split(" ")[0] for each in trace.messages].count("BYE") == 2
    assert trace.messages[-1].text.startswith("SIP/2.0 200"), "the answer to the last BYE"
    assert all(before.at <= after.at for before, after in pairwise(trace.messages))
    assert {each.side for each in trace.quality} == {"customer", "agent"}


def test_all_legs_of_a_call_are_told_by_the_call_id_of_its_first(tmp_path: Path) -> None:
    """From their first message on: a collector puts them together by it."""
    made, watched, customer = talk(tmp_path)
    told: list[tuple[bytes, bytes]] = []
    watched.ladders.watch = lambda rung, call_id: told.append((call_id, watched.traces.first_of(call_id)))
    made.run(8.0)
    end(made, customer)
    own = {call_id for call_id, first in told if call_id == first}
    assert len({call_id for call_id, _ in told}) == 2
    assert own == {told[0][0]} == {first for _, first in told}
    assert watched.traces.first_of(b"of nobody") == b"of nobody"


def test_figures_tell_buffer_level_and_speech_of_legs_that_are_heard(tmp_path: Path) -> None:
    made, watched, customer = talk(tmp_path)
    rendered(made)
    made.run(12.0)
    end(made, customer)
    leg = next(each for each in watched.trace().quality if each.side == "customer")
    sample = leg.samples[1]
    assert sample.codec == "PCMA" and sample.received > 200 and sample.buffer_ms > 0
    assert sample.level_db is not None and -30.0 < sample.level_db < 0.0
    assert sample.speech is not None and sample.speech > 0.8


def test_a_call_that_is_refused_has_its_messages(tmp_path: Path) -> None:
    made, watched = stage(tmp_path)
    made.customer("+4930999")
    made.run(8.0)
    assert [each.text.split("\r\n")[0] for each in watched.trace().messages] == [
        "INVITE sip:+4930999@isogloss.test SIP/2.0",
        "SIP/2.0 404 Not Found",
        "ACK sip:+4930999@isogloss.test SIP/2.0",
    ]
    (refusal,) = watched.ladders.refusals()
    assert refusal.status == 404


def test_a_leg_that_goes_to_another_call_takes_its_messages_along(tmp_path: Path) -> None:
    made = Stage(tmp_path, agents=2)
    watched = Watched(made)
    customer = made.customer()
    made.run(6.0)
    first = next(phone for phone in made.agents if phone.session is not None and phone.live)
    other = next(phone for phone in made.agents if phone is not first)
    held = first.session
    assert held is not None
    consulting = first.call(other.name, first.name, first.credentials)
    made.run(3.0)
    assert consulting.state == "connected"
    held.refer(Uri.parse(f"sip:{other.name}@isogloss.test"), replaces=consulting, now=made.world.now)
    first.host.pump()
    made.run(5.0)
    (call,) = made.calls.values()
    look = watched.traces.look(call.id)
    assert look is not None
    hosts = {each.host for each in look.trace().messages}
    assert {customer.address, other.address} <= hosts
    end(made, customer)
    assert (len(watched.traces), len(watched.ladders)) == (0, 0)


@pytest.mark.parametrize("status", [401, 403])
def test_a_stranger_leaves_nothing_but_a_refusal(tmp_path: Path, status: int) -> None:
    made, watched = stage(tmp_path)
    stranger = Phone(made.world, "172.16.0.9", made.world.rng)
    user = "+491701234" if status == 401 else "agent0"
    credentials = None if status == 401 else made.agent.credentials
    if status == 403:
        user = "agent7"
    stranger.call("+4930100", user, credentials)
    made.run(5.0)
    assert len(watched.traces) == 0
    found = watched.ladders.refusals(challenges=status == 401)
    assert [(each.status, each.response.hop.host) for each in found] == [(status, stranger.address)]


def test_a_node_that_stops_hands_on_what_it_has(tmp_path: Path) -> None:
    made, watched, _customer = talk(tmp_path)
    made.run(5.0)
    watched.traces.close()
    assert watched.looks and len(watched.traces) == 0
    assert Facts(watched.case()).connected
