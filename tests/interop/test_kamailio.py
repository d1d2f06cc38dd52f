"""Two nodes behind Kamailio as shipped: phones, browsers and a line call, one node dies, the other drains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sip.message import Request
from sip.pjsip.process import Softphone
from tests.interop.conftest import prompts_of, registrar
from tests.interop.front import FRONT, ClusterNode, Front, start_nodes
from tests.interop.node import FAR, LINE, STRANGER, FarEnd
from tests.interop.sipp import Sipp
from tests.interop.webphone import WebPhone
from tests.interop.websocket import WebSocket

CALLS = 12
ELSEWHERE = "127.0.2.2"  # the front of another region
Phones = Callable[..., Softphone]
Line = Callable[..., Sipp]


@pytest.fixture(scope="module")
def nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ClusterNode]]:
    mute = {
        "routing": {"rescue": {"enabled": False}}
    }  # callers of sipp send no sound, and are not to be missed
    prompts = prompts_of(request.config.cache)
    settings = {"node": {"drain_s": 20}} | mute
    pair = start_nodes(tmp_path_factory.mktemp("pair"), prompts, fronts=(FRONT, ELSEWHERE), more=settings)
    yield pair
    for each in pair:
        if each.process.poll() is None:
            each.close()


@pytest.fixture(scope="module")
def front(nodes: list[ClusterNode], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with Front(tmp_path_factory.mktemp("kamailio") / "front", nodes) as running:
        running.until_active(*nodes)
        yield running


@pytest.fixture
def line(front: Front, tmp_path: Path) -> Line:
    """A scenario of callers on the line, or at the far end that they call."""

    def run(
        scenario: str, far: FarEnd, calls: int = 1, rate: int = 20, by: Front = front, **parameters: str
    ) -> Sipp:
        if scenario.startswith("callee"):
            return Sipp(scenario, tmp_path, address=FAR, port=far.port, calls=calls, **parameters)
        remote, number = by.address(), far.number
        return Sipp(
            scenario,
            tmp_path,
            remote=remote,
            address=LINE,
            number=number,
            calls=calls,
            rate=rate,
            **parameters,
        )

    return run


def records(nodes: list[ClusterNode], count: int) -> list[list[dict[str, str]]]:
    """Of each node, once there are so many in all: a record is written a moment after its call's end."""

    def written() -> list[list[dict[str, str]]]:
        return [node.get("/v1/records?limit=200")["items"] for node in nodes]

    nodes[0].until(f"{count} records", lambda: sum(map(len, written())) >= count, 5.0)
    return written()


def test_calls_of_a_line_are_spread_and_known_by_where_they_come_from(
    nodes: list[ClusterNode], line: Line
) -> None:
    far = nodes[0].far_end()
    with line("callee", far, CALLS), line("caller", far, CALLS):
        pass
    each = records(nodes, CALLS)
    assert sum(map(len, each)) == CALLS
    assert all(each), "all calls went to one node"
    assert {record["source"] for found in each for record in found} == {"lab"}
    assert {record["reason"] for found in each for record in found} == {"completed"}


def test_each_region_has_a_front_that_prefers_its_own_nodes(
    nodes: list[ClusterNode], line: Line, tmp_path: Path
) -> None:
    here, there = nodes
    already = [len(records([node], 0)[0]) for node in nodes]
    with Front(tmp_path / "other", [there], away=[here], host=ELSEWHERE) as other:
        other.until_active(here, there)
        far = here.far_end()
        with line("callee", far, 6), line("caller", far, 6, by=other):
            pass
        now = records(nodes, sum(already) + 6)
    assert [len(each) for each in now] == [already[0], already[1] + 6]


def test_whoever_is_no_line_is_asked_who_it_is(front: Front, tmp_path: Path) -> None:
    with Sipp(
        "caller_refused", tmp_path, remote=front.address(), address=STRANGER, number="desk", status="401"
    ):
        pass


def at(nodes: list[ClusterNode], account: str) -> ClusterNode:
    """The one node where the account has its phone."""
    own = f"sip:{account}@"
    found = [
        node
        for node in nodes
        if any(each["aor"].startswith(own) for each in node.get("/v1/registrations")["items"])
    ]
    (node,) = found
    return node


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_softphones_of_a_node_call_each_other_through_the_front(
    front: Front, nodes: list[ClusterNode], phone: Phones, transport: str
) -> None:
    register = registrar(front, phone)
    ben, customer = register("ben", transport), register("customer", transport)
    assert at(nodes, "ben") is at(nodes, "customer"), "accounts chosen for being at one node"
    ben.auto(answer_after=0.0)
    call = customer.call(f"sip:ben@{front.domain}")
    customer.expect("answered", call=call)
    ben.expect("answered")
    customer.hangup(call)
    assert ben.expect("ended")["status"] == 200


def test_a_browser_is_reached_over_the_connection_that_it_opened(
    front: Front, nodes: list[ClusterNode], line: Line, phone: Phones
) -> None:
    web = WebPhone(front, "gus")
    assert web.register().status == 200
    lodger = registrar(front, phone)("lodger")
    assert at(nodes, "gus") is at(nodes, "lodger"), "accounts chosen for being at one node"
    told = at(nodes, "gus").get("/v1/registrations")["items"]
    assert {each["transport"] for each in told if each["aor"].startswith("sip:gus@")} == {"ws"}
    call = lodger.call(f"sip:gus@{front.domain}")
    assert web.answer().top_via.transport == "WSS"
    lodger.expect("answered", call=call)
    lodger.hangup(call)
    bye = web.until("BYE")
    assert isinstance(bye, Request)
    web.send(bye.respond(200))
    far = nodes[0].far_end()
    with line("callee", far):
        response, _ = web.call(far.number)
        assert response.status == 200
        assert web.hang_up(response).status == 200
    web.close()


def test_pages_of_others_do_not_connect(front: Front) -> None:
    with pytest.raises(ConnectionError):
        WebSocket(front.host, front.sip["wss"], origin="https://elsewhere.example")


def test_a_dead_node_costs_the_calls_that_come_a_second_and_none_of_them_is_lost(
    front: Front, nodes: list[ClusterNode], line: Line
) -> None:
    """From the moment of its death on: 40 calls in two seconds, half of which would have been its own."""
    dead, other = nodes
    far = nodes[0].far_end()
    before = len(records([other], 0)[0])
    with line("callee", far, calls=40):
        dead.kill()
        with line("caller", far, calls=40, rate=20):
            assert front.until_active(other) < 3.0
    assert len(records([other], before + 40)[0]) == before + 40


def test_draining_nodes_finish_their_calls_and_get_no_more(
    front: Front, nodes: list[ClusterNode], line: Line
) -> None:
    far = nodes[0].far_end()
    left = [node for node in nodes if node.process.poll() is None]

    def calls() -> list[tuple[ClusterNode, str]]:
        return [(node, each["id"]) for node in left for each in node._calls("")]

    with line("callee", far, calls=8), line("caller_is_hung_up", far, calls=8, rate=40):
        left[0].until("eight calls", lambda: len(calls()) == 8, 5.0)
        for node in left:
            node.drain()
        front.until_active()
        with line("caller_refused", far, calls=3, status="503"):
            pass
        going_on = calls()
        assert len(going_on) == 8
        for node, call in going_on:
            node.ask("DELETE", f"/v1/calls/{call}")
    assert [node.process.wait(10) for node in left] == [0] * len(left)
