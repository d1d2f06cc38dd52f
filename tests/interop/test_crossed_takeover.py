"""A customer at one real node who talks to an agent at another, when either node is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from sip.pjsip.process import Softphone
from tests.interop import redis_server
from tests.interop.conftest import prompts_of, registrar
from tests.interop.test_shared_queues import Pair

SOON_S = 8.0  # a lease, the question to both phones, and a machine that has other things to do

pytestmark = pytest.mark.skipif(not redis_server.installed(), reason="redis-server is not installed (Debian)")


@pytest.fixture
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    running = Pair(tmp_path, prompts_of(request.config.cache))
    yield running
    for node in running.nodes:
        if node.process.poll() is None:
            node.close()
    running.redis.kill()


def talk(pair: Pair, customer: Softphone, anna: Softphone) -> tuple[int, int]:
    """The customer, who is at the first node, and Anna hear each other; each one's number of the call."""
    pair.acquainted("desk", 1)
    call = customer.call(f"sip:desk@{pair.nodes[0].domain}")
    offered = anna.incoming()
    anna.answer(offered)
    anna.expect("media", call=offered, state="active")
    pair.until("they hear each other", lambda: customer.stats(call)["received"] > 50)
    return call, offered


@pytest.mark.parametrize("dies", ["the customer's", "the agent's"])
def test_they_hear_each_other_again_at_the_node_that_lives_and_there_is_one_record(
    pair: Pair, phone: Callable[..., Softphone], dies: str
) -> None:
    first, second = pair.nodes
    anna, customer = registrar(second, phone)("anna"), registrar(first, phone)("customer")
    call, offered = talk(pair, customer, anna)
    (before,) = [each["id"] for each in first.get("/v1/calls")["items"]]

    dead, left = (first, second) if dies == "the customer's" else (second, first)
    dead.kill()
    calls = lambda: [each["id"] for each in left.get("/v1/calls")["items"]]  # noqa: E731
    left.until("the call is whole here", lambda: calls() == [before], SOON_S)
    heard = {each: each.stats(its)["received"] for each, its in ((anna, offered), (customer, call))}
    left.until(
        "both hear again",
        lambda: (
            anna.stats(offered)["received"] > heard[anna] + 50
            and customer.stats(call)["received"] > heard[customer] + 50
        ),
        SOON_S,
    )
    (found,) = left.get("/v1/calls")["items"]
    assert (found["state"], found["agent"]) == ("talking", "anna")
    customer.hangup(call)
    anna.expect("ended")
    left.until("its record", lambda: left.get("/v1/records")["items"], SOON_S)
    (record,) = left.get("/v1/records")["items"]
    assert (record["call"], record["agent"], record["reason"]) == (before, "anna", "completed")


def test_a_node_that_was_stopped_lets_go_of_what_the_other_has(
    pair: Pair, phone: Callable[..., Softphone]
) -> None:
    first, second = pair.nodes
    anna, customer = registrar(first, phone)("anna"), registrar(first, phone)("customer")
    call, _ = talk(pair, customer, anna)
    calls = lambda node: [each["state"] for each in node.get("/v1/calls")["items"]]  # noqa: E731
    core = psutil.Process(first.process.pid)
    stopped = [core, *core.children(recursive=True)]
    try:
        for each in stopped:
            each.suspend()
        second.until("the other has it", lambda: calls(second) == ["talking"], SOON_S)
        heard = customer.stats(call)["received"]
        second.until("it is heard again", lambda: customer.stats(call)["received"] > heard + 50, SOON_S)
    finally:
        for each in stopped:
            each.resume()
    second.until("it lets go", lambda: calls(first) == [], SOON_S)
    assert calls(second) == ["talking"]
    assert "this node was found lost while it lived" in first.said()
    customer.hangup(call)
    anna.expect("ended")
    second.until("its record", lambda: second.get("/v1/records")["items"], SOON_S)
    assert first.get("/v1/records")["items"] == []
