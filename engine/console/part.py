"""A part of a page as NiceGUI carries it: HTML that the browser lays over what was there (web/part.js)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from markupsafe import Markup
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from engine.console.language import Words


class LivePart(Element, component=Path(__file__).parent / "web" / "part.js"):
    """name: what the page calls it. act: told of what is pressed within it."""

    def __init__(self, name: str, act: Callable[[str, Mapping[str, Any]], None]) -> None:
        super().__init__()
        self.classes(f"part part-{name}")
        self._shown = Markup("")
        self._props["html"] = ""
        self.on("act", lambda event: _told(event, act))

    def show(self, drawn: Markup, at: float) -> None:
        """at: what time it is at the node, epoch s."""
        if drawn is self._shown or drawn == self._shown:
            return
        self._shown = drawn
        self._props["html"], self._props["at"] = str(drawn), at
        self.update()

    def speak(self, say: Words) -> None:
        """Have the whole page be in this language."""
        self._props["lang"], self._props["dir"] = say.code, say.direction
        self.update()


def _told(event: GenericEventArguments, act: Callable[[str, Mapping[str, Any]], None]) -> None:
    """What comes from a browser may be anything."""
    given = event.args
    if isinstance(given, dict) and isinstance(given.get("name"), str):
        fields = given.get("fields")
        act(given["name"][:64], fields if isinstance(fields, dict) else {})
