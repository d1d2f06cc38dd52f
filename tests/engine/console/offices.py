"""A desk of the console over real users and a real audit log, for tests of its office pages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from markupsafe import Markup

from engine.access.principal import Directory, How
from engine.access.principal import Place as Belongs
from engine.access.proving import Proving
from engine.access.role import Role
from engine.console import pages
from engine.console.desk import Desk
from engine.console.door import Principal, TokenDoor, signed_in
from engine.console.look import Page, Place, Told
from engine.console.users import UserDoor
from tests.engine.access.stand import PASSWORD, Stand, run, standing
from tests.engine.api_node import SETTINGS
from tests.engine.console.busy import BusyNode
from tests.engine.console.looks import look


class Office:
    """who: whose desk it is. given: what the page was handed last."""

    def __init__(self, stand: Stand, name: str = "ada", role: Role = Role.ADMIN, **limits: Any) -> None:
        self.stand = stand
        stand.user(name, role, **limits)
        opened = run(stand.desk.login(name, PASSWORD, "", "192.0.2.1"))
        self.cookie = opened.secret
        self.who: Principal = signed_in(opened.principal)
        node = BusyNode()
        node.directory = lambda: Directory(  # type: ignore[method-assign]
            {"emre": Belongs("north", ("support",))}, {"support": "de", "ventas": "es"}, {"carrier": "de"}
        )
        door = UserDoor(stand.desk, TokenDoor(lambda: SETTINGS, stand.clock, stand.wall))
        anchor = stand.folder / "audit.anchor"
        proving = Proving(stand.trail, anchor, wall=stand.wall, rest=lambda seconds: None)
        self.whole = Desk(node, door, stand.wall, access=stand.access, proving=proving)
        self.loaded: Any = None

    @property
    def desk(self) -> Desk:
        return self.whole.of(self.who, "en", "Europe/Madrid", self.loaded)

    def page(self, address: str) -> Page:
        place = Place.of(address)
        return pages.page_of(place.page, place.id)

    def load(self, address: str) -> Any:
        page = self.page(address)
        assert page.load is not None
        self.loaded = run(page.load(self.desk, Place.of(address), self.loaded))
        return self.loaded

    def act(self, address: str, act_: str, /, **given: str) -> Told:
        """What comes of it; the page keeps what it is handed, as a browser's screen does."""
        _, act = self.page(address).acts[act_]
        told = run(act(self.desk, self.who, Place.of(address), given))
        if told.keep is not None:
            self.loaded = told.keep
        return told

    def drawn(self, address: str, say: str = "en") -> str:
        at = look(address, who=self.who, say=say, loaded=self.loaded)
        return Markup("").join(view(at) for view in self.page(address).parts.values())


@contextmanager
def office(folder: Path, role: Role = Role.ADMIN, **limits: Any) -> Iterator[Office]:
    with standing(folder) as stand:
        stand.wall.now = 1_770_000_000.0
        yield Office(stand, role=role, **limits)


def by_token(desk: Desk) -> Desk:
    """Somebody who came with a token of the configuration."""
    return replace(desk, who=replace(desk.who, how=How.CONFIGURED))


Given = Mapping[str, str]
