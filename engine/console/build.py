"""A browser's page put together: its parts, its screen, and what wakes it."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import Request
from markupsafe import Markup

from engine.console.language import Words
from engine.console.look import BASE, Page, Place
from engine.console.pages import ANYWHERE, FRAME, page_of
from engine.console.screen import Screen
from engine.languages import NAMES

if TYPE_CHECKING:
    from nicegui import Client
    from nicegui.element import Element

    from engine.console.console import Console
    from engine.console.door import Principal


def build(console: Console, client: Client, request: Request) -> None:
    """Raises nothing for what a browser may say: an unknown place is the first page."""
    from nicegui import ui

    from engine.console.console import ZONE, cookie_of
    from engine.console.part import LivePart

    cookie = cookie_of(request.headers.get("cookie", ""))
    who: Principal = request.scope["isogloss.who"]
    ui.add_head_html(str(HEAD))
    client.content.classes(replace="console")
    around = client.content.parent_slot
    if around is not None:
        around.parent.props("role=presentation")  # Quasar's page is a <main>, and ours is within it
    slots: dict[str, Any] = {}

    def act(name: str, given: Mapping[str, Any]) -> None:
        if name == "go":
            screen.go(Place.of(str(given.get("to", ""))[:4096]))
        elif name == "zone":
            screen.live_in(str(given.get("zone", ""))[:64])
        elif name == "language" and given.get("language") in NAMES:
            say = Words(str(given["language"]))
            screen.speak(say)
            slots["shell"].speak(say)
        else:
            screen.act(name, given)

    def lay(page: Page) -> Mapping[str, LivePart]:
        loosen(main.descendants())
        main.clear()
        piled = {name for pile in page.piles for name in pile}
        with main:
            made = {name: LivePart(name, act) for name in page.parts if name not in piled}
            for place, pile in enumerate(page.piles):
                with ui.element("div").classes(f"pile pile-{place + 1}"):
                    made |= {name: LivePart(name, act) for name in pile}
        main.classes(replace=f"main main-{page.name}")
        return made

    page = weakref.ref(client)  # which has the screen: held by it too, both would wait for the collector

    def gone() -> None:
        if (there := page()) is not None:
            there.open("/sign-in")
        console.pulse.leave(screen)

    with client.content:
        slots["shell"] = LivePart("shell", act)
        main = ui.element("main").props("id=main")
        slots["note"] = LivePart("note", act)
        slots["note"].props("role=status aria-live=polite")
    say = console.words(request)
    slots["shell"].speak(say)
    screen = Screen(
        console.desk,
        page_of,
        FRAME,
        console.drawings,
        cookie,
        who,
        say,
        anywhere=ANYWHERE,
        lay=lay,
        gone=gone,
        now=console.pulse.now,
    )
    query = f"?{request.url.query}" if request.url.query else ""
    screen.live_in(cookie_of(request.headers.get("cookie", ""), ZONE))
    screen.begin(slots, Place.of(request.url.path + query))
    console.pulse.join(screen)

    console.made_for[client.id] = cookie
    client.on_delete(partial(_closed, console, screen, client.id, page))


def _closed(console: Console, screen: Screen, id: str, page: weakref.ref[Client]) -> None:
    console.made_for.pop(id, None)
    console.pulse.leave(screen)
    screen.close()
    if (there := page()) is not None:
        loosen(there.elements.values())


def loosen(elements: Iterable[Element]) -> None:
    """Before they are gone. Classes, style and properties of an element know themselves as what is told of
    their changes; NiceGUI (3.18) breaks all its other rings itself.
    """
    for element in elements:
        for kept in (element.classes, element.style, element.props):
            kept._change_handlers.clear()


HEAD = Markup(
    f'<link rel="stylesheet" href="{BASE}/web/style.css">'
    f'<link rel="stylesheet" href="{BASE}/web/console.css">'
    f'<link rel="stylesheet" href="{BASE}/web/office.css">'
)
