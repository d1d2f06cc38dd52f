"""What is written of a call is read as it was, and nothing else is read at all."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from engine.cluster import replica
from engine.cluster.replica import BadReplica, CallReplica, Farewell, LegReplica, Recorded, Told, Waited
from engine.events import EndReason, Side
from engine.states import State
from routing.number import (
    AgentTarget,
    Announce,
    Destination,
    Feature,
    FeatureCode,
    LineTarget,
    QueueTarget,
    UriTarget,
)

CALL = CallReplica(
    version=replica.VERSION, id="c1", contact="c1", caller="+49170", display="Ada", number="+4930100",
    source="carrier", market="de", region="eu", language="de", chosen_language="", state=State.TALKING,
    destination=("queue", "support"), queue="support", agent="anna", held_by=[Side.AGENT],
    told=Told(1.7e9, None, 1.7e9, 1.7e9, 1.7e9, None, 0.0),
    legs=[
        LegReplica("customer", Side.CUSTOMER, "+49170", "", "", "sip", [1], local=b"v=0", line="carrier"),
        LegReplica("party", Side.AGENT, "anna", "anna", "anna", "sip", [1, "out"]),
    ],
    place=Waited(1.7e9, 3, -1), recorded=Recorded(1, ["a.opus"], False, True),
    farewell=Farewell(Side.AGENT, EndReason.COMPLETED, 1.7e9), misses=1, transfers=2, taken_from=["x"],
)  # fmt: skip


def test_what_is_written_reads_as_the_same():
    assert replica.decode(replica.encode(CALL)) == CALL


def test_a_call_goes_where_its_agent_s_phone_goes():
    assert CALL.key == "agent anna"
    assert msgspec.structs.replace(CALL, agent="", legs=[]).key == "call c1"


def test_its_agents_are_those_of_its_legs_while_it_goes_on():
    assert CALL.agents == [("anna", "support")]
    assert msgspec.structs.replace(CALL, state=State.ENDING).agents == []


@pytest.mark.parametrize(
    "target",
    [
        None, QueueTarget("q"), AgentTarget("a"), UriTarget("sip:x@y"), LineTarget(("l", "m")), Announce("p"),
        FeatureCode(Feature.PAUSE),
    ],
)  # fmt: skip
def test_where_a_call_goes_is_kept(target: Destination | None):
    assert replica.read_destination(replica.write_destination(target)) == target


@pytest.mark.parametrize("written", [("", ""), ("moon", "x"), ("feature", "fly")])
def test_where_no_call_goes_is_nowhere(written: tuple[str, str]):
    assert replica.read_destination(written) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"caller": "x" * 2000},
        {"legs": [CALL.legs[0]] * 4},
        {"taken_from": ["x"] * 17},
        {"misses": -1},
        {"held_by": [Side.AGENT] * 3},
    ],
)
def test_what_is_out_of_bounds_or_of_another_version_is_refused(changes: dict[str, object]):
    with pytest.raises(BadReplica):
        replica.decode(replica.encode(msgspec.structs.replace(CALL, **changes)))


def test_what_is_too_long_is_refused_before_it_is_read():
    with pytest.raises(BadReplica):
        replica.decode(b"\x90" + bytes(replica.LONGEST))


def test_whatever_bytes_come_are_a_call_or_are_refused():
    rng, good = Random(5), replica.encode(CALL)
    for _ in range(3000):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 5)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            found = replica.decode(bytes(data[: rng.randrange(1, len(data) + 1)]))
        except BadReplica:
            continue
        assert isinstance(found, CallReplica)
