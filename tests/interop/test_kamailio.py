"""Two nodes behind Kamailio as it is shipped: phones, browsers and a line call through it, and a node dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sip.pjsip.process import Softphone
from tests.interop.conftest import prompts_of, registrar
from tests.interop.front import ClusterNode, Front, start_nodes
from tests.interop.node import FAR, LINE, STRANGER
from tests.interop.sipp import Sipp
from tests.interop.webphone import WebPhone

CALLS = 12
Phones = Callable[..., Softphone]


@pytest.fixture(scope="module")
def nodes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[ClusterNode]]:
    pair = start_nodes(
        tmp_path_factory.mktemp("pair"), prompts_of(request.config.cache), more={"node": {"drain_s": 20}}
    )
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
def line(front: Front, nodes: list[ClusterNode], tmp_path: Path) -> Callable[..., tuple[Sipp, Sipp]]:
    """Calls over the line, and the far end that takes them."""

    def call(calls: int = CALLS, rate: int = 20, scenario: str = "caller") -> tuple[Sipp, Sipp]:
        end = nodes[0].far_end()
        answers = Sipp("callee", tmp_path, address=FAR, port=end.port, calls=calls)
        remote = front.address()
        return answers, Sipp(
            scenario, tmp_path, remote=remote, address=LINE, number=end.number, calls=calls, rate=rate
        )

    return call


def records(node: ClusterNode) -> list[dict[str, str]]:
    node.idle()
    found: list[dict[str, str]] = node.get("/v1/records?limit=200")["items"]
    return found


def test_calls_of_a_line_are_spread_and_known_by_where_they_come_from(
    nodes: list[ClusterNode], line: Callable[..., tuple[Sipp, Sipp]]
) -> None:
    answers, calls = line()
    with answers, calls:
        pass
    each = [records(node) for node in nodes]
    assert sum(map(len, each)) == CALLS
    assert all(each), "all calls went to one node"
    assert {record["source"] for found in each for record in found} == {"lab"}
    assert {record["reason"] for found in each for record in found} == {"completed"}


def test_whoever_is_no_line_is_asked_who_it_is(front: Front, tmp_path: Path) -> None:
    with Sipp(
        "caller_refused", tmp_path, remote=front.address(), address=STRANGER, number="desk", status="401"
    ):
        pass


def homes(nodes: list[ClusterNode], account: str) -> list[str]:
    """Nodes where the account has a phone."""
    own = f"sip:{account}@"
    found = {node.name: node.get("/v1/registrations")["items"] for node in nodes}
    return [name for name, items in found.items() if any(each["aor"].startswith(own) for each in items)]


@pytest.mark.parametrize("transport", ["udp", "tls"])
def test_softphones_register_at_one_node_each_and_talk_through_it(
    front: Front, nodes: list[ClusterNode], phone: Phones, transport: str
) -> None:
    register = registrar(front, phone)
    ben, customer = register("ben", transport), register("customer", transport)
    print({each: homes(nodes, each) for each in ("ben", "customer")})
    ben.auto(answer_after=0.1)
    call = customer.call(f"sip:ben@{front.domain}")
    customer.expect("answered", call=call)
    customer.hangup(call)
    ben.expect("ended")


def test_a_browser_is_reached_over_the_connection_that_it_opened(
    front: Front, nodes: list[ClusterNode], phone: Phones
) -> None:
    web = WebPhone(front, "gus")
    assert web.register().status == 200
    for each in (
        "anna",
        "ben",
        "cleo",
        "dora",
        "emil",
        "fay",
        "gus",
        "customer",
        "visitor",
        "lodger",
        "tenant",
    ):
        w = WebPhone(front, each)
        w.register()
        print(each, homes(nodes, each))
    assert 0
