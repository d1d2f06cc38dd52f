"""Two regions in one picture: everybody lands at the nearest node, one is killed, and nobody's call ends.

    python -m tests.interop.two_regions [--seed N]

What runs: tests/interop/regions.py. Callers over two carriers, travellers whose line nobody can measure and,
where Chromium and Playwright are installed, a caller's page in each region begin at the front or page of
either region. 20 of them talk through the second region's node, the others wait in one queue at both, when
kill -9 ends that node. Prints what was seen, judges it (`judge`), says so in a last line of JSON, and ends
with 1 when something fell short. Needs root, Kamailio and redis-server.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from benchmarks.far_apart import Impossible, able
from engine.hearing import is_music, read_wav
from tests.browser.chromium import TELEPHONE, Chromium, missing
from tests.browser.elsewhere import chromium_there
from tests.browser.pages import CallerPage, music
from tests.interop import front as kamailio
from tests.interop import redis_server
from tests.interop.regions import SALES, TCP, Region, TwoRegions
from tests.interop.talkers import Talker
from tests.interop.wire import node_of

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

SOON_S = 3.0  # from the kill to sound
ENOUGH = 0.95  # of the legs behind Kamailio
LONGEST_S = 8.0
TALK_S = 2.0  # before the kill
NUMBERS = {"eu": "+442079460018", "us": "+12025550118"}  # of travellers

# What a page showed and what became of its connection, and when (ms since 1970).
DIARY = """
(() => {
  const told = window.isoglossTold = [];
  const tell = (word) => told.push({word, at: Date.now()});
  let watched = null;
  const look = () => {
    const {state, call} = document.getElementById('page')?.dataset ?? {};
    const word = `${state} ${call}`;
    if (told.at(-1)?.word !== word) tell(word);
    if (watched || !window.isoglossEar?.connections.length) return;
    [watched] = isoglossEar.connections;
    watched.addEventListener('connectionstatechange', () => tell(watched.connectionState));
  };
  new MutationObserver(look).observe(document, {
    subtree: true, attributes: true, attributeFilter: ['data-state', 'data-call'],
  });
})();
"""
BACK = """
() => {
  const words = isoglossTold.map((each) => each.word), lost = words.indexOf('live reconnecting');
  const back = words.indexOf('live waiting', Math.max(lost, 0));
  return lost >= 0 && back > lost ? isoglossTold[back].at : false;
}
"""


@dataclass(frozen=True)
class Landing:
    """A call: whose it is, what she met first, where it came to be, where it should, and why that is near."""

    who: str
    first: str
    at: str
    near: str
    why: str
    id: str


@dataclass
class Told:
    """What was seen. sent_on: 302s that nodes said. refused: callers who were told anything but an answer.
    said: of `Wire`. legs: behind Kamailio; heard_s: from the kill on. before, after: who waits, in order;
    lost: so many of them at the node that was killed. links: where a page may resume, by its region; resumed:
    where it did, and in which call. page_waited: until its connection said that there is no way.
    """

    landings: list[Landing] = field(default_factory=list)
    sent_on: int = 0
    refused: int = 0
    said: Counter[tuple[int, bool]] = field(default_factory=Counter)
    legs: int = 0
    heard_s: list[float] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    lost: int = 0
    after: list[str] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    resumed: list[tuple[str, str]] = field(default_factory=list)
    page_back_s: float | None = None
    page_waited: bool = False
    page_hears_music: bool = False
    records: Counter[str] = field(default_factory=Counter)

    @property
    def ids(self) -> list[str]:
        return [each.id for each in self.landings]

    def within(self, seconds: float) -> float:
        """Share of the legs that had audio again by then."""
        return sum(each <= seconds for each in self.heard_s) / max(self.legs, 1)


class Visitor:
    """A caller's page in a region. kept: answers to its calls, as (origin, headers)."""

    def __init__(self, region: Region, page: CallerPage) -> None:
        self.region, self.caller = region, page
        self.kept: list[tuple[str, dict[str, str]]] = []
        page.page.add_init_script(DIARY)
        page.page.on("response", self._answered)

    @property
    def page(self) -> Page:
        return self.caller.page

    def _answered(self, response: Response) -> None:
        if response.status == 201 and "/whip/" in response.url:
            self.kept.append((response.url.partition("/whip/")[0], response.headers))


class Story:
    """Told once. chromium: None where no browser is to take part."""

    def __init__(self, world: TwoRegions, chromium: Chromium | None, speech: Path) -> None:
        self.world = world
        self.told = Told()
        self.visitors: list[Visitor] = []
        self._chromium = chromium
        self._speech = speech
        self._browsers: list[Chromium] = []

    def tell(self) -> Told:
        try:
            self._land()
            self._kill()
            self._close_books()
        finally:
            for each in self._browsers:
                each.close()
        return self.told

    # --- everybody calls --------------------------------------------------------------------------

    def _land(self) -> None:
        world = self.world
        both = (world.regions, world.regions[::-1])
        if self._chromium is not None:
            for here, other in both:
                self._visit(here, other)
        for here, other in both:
            for first in (here, other):
                call = lambda here=here, first=first: self._by_carrier(here, first, "desk")  # noqa: E731
                self._lands(
                    f"carrier {here.name}",
                    f"front {first.name}",
                    here,
                    f"line=carrier-{here.name}&kind=sip",
                    call,
                )
            travels = lambda here=here, other=other: world.travellers[here.name].call(  # noqa: E731
                "desk", other.front.address(), NUMBERS[here.name]
            )
            asked = f"line=travellers&number={quote(NUMBERS[here.name])}&kind=sip"
            self._lands(f"traveller {here.name}", f"front {other.name}", here, asked, travels)
        self._sell()
        phones = [
            phone
            for each in (world.carriers, world.travellers)
            for some in each.values()
            for phone in some.phones
        ]
        self.told.refused = sum(each.over for each in phones)
        self.told.sent_on = sum(sent_on(each) for each in world.regions)
        self.told.said = world.wire.said()

    def _visit(self, here: Region, other: Region) -> None:
        """A browser in one region with the page of the other."""
        assert self._chromium is not None
        folder = self.world.folder / f"browser-{here.name}"
        folder.mkdir()
        origins = [each.origin for each in self.world.regions]
        browsers = self._chromium.another(chromium_there(folder, here.people.enter(), origins))
        self._browsers.append(browsers)
        visitor = Visitor(here, CallerPage(browsers.open, other.node, self._speech))
        self.visitors.append(visitor)

        def call() -> None:
            visitor.caller.open()
            visitor.caller.start()
            visitor.caller.is_told("waiting")

        self._lands(
            f"page in {here.name}", f"page of {other.name}", here, f"source={here.browser}&kind=web", call
        )

    def _by_carrier(self, here: Region, first: Region, number: str) -> Talker:
        return self.world.carriers[here.name].call(number, by=first.front.address())

    def _lands(self, who: str, first: str, near: Region, asked: str, call: Callable[[], object]) -> None:
        """One calls; wait until it is known where that came to be. first: ends with a region, whose node is
        asked for its reasons. asked: how.
        """
        world, known = self.world, set(self.told.ids)
        call()
        world.until(f"a call of {who}", lambda: world.calls().keys() - known)
        ((id, at),) = ((id, at) for id, at in world.calls().items() if id not in known)
        deciding = next(each for each in world.regions if first.endswith(each.name))
        order = deciding.node.get(f"/v1/near?{asked}")["order"]
        self.told.landings.append(Landing(who, first, at, near.name, order[0]["why"], id))

    def _sell(self) -> None:
        """Agents register in the second region, and as many customers call there, by either front in turn."""
        world, us = self.world, self.world.us
        for name in SALES:
            world.sellers.register(name, "anna-secret")
        world.until("all registered", lambda: len(world.sellers.registered) == len(SALES))
        known = set(self.told.ids)
        for at in range(len(SALES)):
            self._by_carrier(us, world.regions[at % 2], "sales")
        world.until("all talk", lambda: len(world.pairs(us)) == len(SALES))
        why = us.node.get("/v1/near?line=carrier-us&kind=sip")["order"][0]["why"]
        new = [(id, at) for id, at in world.calls().items() if id not in known]
        self.told.landings += [Landing("carrier us", "either front", at, "us", why, id) for id, at in new]

    # --- a node dies ------------------------------------------------------------------------------

    def _kill(self) -> None:
        world, told = self.world, self.told
        eu, us = world.regions
        wait = sum(each.first != "either front" for each in told.landings)
        world.until("all wait", lambda: len(world.places("desk", eu, us)) == wait)
        told.before, told.lost = world.places("desk", eu, us), len(world.places("desk", us))
        begun = time.monotonic()
        world.until("they go on talking", lambda: len(world.pairs(us, begun + TALK_S)) == len(SALES))
        pairs = world.pairs(us)
        told.legs = 2 * len(pairs)
        killed, at = time.monotonic(), time.time()
        us.node.kill()
        few = math.ceil(ENOUGH * len(pairs))
        world.until("sound again", lambda: len(world.pairs(eu)) >= few)
        everybody = lambda: len(world.pairs(eu)) == len(pairs)  # noqa: E731
        world.until("sound, or long enough", lambda: everybody() or time.monotonic() > killed + LONGEST_S)
        told.heard_s = sorted(gap for each in pairs for gap in silences(each, node_of(eu.number), killed))
        world.until("they wait again", lambda: len(world.places("desk", eu)) == wait)
        told.after = world.places("desk", eu)
        for each in self.visitors:
            told.links[each.region.name] = each.kept[0][1].get("link", "")
            if each.region is us:
                self._resumes(each, at)

    def _resumes(self, visitor: Visitor, killed: float) -> None:
        """The page finds its call. killed: seconds since 1970."""
        told = self.told
        told.page_back_s = visitor.page.wait_for_function(BACK).json_value() / 1000 - killed
        words = [each["word"] for each in visitor.page.evaluate("() => isoglossTold")]
        told.page_waited = "disconnected" in words
        told.resumed = [(origin, headers.get("isogloss-call", "")) for origin, headers in visitor.kept[1:]]
        plays = read_wav(music(self.world.eu.node), TELEPHONE)
        told.page_hears_music = bool(is_music(visitor.caller.tab.hears(2.0), plays, TELEPHONE))

    # --- all is over ------------------------------------------------------------------------------

    def _close_books(self) -> None:
        world = self.world
        for each in self.visitors:
            each.page.click("#hangup")
            each.caller.in_state("ended")
        for some in (*world.carriers.values(), *world.travellers.values()):
            for phone in some.phones:
                some.hang_up(phone)
        world.eu.node.idle()
        world.us.node.restart()
        world.until("it is known who had what", lambda: "last life closed" in world.us.node.said(100_000))
        world.until("records", lambda: len(world.records()) >= len(self.told.landings))
        self.told.records = world.records()


def silences(pair: tuple[Talker, Talker], of: str, since: float) -> Iterator[float]:
    """Seconds until each of two heard the other by way of another node."""
    for one, other in (pair, pair[::-1]):
        found = one.hears(other, of)
        if found is not None:
            yield found - since


def sent_on(region: Region) -> int:
    """Calls that a node answered 302."""
    name = "isogloss_calls_sent_on_total "
    lines = region.node.metrics().splitlines()
    return int(float(next(each for each in lines if each.startswith(name)).split()[1]))


def judge(told: Told) -> list[str]:
    """What fell short, in words."""
    away = [each for each in told.landings if each.at != each.near]
    faults = [f"{each.who} by {each.first} came to {each.at}" for each in away]
    if told.within(SOON_S) < ENOUGH:
        faults.append(f"{told.within(SOON_S):.1%} of {told.legs} legs heard within {SOON_S:g} s")
    if told.after != told.before:
        faults.append(f"those who waited stand as {told.after}, not {told.before}")
    if told.links and not (told.resumed and told.page_hears_music):
        faults.append("the page of the dead node did not resume")
    if told.records != Counter(told.ids):
        faults.append(f"records: {told.records}")
    if told.said[TCP, True] or any(protocol != TCP for protocol, _ in told.said) or not told.said:
        faults.append(f"between front and node not all was TLS: {told.said}")
    return faults


def words(told: Told) -> Iterator[str]:
    seen = Counter((each.who, each.first, each.at, each.why) for each in told.landings)
    for (who, first, at, why), count in seen.items():
        yield f"{count:3} {who} by {first}: node of {at}, {why}"
    yield f"{told.sent_on} were sent on by 302, which no caller saw; {told.refused} were refused"
    p50, p95 = (told.heard_s[math.ceil(share * len(told.heard_s)) - 1] for share in (0.5, 0.95))
    last = told.heard_s[-1]
    yield f"killed: {told.within(SOON_S):.1%} of {told.legs} legs heard within {SOON_S:g} s"
    yield f"        after p50 {p50:.2f} s, p95 {p95:.2f} s, the last {last:.2f} s"
    kept = "kept" if told.after == told.before else "lost"
    yield f"        {len(told.before)} waited, {told.lost} of them there; their order was {kept}"
    if told.page_back_s is not None:
        sound = "music" if told.page_hears_music else "no music"
        yield f"        its page waits again after {told.page_back_s:.1f} s, and hears {sound}"
    yield f"records: {sum(told.records.values())} of {len(told.landings)} calls"


def figures(told: Told) -> dict[str, Any]:
    at = math.ceil(0.95 * len(told.heard_s)) - 1
    return {
        "on_nearest_share": sum(each.at == each.near for each in told.landings) / len(told.landings),
        "calls": len(told.landings),
        "sent_on": told.sent_on,
        "legs": told.legs,
        "legs_heard_3s_share": round(told.within(SOON_S), 4),
        "heard_p95_s": round(told.heard_s[at], 3),
        "order_kept": told.after == told.before,
        "page_back_s": None if told.page_back_s is None else round(told.page_back_s, 2),
        "records": sum(told.records.values()),
    }


def lacking() -> str | None:
    """What this machine cannot do without; browsers are not among it."""
    if not kamailio.installed():
        return f"Kamailio is not installed (Debian: {kamailio.PACKAGES})"
    if not redis_server.installed():
        return "redis-server is not installed (Debian: redis-server)"
    try:
        able()
    except Impossible as fault:
        return str(fault)
    return None


@contextmanager
def browsers() -> Iterator[Chromium | None]:
    """Chromium by Playwright, None where one of them is missing."""
    if missing() is not None:
        yield None
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield Chromium(playwright, shutil.which("chromium") or "")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=5)
    options = parser.parse_args()
    reason = lacking()
    if reason is not None:
        print(reason, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="two-regions-") as folder, browsers() as chromium:
        if chromium is None:
            print(f"no browsers take part: {missing()}", file=sys.stderr)
        prompts = Path(os.environ.get("ISOGLOSS_PROMPTS", f"{folder}/prompts"))
        began = time.monotonic()
        world = TwoRegions(Path(folder), prompts, options.seed)
        try:
            speech = prompts / "en" / "music.wav"
            told = Story(world, chromium, speech if speech.exists() else music(world.eu.node)).tell()
        finally:
            world.close()
    print(*words(told), sep="\n")
    faults = judge(told)
    for each in faults:
        print(f"fell short: {each}")
    took = round(time.monotonic() - began, 1)
    print(json.dumps({"seed": options.seed, "took_s": took, "faults": len(faults), "figures": figures(told)}))
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
