"""A page of the console gone through by Tab alone: every stop of it is seen, and the side can be skipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST = 200  # stops of a page
HERE = "document.activeElement"
# What has the focus: whether that is seen, by an outline or, on the map, by a ring.
STOP = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const {width, height} = at.getBoundingClientRect();
  const {outlineStyle, outlineWidth} = getComputedStyle(at);
  const drawn = at.closest('.world') && at.querySelector('.halo, .line');
  const outlined = outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
  const ring = drawn ? getComputedStyle(drawn).stroke !== 'none' : outlined;
  const what = [at.tagName, at.id && `#${at.id}`, ...at.classList].filter(Boolean).join('.');
  const there = at.closest('svg') || width * height > 0;
  return {what, main: Boolean(at.closest('#main')), seen: ring && there};
}"""


def walked(page: Page, to: str) -> list[str]:
    """What of a place is no stop as it should be. The page shows another one already."""
    page.goto(f"{page.url.partition('/console/')[0]}/console/{to}")
    page.wait_for_selector(".page-head h1")
    page.wait_for_selector("main .card, main .tiles")
    page.keyboard.press("Tab")
    assert page.evaluate(f"() => {HERE}.className") == "skip"
    stops = _stops(page)
    faults = [f"{to}: {each['what']} is not seen" for each in stops if not each["seen"]]
    if not any(each["main"] for each in stops):
        faults.append(f"{to}: {len(stops)} stops, and none of the page's own")
    page.focus(".skip")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    if not page.evaluate(f"() => Boolean({HERE}.closest('#main'))"):
        faults.append(f"{to}: the side is not skipped")
    return faults


def _stops(page: Page) -> list[dict[str, Any]]:
    """Until the first one is back."""
    stops: list[dict[str, Any]] = []
    for _ in range(MOST):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None or stop["what"] == "A.skip":
            return stops
        stops.append(stop)
    pytest.fail("there is no end of it")
