"""Tells hooks what happened: reads the journal on, sends what is due, and tries again what was not taken.

A target that is out of order is left alone for a while, longer each time; an event that a target refuses is
tried again by itself, and meanwhile only what comes after it in its own call waits. Each hook is served by a
task of its own, so that a slow target keeps no other waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

import structlog

from config.hook import HookSettings
from engine.hook_views import HookTrial
from engine.hooks.cloud_event import MEDIA_TYPE, trial
from engine.hooks.post import Outcome, Post
from engine.hooks.signing import headers
from engine.store.errors import StoreUnavailable
from engine.store.outbox import DAY_S, Failed, GivenUp, Letter, Outbox, Waiting
from engine.views import Check, Health, IllegalState

LOOK_S = 1.0  # between two looks when nothing happens
SOON_S = 0.05  # after something did, for the journal to have written it
BESIDE_S = 0.2  # that a round waits for those it serves; they go on beside the next
PARALLEL = 8  # letters to one hook at a time
MOST_PARALLEL = 32  # to all of them
FIRST_S, LONGEST_S = 5.0, 3600.0  # until a next try
BEHIND_S = 900.0  # from here on the node's health tells of it
MOST_FAULTS = 5
DEAD_DAYS = 30  # that letters are kept which were put aside, from when their time was over
CLEAN_S = 3600.0

log = structlog.get_logger("hooks")


@dataclass(slots=True)
class Standing:
    """How a hook does. failures: in a row. Instants are epoch seconds."""

    failures: int = 0
    retry_at: float = 0.0
    told: int = 0
    failed: int = 0
    last_at: float | None = None  # when it last took something
    error: str = ""
    dropped: int = 0  # of those that were put aside, for good
    waiting: Waiting = field(default_factory=Waiting)


class Courier:
    """hooks: looked up at each use. wall: epoch seconds."""

    def __init__(
        self,
        outbox: Outbox,
        post: Post,
        hooks: Callable[[], Mapping[str, HookSettings]],
        wall: Callable[[], float],
        rng: Random,
    ) -> None:
        self.outbox = outbox
        self._post = post
        self._hooks = hooks
        self._wall = wall
        self._rng = rng
        self._standings: dict[str, Standing] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._room = asyncio.Semaphore(MOST_PARALLEL)
        self._serving: dict[str, asyncio.Task[None]] = {}  # by hook
        self._cleaned = 0.0
        self._trying: set[str] = set()

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="hooks")

    async def close(self) -> None:
        """What is being sent is sent again in the next life."""
        if self._task is not None:
            tasks = [self._task, *self._serving.values()]
            self._task = None
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def notice(self, _: object) -> None:
        """Something happened."""
        if self._task is not None and self._hooks():
            self._woken.set()

    async def try_out(self, name: str) -> HookTrial:
        """Post one event that says nothing but that, now and once, whether the hook is enabled or not. One
        that takes it is told at once what waits for it. Raises LookupError, IllegalState for a second time
        at once.
        """
        hook = self._hooks()[name]
        if self.tries(name):
            raise IllegalState(f"{name} is tried already; wait for that")
        self._trying.add(name)
        try:
            begun, id = self._wall(), f"{self.outbox.node}-trial-{self._rng.getrandbits(64):016x}"
            outcome = await self._post_to(hook, id, trial(id, self.outbox.node, name, begun))
        finally:
            self._trying.discard(name)
        standing = self._standing(name)
        if outcome.taken and standing.failures:
            standing.failures, standing.retry_at, standing.error = 0, 0.0, ""
            self._woken.set()
        return HookTrial(id, outcome.taken, outcome.status, outcome.why, max(0.0, self._wall() - begun))

    def tries(self, name: str) -> bool:
        """Whether that hook is tried at this moment."""
        return name in self._trying

    def standings(self) -> dict[str, Standing]:
        """By hook."""
        return {name: self._standing(name) for name in self._hooks()}

    def check(self) -> Check:
        """The hooks' line in the node's health: those that are not told, and what was put aside."""
        faults = []
        for name, hook in self._hooks().items():
            standing = self._standing(name)
            behind = self._wall() - (standing.waiting.oldest or self._wall())
            if hook.enabled and behind > BEHIND_S:
                why = f": {standing.error}" if standing.error else ""
                faults.append(f"{name} is behind by {behind / 60:.0f} min{why}")
            if standing.waiting.dead:
                more = f", {standing.dropped} older ones dropped" if standing.dropped else ""
                faults.append(f"{standing.waiting.dead} events for {name} were put aside{more}")
        status = Health.DEGRADED if faults else Health.OK
        return Check(name="hooks", status=status, detail="; ".join(faults[:MOST_FAULTS]))

    def _standing(self, hook: str) -> Standing:
        return self._standings.setdefault(hook, Standing())

    # --- one round after the other ------------------------------------------------------------------

    async def _run(self) -> None:
        begun = before = False
        while True:
            try:
                hooks = self._hooks()
                if hooks and not (begun and before):
                    await asyncio.to_thread(self.outbox.begin, anew=begun)
                    begun = True
                before = bool(hooks)
                await (self.round(BESIDE_S) if hooks else self._clean())  # those that are gone left letters
            except StoreUnavailable as error:
                log.warning("hooks wait for the store", why=str(error))
            except Exception:  # the loop's edge: hooks go on with the next round
                log.exception("a fault while hooks were told")
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_S):
                await self._woken.wait()
            await asyncio.sleep(SOON_S)
        except TimeoutError:
            pass
        self._woken.clear()

    async def round(self, most_s: float | None = None) -> None:
        """Read the journal to its end, then send what is due to every hook; most_s: how long that is waited
        for. Raises StoreUnavailable.
        """
        hooks = self._hooks()
        while await asyncio.to_thread(self.outbox.fill, hooks, self._wall()):
            self._tell(await asyncio.to_thread(self.outbox.bound, list(hooks)))
        self._serving = {name: task for name, task in self._serving.items() if not task.done()}
        for name, hook in hooks.items():
            if hook.enabled and name not in self._serving:
                self._serving[name] = asyncio.create_task(self._serve(name), name=f"hook {name}")
        if self._serving:
            await asyncio.wait(self._serving.values(), timeout=most_s)
        await self._clean()
        found = await asyncio.to_thread(self.outbox.waiting)
        for name in hooks:
            self._standing(name).waiting = found.get(name, Waiting())

    async def _clean(self) -> None:
        now = self._wall()
        if now - self._cleaned >= CLEAN_S:
            self._cleaned = now
            self._tell(await asyncio.to_thread(self.outbox.clean, now, DEAD_DAYS * DAY_S))

    def _tell(self, given_up: Sequence[GivenUp]) -> None:
        for each in given_up:
            what = "events for a hook were dropped" if each.dropped else "events for a hook were put aside"
            log.warning(what, hook=each.hook, events=each.events, why=each.why)
            if each.dropped:
                self._standing(each.hook).dropped += each.events

    async def _serve(self, name: str) -> None:
        try:
            await self._send_due(name)
        except StoreUnavailable as error:
            log.warning("a hook waits for the store", hook=name, why=str(error))
        except Exception:  # the task's edge: it is served again in the next round
            log.exception("a fault while a hook was told", hook=name)

    async def _send_due(self, name: str) -> None:
        """Send until nothing is due, the target is out of order, or the hook is gone or disabled."""
        standing = self._standing(name)
        while self._wall() >= standing.retry_at:
            hook = self._hooks().get(name)
            if hook is None or not hook.enabled:
                return
            some = 1 if standing.failures else PARALLEL  # one to see whether it is well again
            letters = await asyncio.to_thread(self.outbox.due, name, self._wall(), some)
            if not letters:
                return
            outcomes = await asyncio.gather(*(self._send(hook, letter) for letter in letters))
            told = [letter for letter, outcome in zip(letters, outcomes) if outcome.taken]
            failed = self._failed(standing, list(zip(letters, outcomes)))
            await asyncio.to_thread(self.outbox.settle, told, failed)
            if told:
                standing.told += len(told)
                standing.last_at = self._wall()

    async def _send(self, hook: HookSettings, letter: Letter) -> Outcome:
        async with self._room:
            return await self._post_to(hook, letter.id, letter.body.encode())

    async def _post_to(self, hook: HookSettings, id: str, body: bytes) -> Outcome:
        secrets = [each.reveal() for each in (hook.secret, hook.former_secret) if each is not None]
        signed = headers(secrets, id, self._wall(), body)
        kind = {"Content-Type": f"{MEDIA_TYPE}; charset=utf-8", "User-Agent": "Isogloss"}
        return await self._post.send(
            hook.url, kind | signed, body, private=hook.allow_private, timeout_s=hook.timeout_s
        )

    def _failed(self, standing: Standing, sent: Sequence[tuple[Letter, Outcome]]) -> list[Failed]:
        now, failed, broken = self._wall(), [], ""
        for letter, outcome in sent:
            if outcome.taken:
                continue
            standing.failed += 1
            standing.error = outcome.why
            again = now + self._delay(letter.tries) if outcome.its_own else now
            failed.append(Failed(letter, outcome.why, again if again < letter.until else None))
            broken = broken if outcome.its_own else outcome.why
        if broken:
            standing.retry_at = now + self._delay(standing.failures)
            standing.failures += 1
            log.warning("a hook is not told", hook=sent[0][0].hook, why=broken, failures=standing.failures)
        elif any(outcome.taken for _, outcome in sent):
            standing.failures, standing.error = 0, "" if not failed else standing.error
        return failed

    def _delay(self, tries: int) -> float:
        """Longer each time, and never the same for two: between half of it and all."""
        return min(LONGEST_S, FIRST_S * 2.0 ** min(tries, 12)) * self._rng.uniform(0.5, 1.0)
