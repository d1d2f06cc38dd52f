"""axe-core in a page: what of it somebody cannot read or work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.npm import package

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOOK = """async (rules) => (await axe.run(document, {resultTypes: ['violations'], runOnly: rules})).violations
    .filter(({impact}) => impact === 'serious' || impact === 'critical')
    .map(({id, nodes}) => `${id}: ${nodes.map(({target}) => target.join(' ')).join(', ')}`)"""
NARROW = {"width": 320, "height": 640}  # WCAG 1.4.10: nothing is lost at this width
WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
COLOURS = ["color-contrast"]  # what another light and language can change
LOOKS = (("en", "light", COLOURS), ("ar", "dark", RULES))


def axe() -> str:
    """The script."""
    return (package("axe-core") / "axe.min.js").read_text("utf-8")


def unreadable(page: Page) -> list[str]:
    """What is serious on a page of the console, by day and, in Arabic, by night, and at a narrow screen."""
    page.evaluate(axe())
    faults = []
    for language, scheme, rules in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.select_option("select[name=language]", language)
        page.wait_for_function("(code) => document.documentElement.lang === code", arg=language)
        page.evaluate("() => { for (const each of document.getAnimations()) each.cancel(); }")
        faults += [f"{language}: {fault}" for fault in page.evaluate(LOOK, rules)]
    page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    beyond = page.evaluate(WIDER)
    return [*faults, f"{beyond} px are beyond a narrow screen"] if beyond > 0 else faults
