"""Text stays text, whoever wrote it."""

from __future__ import annotations

import pytest
from markupsafe import Markup

from engine.console.markup import joined, tag, text_of

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><svg onload=alert(1)>",
    "&lt;b&gt; and & and <b>",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_comes_from_outside_is_written_as_text(text: str) -> None:
    made = tag("p", text, title=text, data_who=text)
    assert made.count("<") == 2 and made.count(">") == 2
    assert made.unescape().count(text) == 3
    assert made.count('"') == 4


def test_markup_is_nested_and_nothing_is_left_out_but_none() -> None:
    made = tag("ul", [tag("li", each) for each in ("a", 0, None)], None)
    assert made == Markup("<ul><li>a</li><li>0</li><li></li></ul>")
    assert joined("<", tag("b", "x")) == Markup("&lt;<b>x</b>")


def test_attributes_are_named_as_html_and_svg_name_them() -> None:
    made = tag(
        "svg", class_="a", viewbox="0 0 1 1", aria_hidden="true", hidden=True, title=None, open=False, x=1.50
    )
    assert made == '<svg class="a" viewBox="0 0 1 1" aria-hidden="true" hidden x="1.5"></svg>'
    assert tag("rect", x=1) == '<rect x="1"/>'


def test_what_people_read_is_told_without_tags() -> None:
    assert text_of(tag("p", "a ", tag("b", "<b>"))) == "a <b>"
