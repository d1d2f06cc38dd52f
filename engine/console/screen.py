"""One browser's console: where it is, what it was told last, and what it may do.

Pure but for the parts that it writes to: a part is told anew only when what it shows changed. Drawings are
shared by all screens that look at the same thing in the same words with the same rights.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import structlog
from markupsafe import Markup

from engine.access.errors import AuditUnavailable
from engine.access.role import Permission
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.language import Words
from engine.console.look import Act, Look, Page, Place, Told
from engine.console.markup import EMPTY, tag
from engine.console.pulse import Moment
from engine.console.snapshot import Snapshot
from engine.drill import zones
from engine.store.errors import StoreUnavailable
from engine.store.records import BadCursor

log = structlog.get_logger("console")
LOOK = "look_at_console"  # in the audit log
MOST_FIELDS = 64  # a form of fifty questions has no more
NOTED_S = 8.0  # for so long it is told what came of something


class Part(Protocol):
    """Something on the page. show: tell the browser of it, where it changed."""

    def show(self, drawn: Markup, at: float) -> None: ...


class Drawings:
    """What was drawn of one snapshot, to be shared; kept with what it was drawn from, whose id is in its key
    and would be another's as soon as it is gone.
    """

    def __init__(self) -> None:
        self._serial = -1
        self._of: dict[tuple[object, ...], tuple[Markup, Any]] = {}

    def get(self, key: tuple[object, ...], look: Look, view: Callable[[Look], Markup]) -> Markup:
        if look.now.serial != self._serial:
            self._serial = look.now.serial
            self._of.clear()
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = view(look), look.loaded
        return found[0]


class Screen:
    """frame: views that are there on every page, beside the part `note`, which tells what came of something
    that was done. anywhere: what can be done on every page. lay: makes a page's parts, in place of those
    before. gone: nobody is signed in here any more.
    """

    def __init__(
        self,
        desk: Desk,
        pages: Callable[[str, str], Page],
        frame: Mapping[str, Callable[[Look], Markup]],
        drawings: Drawings,
        cookie: str,
        who: Principal,
        say: Words,
        *,
        anywhere: Mapping[str, tuple[Permission, Act]],
        lay: Callable[[Page], Mapping[str, Part]],
        gone: Callable[[], None],
        now: Callable[[], Moment],
    ) -> None:
        self._desk, self._pages, self._frame, self._drawings = desk, pages, frame, drawings
        self._cookie, self.who, self.say = cookie, who, say
        self._anywhere, self._lay, self._gone, self._now = anywhere, lay, gone, now
        self.place = Place()
        self.zone = "UTC"  # of her clock, as her browser says
        self.loaded: Any = None
        self._around: Mapping[str, Part] = {}
        self._parts: Mapping[str, Part] = {}
        self._shown: Page | None = None
        self._loading: asyncio.Task[None] | None = None
        self._kept: tuple[object, ...] = ()  # the place that the audit log has
        self._asked_at = self._noted_at = 0.0
        self._sure = True  # whether the store lately said who she is
        self._tasks: set[asyncio.Task[None]] = set()

    # --- where ------------------------------------------------------------------------------------

    def begin(self, around: Mapping[str, Part], place: Place) -> None:
        """around: the frame's parts. The audit log has it that she looks at this place."""
        self._around, self._kept = around, place.key
        self.go(place)

    @property
    def page(self) -> Page:
        return self._page(self.place)

    def _page(self, place: Place) -> Page:
        """A page that is not hers to see is the first one."""
        found = self._pages(place.page, place.id)
        return found if found.right is None or self.who.may(found.right) else self._pages("", "")

    def go(self, place: Place) -> None:
        """Show another place; one that is not there is the first page. What both have in common stays."""
        before = self.place
        self.place = place
        if before.key != place.key and not (self.page is self._shown and self.page.stays):
            self.loaded = None
        if self._shown is None or before.key != place.key:
            self._opened(place)
        if self.page is not self._shown:
            self._shown = self.page
            self._parts = self._lay(self._shown)
        self._load()
        self.draw(self._now().of(self.who))

    def _opened(self, place: Place) -> None:
        """Who reads numbers of people as they are, or what they said, is told of to the audit log: before
        anything is asked of the store, where the page does that.
        """
        if self.who.reads_people and self._page(place).load is None and self._kept != place.key:
            self._desk.door.note(self.who, LOOK, place.subject, detail=place.detail)

    async def _keep(self, place: Place) -> None:
        """Raises AuditUnavailable."""
        if self.who.reads_people and self._kept != place.key:
            await self._desk.door.keep(self.who, LOOK, place.subject, place.detail)
            self._kept = place.key

    def live_in(self, zone: str) -> None:
        """Where she is: days begin there at midnight. zone: anything."""
        if zone in zones() and zone != self.zone:
            self.zone = zone
            if self._shown is not None:
                self._load()

    def speak(self, say: Words) -> None:
        self.say = say
        self._load()  # for what was loaded may be sentences
        self.draw(self._now().of(self.who))

    # --- what is shown ----------------------------------------------------------------------------

    def beat(self, moment: Moment) -> None:
        """For the pulse."""
        try:
            who = self._desk.door.who(self._cookie)
        except StoreUnavailable:  # what she saw stays, and nothing is added while nobody knows what she may
            self._sure = False
            return
        self._sure = True
        if who is None:
            self._gone()
            return
        self.who, now = who, moment.of(who)
        if self.page is not self._shown:  # it is not hers any more
            self.go(Place())
        if self._noted_at and self._desk.wall() - self._noted_at >= NOTED_S:
            self._noted_at = 0.0
            self._around["note"].show(EMPTY, now.at)
        if self.page.every_s and now.at - self._asked_at >= self.page.every_s:
            self._load()
        self.draw(now)

    def draw(self, now: Snapshot) -> None:
        look = Look(now, self.say, self.who, self.place, self.loaded, self._desk.places)
        common = (self.say.code, self.who.name, self.who.scope, self.who.rights, self.place.key)
        for name, view in self._frame.items():
            self._around[name].show(self._drawings.get((name, *common), look, view), now.at)
        for name, part in self._parts.items():
            # what was loaded is this screen's own: another's may be newer
            key = (name, *common, id(self.loaded) if self.loaded is not None else 0)
            part.show(self._drawings.get(key, look, self.page.parts[name]), now.at)

    # --- what is asked of the store ---------------------------------------------------------------

    def _load(self) -> None:
        if self.page.load is None or (self._loading is not None and not self._loading.done()):
            return
        self._asked_at = self._desk.wall()
        self._loading = self._do(self._loaded(self.place, self._wanted))

    @property
    def _wanted(self) -> tuple[object, ...]:
        """What is asked for depends on all of it."""
        return self.place.key, self.say.code, self.zone

    async def _loaded(self, place: Place, wanted: tuple[object, ...]) -> None:
        load = self._page(place).load
        if load is None:
            return
        before = self.loaded
        try:
            await self._keep(place)
            loaded = await load(self._hers(), place, before)
        except StoreUnavailable:
            loaded = self._unloaded("fault.store")
        except AuditUnavailable:
            loaded = self._unloaded("fault.audit")
        except BadCursor:
            if place.key == self.place.key:
                self._loading = None
                asked = {name: value for name, value in place.asked.items() if name != "cursor"}
                self.go(Place(place.page, place.id, asked))
                return
            loaded = self.loaded
        if place.key == self.place.key and self.loaded is before:
            self.loaded = loaded
            self.draw(self._now().of(self.who))
        if wanted != self._wanted or self.loaded is not loaded:  # what was done meanwhile has newer results
            self._loading = None
            self._load()

    def _unloaded(self, fault: str) -> Any:
        """What was there stays."""
        self.note(Told(fault, bad=True))
        return self.loaded

    def _hers(self) -> Desk:
        return self._desk.of(self.who, self.say.code, self.zone, self.loaded)

    # --- what is done -----------------------------------------------------------------------------

    def act(self, name: str, given: Mapping[str, Any]) -> None:
        """Something that somebody pressed. What is no act of the page, or not hers, is told so."""
        found = self.page.acts.get(name) or self._anywhere.get(name)
        if found is None:
            return
        right, act = found
        if not self._sure:
            self._do(self._surely(self.place, name, given))
            return
        if not self.who.may(right):
            self._desk.door.note(self.who, name, self.place.subject, "refused (403)")
            self.note(Told("fault.forbidden", bad=True))
            return
        fields = {
            str(key)[:64]: str(value)[: self.page.most_text]
            for key, value in list(given.items())[:MOST_FIELDS]
            if isinstance(value, (str, int, float, bool))
        }
        self._do(self._acted(name, act, fields))

    async def _surely(self, place: Place, name: str, given: Mapping[str, Any]) -> None:
        """What is asked before the store has said again who she is, as after a change of her own account,
        waits for that. It is not done elsewhere, where she went on meanwhile.
        """
        try:
            who = await self._desk.door.look(self._cookie)
        except StoreUnavailable:
            self.note(Told("fault.store", bad=True))
            return
        if place.key != self.place.key:
            return
        if who is None:
            self._gone()
            return
        self.who, self._sure = who, True
        self.act(name, given)

    async def _acted(self, name: str, act: Callable[..., Any], fields: Mapping[str, str]) -> None:
        place = self.place
        try:
            told: Told = await act(self._hers(), self.who, place, fields)
        except StoreUnavailable:
            told = Told("fault.store", bad=True)
        except Exception:  # half of it may be done, which the audit log is to know
            self._desk.door.note(self.who, name, place.subject, "failed")
            raise
        outcome = "refused" if told.bad else "done"
        self._desk.door.note(self.who, name, told.of or place.subject, outcome)
        if told.keep is not None and place.key == self.place.key:
            self.loaded = told.keep
        if told.to:
            self.go(Place.of(told.to))
        elif told.keep is None:
            self._load()
        self.note(told)
        self.draw(self._now().of(self.who))

    def note(self, told: Told) -> None:
        """Tell whoever did something what came of it."""
        if told.key:
            self._noted_at = self._desk.wall()
            words = tag("p", self.say(told.key, **told.values), class_="note bad" if told.bad else "note")
            self._around["note"].show(words, self._noted_at)

    def _do(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("the console failed at what was asked", page=self.place.page, exc_info=fault)
            self.note(Told("fault.inner", bad=True))

    def close(self) -> None:
        """Nobody looks any more. The page has this screen, and is let go of: the ring is not left to
        Python's collector.
        """
        for task in list(self._tasks):
            task.cancel()
        self._lay, self._gone = _no_parts, _nobody


def _no_parts(page: Page) -> Mapping[str, Part]:
    return {}


def _nobody() -> None:
    """Nobody is told."""
