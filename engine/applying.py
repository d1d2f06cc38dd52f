"""A running node is told another configuration: part by part, all between two events of its loop.

`PARTS` is the table: what of a configuration a part is made from, and how it is told. A part is told only
where that changed, at once, and may neither wait nor refuse: what was checked can be taken. Should one fail
all the same, those before it are told the former configuration again, and the fault goes on to whoever asked.

What takes its time, prompts to be spoken and a recorder to be started, is made before (`Ahead`), while calls
go on; when that fails nothing has changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from config.schema import Config
from engine import prompts, reconfiguring
from engine.admit import Rate
from engine.build import capabilities_of, guard_policy, registrar_policy, secrets_of, sources_of
from engine.log import configure
from engine.prompts import PromptFault, PromptPack
from engine.speech import house
from engine.speech.house import House
from engine.tape import Tape, wanted
from engine.voice import SpeechFault
from media.io.process import WorkerFailed

if TYPE_CHECKING:
    from engine.app import Engine

Speak = Callable[[Config], PromptPack]


class NotReady(Exception):
    """What a configuration needs cannot be had here; nothing has changed."""


def nothing(engine: Engine, config: Config) -> Iterator[str]:
    return iter(())


@dataclass(frozen=True, slots=True)
class Part:
    """of: what of a configuration it is made from. tell: (node, new configuration, now). warn: what an
    operator should know before, in words.
    """

    name: str
    of: Callable[[Config], object]
    tell: Callable[[Engine, Config, float], None]
    warn: Callable[[Engine, Config], Iterator[str]] = nothing


def tell(engine: Engine, old: Config, new: Config, now: float, parts: Sequence[Part] | None = None) -> None:
    """Have every part of the node that runs `old` run `new`, or none."""
    told: list[Part] = []
    whole = False
    try:
        for part in PARTS if parts is None else parts:
            if part.of(old) != part.of(new):
                told.append(part)
                part.tell(engine, new, now)
        whole = True
    finally:
        if not whole:
            for part in reversed(told):
                part.tell(engine, old, now)


def warnings(engine: Engine, old: Config, new: Config) -> Iterator[str]:
    """What an operator should know before `new` is told, as things are at this moment."""
    for part in PARTS:
        if part.of(old) != part.of(new):
            yield from part.warn(engine, new)


# --- the parts ------------------------------------------------------------------------------------


def _looked_up(engine: Engine, config: Config, now: float) -> None:
    """Whoever looks a setting up at the moment of need finds the new one."""
    engine.config = engine.switch.config = engine.cluster.config = config
    engine.switch.plan = config.numbers


def _log(engine: Engine, config: Config, now: float) -> None:
    configure(config.node.log.format, config.node.log.level)


def _call_rate(engine: Engine, config: Config, now: float) -> None:
    engine.switch.call_rate = Rate(config.node.limits.max_calls_per_s)


def _user_agent(engine: Engine, config: Config, now: float) -> None:
    settings, most, session = engine.agent.settings, config.node.limits.max_calls, config.sip.session
    settings.max_sessions, settings.max_pending_per_source = 8 * most, 2 * most
    settings.session_expires, settings.min_se = int(session.expires_s), int(session.min_s)


def _accounts(engine: Engine, config: Config, now: float) -> None:
    """Passwords count from the next request that needs one. Phones of accounts that are gone are let go; all
    others stay registered, one whose password changed until it would have had to renew.
    """
    engine.admission.digest.secret_of = secrets_of(config, engine.switch.guest)
    engine.sign_in.agents = config.agents
    accounts = (*config.accounts, *engine.switch.page_phones.accounts())
    kept = {engine.switch.aor(name).aor for name in accounts}
    for aor in engine.registrar.all(now).keys() - kept:
        for event in engine.registrar.forget(aor):
            engine.switch.sip(event, now)


def _sources(engine: Engine, config: Config, now: float) -> None:
    engine.admission.know(sources_of(config))


def _sources_warn(engine: Engine, config: Config) -> Iterator[str]:
    for name in engine.config.lines:
        after = config.lines.get(name)
        calls = sum(call.source == name for call in engine.switch.calls.values())
        if calls and (after is None or not after.enabled):
            yield f"line {name}: {calls} calls in progress came over it; they go on"


def _lines(engine: Engine, config: Config, now: float) -> None:
    engine.switch.trunks.reconfigured(now)


def _strangers(engine: Engine, config: Config, now: float) -> None:
    admission = engine.admission
    admission.policy = replace(admission.policy, anonymous_invites=config.sip.anonymous_callers)
    admission.guard.policy = guard_policy(config)


def _hep(engine: Engine, config: Config, now: float) -> None:
    engine.insight.export(config)


def _registrar(engine: Engine, config: Config, now: float) -> None:
    engine.registrar.policy = registrar_policy(config)


def _codecs(engine: Engine, config: Config, now: float) -> None:
    engine.workers.capabilities = capabilities_of(config.media)


def _seals(engine: Engine, config: Config, now: float) -> None:
    if engine.tape is not None:
        engine.tape.seal(config)


def _pages_warn(engine: Engine, config: Config) -> Iterator[str]:
    if config.api.callers.keys and engine.gate is None:
        yield "nobody can call from a page before a restart: this node was started without browsers"


def _markets(engine: Engine, config: Config, now: float) -> None:
    if engine.house is not None:
        engine.house.reconfigured(config)


def _people(engine: Engine, config: Config, now: float) -> None:
    reconfiguring.people(engine.switch, config, now)


def _people_warn(engine: Engine, config: Config) -> Iterator[str]:
    yield from reconfiguring.warnings(engine.switch, config)


def _unchanged(engine: Engine, config: Config, now: float) -> None:
    """Nothing to tell: it is only warned of."""


PARTS: tuple[Part, ...] = (
    # name                 made from                                           told by
    Part("settings", lambda c: c, _looked_up),
    Part("log", lambda c: c.node.log, _log),
    Part("call rate", lambda c: c.node.limits.max_calls_per_s, _call_rate),
    Part("user agent", lambda c: (c.node.limits.max_calls, c.sip.session), _user_agent),
    Part("strangers", lambda c: (c.sip.anonymous_callers, c.sip.guard, c.sip.trusted_proxies), _strangers),
    Part("hep", lambda c: c.sip.hep, _hep),
    Part("registrar", lambda c: c.sip.registrar, _registrar),
    Part("codecs", lambda c: c.media, _codecs),
    Part("seals", lambda c: c.media.recording.keys, _seals),
    Part("pages", lambda c: c.api.callers.keys, _unchanged, _pages_warn),
    Part("lines' sources", lambda c: c.lines, _sources, _sources_warn),
    Part("lines", lambda c: (c.lines, c.specs, c.routing, c.sip.timers, c.media.codecs), _lines),
    Part("markets", lambda c: c.markets, _markets),
    Part("queues and agents", lambda c: (c.queues, c.agents), _people, _people_warn),
    Part("accounts", lambda c: c.accounts, _accounts),
)


# --- what is made before --------------------------------------------------------------------------


@dataclass
class Ahead:
    """What a configuration needs and the node has not: made while calls go on."""

    pack: PromptPack | None = None
    tape: Tape | None = None
    house: House | None = None

    async def make(self, engine: Engine, old: Config, new: Config, speak: Speak) -> None:
        """Raises NotReady."""
        try:
            if await asyncio.to_thread(_lacks, engine, old, new):
                self.pack = await asyncio.to_thread(speak, new)
            if engine.tape is None and wanted(new):
                tape = engine.new_tape(new)
                await tape.start()
                self.tape = tape
            if house.wanted(new) and (engine.house is None or not engine.house.fits(new)):
                self.house = engine.new_house(new)
                if engine.house is not None and engine.house.awake:
                    await self.house.up()
                else:
                    await self.house.start()
        except (OSError, PromptFault, SpeechFault, WorkerFailed) as fault:
            raise NotReady(str(fault)) from fault

    def take(self, engine: Engine, now: float) -> None:
        """Put it to use. Once it is used it is the node's."""
        if self.pack is not None:
            engine.switch.prompts = self.pack
        if self.tape is not None:
            engine.tape = engine.switch.recordings.recorder = self.tape
        if self.house is not None:
            engine.move_house(self.house, now)
        self.tape = self.house = None

    async def drop(self) -> None:
        """It is not needed after all."""
        if self.tape is not None:
            await self.tape.close()
        if self.house is not None:
            await self.house.close()


def _lacks(engine: Engine, old: Config, new: Config) -> bool:
    """Whether there are names of prompts that the node cannot say."""
    if old.node.language != new.node.language:
        return True
    own = new.folder / "prompts"
    texts = prompts.read_texts(own if own.is_dir() else prompts.TEXTS)
    pack = engine.switch.prompts
    return isinstance(pack, PromptPack) and pack.lacks(texts)
