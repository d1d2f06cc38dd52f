"""A call's inside on its page: ladder, quality and findings out of what the node's insight keeps."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import msgspec.structs

from engine.access.role import Permission
from engine.console.desk import Desk
from engine.console.door import Principal, seen_by
from engine.console.files import LOOKED_S, CallFile, call_file
from engine.console.inside import Inside
from engine.console.look import Place
from tests.engine.api_node import Node
from tests.engine.console.looks import OPERATOR, VIEWER
from tests.engine.insight.samples import call_messages, message, quality, sip
from tests.engine.store_samples import T0


def inside(node: Node, call: str = "r1", who: Principal = OPERATOR, language: str = "en") -> Inside:
    return Inside(seen_by(node, who), call, language, T0 + 60)


def test_messages_go_between_the_node_and_addresses_of_sides() -> None:
    found = inside(Node()).ladder()
    assert found is not None
    assert [each.address for each in found.parties] == ["203.0.113.9:5060", "198.51.100.4:5060"]
    assert [each.name for each in found.parties] == ["+4930123456", "n1"]
    caller, node = (each.id for each in found.parties)
    told = [(each.source, each.target, each.label) for each in found.messages]
    assert told[:4] == [
        (caller, node, "INVITE"),
        (node, caller, "100 Trying"),
        (node, caller, "200 OK"),
        (caller, node, "ACK"),
    ]
    assert found.messages[4].cseq == "2 BYE" and "sip:200@pbx" in found.messages[0].text


def test_who_shares_an_address_has_a_column_of_her_own() -> None:
    node = Node()
    trace, invite = node.insight.traces["r1"], call_messages()[0]
    rows = [msgspec.structs.replace(invite, who="carrier-1")]
    for who in ("alice", "bruno"):  # both behind a proxy
        rows.append(msgspec.structs.replace(invite, side="agent", inward=False, who=who))
    node.insight.traces["r1"] = type(trace)("r1", T0, rows, [])
    found = inside(node).ladder()
    assert found is not None
    told = [(each.kind, each.name, each.way) for each in found.parties]
    assert told == [
        ("customer", "+4930123456", "carrier-1"), ("node", "n1", ""), ("agent", "alice", ""),
        ("agent", "bruno", ""),
    ]  # fmt: skip
    assert len({each.target for each in found.messages}) == 3


def test_what_was_sent_before_is_marked_and_what_never_went_is_not() -> None:
    node = Node()
    trace, invite = node.insight.traces["r1"], call_messages()[0].data
    answer = sip("SIP/2.0 200 OK")
    rows = [message(invite), message(invite, 0.5), message(answer, 0.6, inward=False)]
    rows.append(message(answer, 0.6, inward=False, fault="the connection broke"))
    node.insight.traces["r1"] = type(trace)("r1", T0, rows, [])
    found = inside(node).ladder()
    assert found is not None and [each.again for each in found.messages] == [False, True, False, False]


def test_samples_have_their_time_of_day() -> None:
    legs = inside(Node()).quality()
    assert legs is not None and legs[0].side == "customer"
    assert [round(each.at - T0) for each in legs[0].samples][:3] == [5, 10, 15]
    assert legs[0].samples[0].mos == 4.3 and legs[0].samples[0].loss == 0.0


def test_what_went_wrong_is_told_in_the_language_of_whoever_looks() -> None:
    node = Node()
    trace = node.insight.traces["r1"]
    lossy = [quality(lost=60, received=190)]
    node.insight.traces["r1"] = type(trace)("r1", T0, trace.messages, lossy)
    english, spanish = inside(node).findings(), inside(node, language="es").findings()
    assert english and spanish and english[0].kind == spanish[0].kind == "packet_loss"
    assert english[0].what != spanish[0].what and english[0].evidence


def test_nothing_is_known_of_a_call_that_is_none() -> None:
    found = inside(Node(), "none")
    assert (found.ladder(), found.quality(), found.findings()) == (None, None, None)


def test_numbers_are_masked_for_who_may_not_read_them() -> None:
    node = Node()
    trace = node.insight.traces["r1"]
    data = sip("INVITE sip:+498001234567@pbx SIP/2.0", "P-Asserted-Identity: <sip:+34612345678@pbx>")
    node.insight.traces["r1"] = type(trace)("r1", T0, [message(data)], [])
    open_, hidden = inside(node).ladder(), inside(node, who=VIEWER).ladder()
    assert open_ is not None and "+34612345678" in open_.messages[0].text
    assert hidden is not None and "34612345678" not in hidden.messages[0].text
    assert not VIEWER.may(Permission.PERSONAL)


def test_a_call_that_goes_on_is_looked_into_now_and_then() -> None:
    node, at, looked = Node(), [T0], []

    def insight(*asked: object) -> Inside:
        looked.append(at[0])
        return Inside(*asked)  # type: ignore[arg-type]

    desk = Desk(node, None, lambda: at[0], insight=insight).of(OPERATOR, "en")  # type: ignore[arg-type]

    async def story() -> None:
        file = None
        for _ in range(11):
            file = await call_file(desk, Place("calls", "c1"), file)
            at[0] += 1.0
        assert isinstance(file, CallFile) and file.ladder is not None and file.quality is not None
        assert looked == [T0, T0 + LOOKED_S, T0 + 2 * LOOKED_S]
        spanish = replace(desk, language="es")
        await call_file(spanish, Place("calls", "c1"), file)
        assert len(looked) == 4, "another language is asked for at once"

    asyncio.run(story())
