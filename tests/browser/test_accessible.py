"""axe-core finds nothing serious in any state of the pages, in English by light and in Arabic by night."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.npm import package
from tests.browser.pages import Tabs
from tests.browser.tour import tour
from tests.interop.node import Node

LOOK = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
    .filter(({impact}) => impact === 'serious' || impact === 'critical')
    .map(({id, nodes}) => `${id}: ${nodes.map(({target}) => target.join(' ')).join(', ')}`)"""


@pytest.mark.parametrize(("language", "scheme"), [("en", "light"), ("ar", "dark")])
def test_every_state_can_be_read_and_worked_by_everybody(
    node: Node, tab: Tabs, speech: Callable[[str], Path], language: str, scheme: str
) -> None:
    axe = (package("axe-core") / "axe.min.js").read_text("utf-8")
    faults = []
    looked_at = set()
    for name, page in tour(tab, node, speech, language, color_scheme=scheme, bypass_csp=True):
        if page not in looked_at:
            page.evaluate(axe)
            looked_at.add(page)
        faults += [f"{name}: {fault}" for fault in page.evaluate(LOOK)]
    assert faults == []
