"""The machine of a caller's and an agent's page gets another address in the middle of their call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engine.hearing import heard, read_wav
from tests.browser.chromium import TELEPHONE, Chromium
from tests.browser.elsewhere import HERE, THERE, Elsewhere
from tests.browser.pages import AgentPage, CallerPage, node_for_pages, talk
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import Node

TRIES = 20  # of a second each


def is_heard(said: Path, got: NDArray[np.int16]) -> bool:
    return bool(heard(read_wav(said, TELEPHONE), got, TELEPHONE))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    machine = Elsewhere(tmp_path)
    yield machine
    machine.close()


@pytest.fixture
def reachable(elsewhere: Elsewhere, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Node]:
    """A node that is found from there."""
    yield from serve(node_for_pages(tmp_path / "node", prompts_of(request.config.cache), at=HERE))


@pytest.fixture
def there(elsewhere: Elsewhere, reachable: Node, chromium: Chromium) -> Iterator[Chromium]:
    browsers = chromium.another(elsewhere.chromium(reachable.api))
    yield browsers
    browsers.close()


def test_both_go_on_from_the_other_address(
    elsewhere: Elsewhere, reachable: Node, there: Chromium, speech: Callable[[str], Path]
) -> None:
    asks, tells = speech("I am on a train just now"), speech("then I shall speak slowly")
    customer = CallerPage(there.open, reachable, asks)
    anna = AgentPage(there.open, reachable, "anna", tells)
    anna.start()
    customer.call()
    anna.page.wait_for_selector("#offer:not([hidden])")
    anna.answer()
    customer.is_told("talking")
    talk(customer, anna, asks, tells)
    (before,) = reachable.get("/v1/calls")["items"]
    assert {leg["remote"].partition(":")[0] for leg in before["legs"]} == {THERE[0]}
    elsewhere.move()
    sought = {customer: tells, anna: asks}
    for _ in range(TRIES):
        hear = {page: page.tab.hears_meanwhile(1.0) for page in sought}
        sought = {page: said for page, said in sought.items() if not is_heard(said, hear[page]())}
        if not sought:
            break
    talk(customer, anna, asks, tells)
    (after,) = reachable.get("/v1/calls")["items"]
    assert after["id"] == before["id"]
    assert {leg["remote"].partition(":")[0] for leg in after["legs"]} == {THERE[1]}
    anna.ready()
    anna.page.click("#hangup")
    customer.in_state("ended")
    assert reachable.record("desk")["reason"] == "completed"
