"""The node's configuration at work: what runs, what the files say, and how the one becomes the other.

The files are in the node's own folder; whoever may write there says what the node does, and a token of the
API can only have them taken, or a version that was taken before. One thing happens at a time. Files are
copied first, and what is checked, kept and told is that copy, whatever is written meanwhile.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import structlog

from config.document import Known
from config.fault import ConfigError, Fault
from config.load import load
from config.reload import Change, plan, stranded, taken
from config.schema import Config
from config.secret import SecretMissing
from engine import applying
from engine.applying import Ahead, NotReady, Speak
from engine.beginning import Beginning
from engine.history import Current, Draft, Version, digest_of
from engine.views import Check, Health

if TYPE_CHECKING:
    from engine.app import Engine

Prepare = Callable[[Config], Config]

log = structlog.get_logger("config")


class Refused(Exception):
    """A change that is sound and would do harm. reasons: in words, one a destination."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class OtherVersion(Exception):
    """Another version runs than whoever asked thinks."""

    def __init__(self, running: int) -> None:
        super().__init__(f"version {running} runs")
        self.running = running


class UnknownVersion(Exception):
    """There is no such version any more."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What would change. version: the one that runs. refusals: what speaks against it, unless forced."""

    version: int
    changes: tuple[Change, ...]
    refusals: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done. version: what runs now; plan: what changed, nothing where it ran already."""

    version: Version
    plan: Plan


@dataclass(frozen=True, slots=True)
class Status:
    """restart: what was applied and waits for one, in words. faults: of the files, when they were looked at
    last.
    """

    version: Version
    folder: Path
    restart: tuple[str, ...]
    faults: tuple[Fault, ...]


def weigh(running: Config, declared: Config, version: int) -> Plan:
    """What changes from what runs to what is declared, and what speaks against it."""
    return Plan(version, tuple(plan(running, declared)), tuple(stranded(running, declared)))


class Operating:
    """engine: what is told. prepare: fills in secrets and ports. speak: makes prompts. told: who else wants
    to know of another configuration.
    """

    def __init__(
        self,
        engine: Engine,
        begun: Beginning,
        env: Mapping[str, str],
        prepare: Prepare,
        speak: Speak,
        known: Known | None = None,
    ) -> None:
        self.engine = engine
        self.folder = begun.declared.folder
        self.history = begun.history
        self.version = begun.version
        self.told: list[Callable[[Config], None]] = []
        self.faults = tuple(begun.faults)
        self._declared = begun.declared  # as its version says
        self._running = begun.declared  # the same, with what needs a restart as it was at the start
        self._env = env
        self._prepare = prepare
        self._speak = speak
        self._known = known or Known()
        self._lock = asyncio.Lock()
        engine.checks.append(self.health)

    # --- looking ----------------------------------------------------------------------------------

    def status(self) -> Status:
        waiting = tuple(change.words for change in plan(self._running, self._declared))
        return Status(self.version, self.folder, waiting, self.faults)

    def health(self) -> Check:
        if not self.faults:
            return Check(name="configuration", status=Health.OK, detail=f"version {self.version.number}")
        told = (
            f"version {self.version.number} runs; the files have {len(self.faults)} faults: {self.faults[0]}"
        )
        return Check(name="configuration", status=Health.DEGRADED, detail=told)

    async def check(self) -> tuple[Fault, ...]:
        """What is wrong with the files, as they are now."""
        try:
            await asyncio.to_thread(load, self.folder, self._env, None, self._known)
        except ConfigError as error:
            self.faults = tuple(error.faults)
        else:
            self.faults = ()
        return self.faults

    async def plan(self, number: int | None = None) -> Plan:
        """What would change if the files, or a version, were applied. Raises ConfigError, UnknownVersion."""
        texts = None if number is None else self._texts(number)
        declared = await asyncio.to_thread(load, self.folder, self._env, texts, self._known)
        return self._weighed(declared)

    def differs(self) -> bool:
        """Whether the files are others than when they were looked at for what runs. Blocks."""
        current = self.history.current()
        return current is not None and digest_of(self.folder) != current.seen

    def versions(self) -> list[Version]:
        """The newest first. Blocks."""
        return self.history.versions()

    # --- changing ---------------------------------------------------------------------------------

    async def apply(
        self, by: str, why: str = "", *, force: bool = False, expected: int | None = None
    ) -> Applied:
        """Take the files. expected: the version that has to run. Raises ConfigError, Refused, OtherVersion,
        HistoryFault, NotReady; then nothing has changed.
        """
        async with self._lock:
            self._expect(expected)
            draft = await asyncio.to_thread(self.history.draft, self.folder)
            made = Version(number=0, at=0.0, by=by, why=why, how="apply", forced=force, digest=draft.digest)
            try:
                applied = await self._take(draft, made, draft.digest, force)
            except ConfigError as error:
                self.faults = tuple(error.faults)
                raise
            self.faults = ()
            return applied

    async def rollback(
        self, number: int | None, by: str, why: str = "", *, force: bool = False, expected: int | None = None
    ) -> Applied:
        """Take a version again; None: the one that ran before. Raises as `apply`, and UnknownVersion."""
        async with self._lock:
            self._expect(expected)
            wanted = await asyncio.to_thread(self._former) if number is None else number
            draft = await asyncio.to_thread(self.history.draft, self._texts(wanted))
            made = Version(
                number=0, at=0.0, by=by, why=why, how="rollback", of=wanted, forced=force, digest=draft.digest
            )
            return await self._take(draft, made, await asyncio.to_thread(digest_of, self.folder), force)

    def _expect(self, expected: int | None) -> None:
        if expected is not None and expected != self.version.number:
            raise OtherVersion(self.version.number)

    def _texts(self, number: int) -> Path:
        if self.history.find(number) is None:
            raise UnknownVersion(f"there is no version {number}; `history` lists those that are kept")
        return self.history.texts(number)

    def _former(self) -> int:
        others = [each.number for each in self.history.versions() if each.number < self.version.number]
        if not others:
            raise UnknownVersion("no version before this one is kept")
        return others[0]

    def _weighed(self, declared: Config) -> Plan:
        found = weigh(self._running, declared, self.version.number)
        if not found.changes:
            return found
        told = taken(self._running, declared)
        warned = tuple(applying.warnings(self.engine, self._running, told))
        return Plan(found.version, found.changes, found.refusals, warned)

    async def _take(self, draft: Draft, made: Version, seen: str, force: bool) -> Applied:
        kept = False
        try:
            declared = await asyncio.to_thread(load, self.folder, self._env, draft.texts, self._known)
            found = self._weighed(declared)
            if not found.changes and draft.digest == self.version.digest:
                await asyncio.to_thread(self._seen, seen)
                return Applied(self.version, found)
            if found.refusals and not force:
                raise Refused(found.refusals)
            kept = True
            return await self._run(draft, made, seen, declared, found)
        finally:
            if not kept:
                await asyncio.to_thread(self.history.drop, draft)

    def _seen(self, seen: str) -> None:
        current = Current(self.version.number, str(self.folder.resolve()), seen)
        if self.history.current() != current:
            self.history.point(current)

    async def _run(self, draft: Draft, made: Version, seen: str, declared: Config, found: Plan) -> Applied:
        """Make what is lacking, keep the version, then tell everybody at once; or undo all of it."""
        old, ahead, former = self.engine.config, Ahead(), self.history.current()
        prepared = taken(old, await asyncio.to_thread(self._prepared, declared))
        version = await asyncio.to_thread(self._numbered, made, found)
        kept = whole = False
        try:
            await ahead.make(self.engine, old, prepared, self._speak)
            current = Current(version.number, str(self.folder.resolve()), seen)
            await asyncio.to_thread(self.history.keep, draft, version, current)
            kept = True
            self.engine.act(lambda now: self._swap(prepared, declared, ahead, version, now))
            whole = True
        finally:
            if not whole:
                await ahead.drop()
            if kept and not whole:
                await asyncio.to_thread(self.history.withdraw, version.number, former)
        log.info("configuration applied", version=version.number, by=version.by, changes=len(found.changes))
        return Applied(version, found)

    def _prepared(self, declared: Config) -> Config:
        """With its secrets filled in. Raises NotReady."""
        try:
            return self._prepare(declared)
        except (OSError, SecretMissing, ValueError) as fault:
            raise NotReady(str(fault)) from fault

    def _numbered(self, made: Version, found: Plan) -> Version:
        return msgspec.structs.replace(
            made,
            number=self.history.next_number(),
            at=time.time(),
            forced=made.forced and bool(found.refusals),
            changes=tuple(change.words for change in found.changes),
        )

    def _swap(self, prepared: Config, declared: Config, ahead: Ahead, version: Version, now: float) -> None:
        """Between two events of the loop: nothing here waits."""
        ahead.take(self.engine, now)
        applying.tell(self.engine, self.engine.config, prepared, now)
        for each in self.told:
            each(prepared)
        self._running, self._declared = taken(self._running, declared), declared
        self.version, self.history.kept = version, declared.node.changes.kept
