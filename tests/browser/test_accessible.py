"""axe-core finds nothing serious in any state of the pages: in Arabic by night, its colours by day too."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.browser.axe import LOOK, LOOKS, NARROW, WIDER, axe
from tests.browser.pages import Tabs
from tests.browser.tour import tour
from tests.interop.node import Node

SPEAK = """(code) => {
  const choice = document.querySelector('select.languages');
  choice.value = code;
  choice.dispatchEvent(new Event('change'));
  for (const each of document.getAnimations()) each.currentTime = 1e6;
}"""
COVERED = """async () => {
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const list = document.querySelector('#captions');
  const newest = list && [...list.querySelectorAll('.caption')].findLast((each) => each.offsetParent);
  return newest ? Math.round(newest.getBoundingClientRect().bottom - list.getBoundingClientRect().bottom) : 0;
}"""


def test_every_state_can_be_read_and_worked_by_everybody(
    node: Node, tab: Tabs, speech: Callable[[str], Path]
) -> None:
    faults = []
    for name, page in tour(tab, node, speech, "ar", color_scheme="dark", bypass_csp=True):
        if not page.evaluate("() => 'axe' in window"):  # a new page, or loaded again
            page.evaluate(axe())
        for language, scheme, rules in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.evaluate(SPEAK, language)
            faults += [f"{name}, {language}: {fault}" for fault in page.evaluate(LOOK, rules)]
        wide = page.viewport_size
        page.set_viewport_size(NARROW)
        beyond = page.evaluate(WIDER)
        faults += [f"{name}: {beyond} px are beyond a narrow screen"] if beyond else []
        assert wide is not None
        page.set_viewport_size(wide)
        covered = page.evaluate(COVERED)
        faults += [f"{name}: {covered} px of the newest caption are covered"] if covered > 0 else []
    assert faults == []
