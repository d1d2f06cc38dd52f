"""Pages that may use Debian's coturn alone, a caller's and an agent's: both are told of it by the node."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Tab, missing
from tests.browser.pages import AgentPage, CallerPage, Tabs, node_for_pages, talk
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import Node
from tests.interop.test_turn import relayed, turn

__all__ = ["turn"]  # a fixture


@pytest.fixture
def relayed_node(tmp_path: Path, turn: int, request: pytest.FixtureRequest) -> Iterator[Node]:
    """One that is reached by way of that server alone."""
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    prompts = prompts_of(request.config.cache)
    yield from serve(node_for_pages(tmp_path / "node", prompts, media=relayed(tmp_path, turn)))


def way(tab: Tab) -> tuple[str, str]:
    """What kinds of address the sound of its call goes from and to."""
    found = {each["id"]: each for each in tab.statistics()}
    transport = next(each for each in found.values() if each["type"] == "transport")
    pair = found[transport["selectedCandidatePairId"]]
    return tuple(found[pair[end]]["candidateType"] for end in ("localCandidateId", "remoteCandidateId"))  # type: ignore[return-value]


def test_two_pages_talk_by_way_of_the_relay_alone(
    relayed_node: Node, tab: Tabs, speech: Callable[[str], Path]
) -> None:
    asks, tells = speech("do you hear me by way of the relay"), speech("I do and you sound very close")
    customer, anna = CallerPage(tab, relayed_node, asks), AgentPage(tab, relayed_node, "anna", tells)
    anna.start()
    customer.call()
    anna.page.wait_for_selector("#offer:not([hidden])")
    anna.answer()
    customer.is_told("talking")
    anna.tab.reached()  # a relay is asked for an address before there is a way
    talk(customer, anna, asks, tells)
    assert way(customer.tab)[0] == way(anna.tab)[0] == "relay"
    (call,) = relayed_node.get("/v1/calls")["items"]
    ports = [int(leg["remote"].rpartition(":")[2]) for leg in call["legs"]]
    assert len(ports) == 2 and all(49152 <= port <= 49252 for port in ports)
    anna.page.click("#hangup")
    customer.in_state("ended")
    assert relayed_node.record("desk")["reason"] == "completed"
