"""HTML as text that cannot be broken out of: whatever is no Markup is written as text.

What comes with calls (names, captions, addresses) reaches a page by `tag` alone, which escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

Content = str | int | Iterable["Content"] | None
EMPTY = Markup("")
VOID = frozenset({"br", "circle", "ellipse", "img", "input", "line", "path", "rect", "use"})
ISOLATED = "\u2068", "\u2069"  # around words that have a direction of their own


def tag(name: str, /, *content: Content, **attributes: str | int | float | bool | None) -> Markup:
    """An element. attributes: None and False are left out, True is there without a value; `_` stands for `-`,
    and one at the end is for Python's sake (class_).
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in VOID:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{joined(*content)}</{name}>")


def _attribute(key: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    name = _CASED.get(name, name)
    if value is True:
        return f" {name}"
    if isinstance(value, float):
        value = f"{value:.2f}".rstrip("0").rstrip(".")
    return f' {name}="{escape(str(value))}"'


# SVG's names that are not in small letters
_CASED = {"viewbox": "viewBox", "preserveaspectratio": "preserveAspectRatio", "textlength": "textLength"}


def joined(*content: Content) -> Markup:
    """All of it in a row; nothing for None."""
    return Markup("").join(_written(each) for each in content)


def _written(content: Content) -> Markup:
    if content is None:
        return EMPTY
    if isinstance(content, (str, int)):
        return escape(content)
    return joined(*content)


def text_of(markup: str) -> str:
    """What of it people read, for tests and titles."""
    return Markup(markup).striptags()
