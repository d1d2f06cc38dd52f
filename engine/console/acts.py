"""What can be done from the console: the same as by the API, with the same rights, and logged by name."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

import structlog

from config.fault import ConfigError
from config.load import SHIPPED
from engine import editing
from engine.access.role import Permission
from engine.applying import NotReady
from engine.console.desk import Desk
from engine.console.door import Principal
from engine.console.look import Fields, Place, Told, address, whole
from engine.console.views.agents import MOST_REASON
from engine.console.views.config import ConfigFile, Step, file_of
from engine.console.views.lines import LineFile
from engine.console.views.nodes_file import NodesFile
from engine.history import HistoryFault
from engine.operating import Applied, OtherVersion, Refused, UnknownVersion
from engine.views import AgentAsk, IllegalState, UnknownAgent, UnknownCall
from routing.report import HOUR_S

HOURS = 24
MOST_VERSION = 999_999_999
MOST_NAME = 64

log = structlog.get_logger("console")


class _How(TypedDict):
    """force: although it does harm. expected: the version that has to run."""

    force: bool
    expected: int | None


async def hang_up(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    try:
        desk.view.hangup(place.id)
    except UnknownCall:
        return Told("call.over", bad=True)
    log.info("call hung up by hand", call=place.id, by=who.name)
    return Told("call.hangup.done")


def _agent(desk: Desk, place: Place) -> str:
    """Who is meant: whose page it is, or who has the call that is looked at; "" for nobody."""
    if place.page == "agents":
        return place.id
    call = desk.view.call(place.id)
    return call.agent if call is not None else ""


async def set_state(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    agent = _agent(desk, place)
    try:
        ask = AgentAsk(given.get("ask", ""))
        reason = "".join(filter(str.isprintable, given.get("reason", "")))[:MOST_REASON].strip()
        desk.view.set_agent_state(agent, ask, reason, by=who.name)
    except (ValueError, UnknownAgent, IllegalState) as fault:
        return Told("agent.ask.failed", {"why": str(fault)}, bad=True)
    log.info("agent's state asked for", agent=agent, ask=ask, by=who.name)
    return Told("agent.ask.done", {"name": agent})


async def message(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    text = given.get("text", "").strip()[:500]
    if not text:
        return Told()
    try:
        pages = desk.view.tell_agent(_agent(desk, place), text, who.name)
    except UnknownAgent:
        return Told("agent.unknown", bad=True)
    return Told("agent.message.done" if pages else "agent.message.nowhere", {"n": pages}, bad=not pages)


async def drain(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    draining = given.get("draining") == "yes"
    desk.view.cluster.drain(draining, who.name)
    return Told("node.drain.done" if draining else "node.fill.done")


async def nodes(desk: Desk, place: Place, before: Any) -> NodesFile:
    """Who is answered no more, and how webhooks do."""
    found = NodesFile()
    if Permission.READ_CONFIG in desk.rights:
        found = NodesFile(tuple(desk.view.insight.turned_away()), tuple(desk.view.hooks()))
    return before if found == before else found


async def answer_again(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    source = given.get("source", "")[:64]
    if not desk.view.insight.let_off(source.removesuffix("/64"), who.name):
        return Told("sources.gone", {"source": source}, bad=True)
    log.info("a source is answered again", source=source, by=who.name)
    return Told("sources.lifted", {"source": source}, of=f"sources/{source}")


async def try_hook(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Post one event to it, and tell how it was taken."""
    hook = given.get("hook", "")[:MOST_NAME]
    try:
        found = await desk.view.try_hook(hook)
    except IllegalState:
        return Told("hooks.busy", {"name": hook}, bad=True)
    except LookupError:
        return Told("hooks.gone", {"name": hook}, bad=True)
    log.info("a hook is tried", hook=hook, taken=found.taken, by=who.name)
    if not found.taken:
        return Told("hooks.refused", {"name": hook, "why": found.why}, of=f"hooks/{hook}", bad=True)
    return Told("hooks.taken", {"name": hook, "ms": round(found.took_s * 1000)}, of=f"hooks/{hook}")


async def replay_hook(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    hook = given.get("hook", "")[:MOST_NAME]
    if hook not in {each.name for each in desk.view.hooks()}:
        return Told("hooks.gone", {"name": hook}, bad=True)
    events = await desk.ask(desk.view.replay, hook, None)
    log.info("a hook is told once more", hook=hook, events=events, by=who.name)
    return Told("hooks.replayed", {"n": events}, of=f"hooks/{hook}")


# --- lines -----------------------------------------------------------------------------------------


async def lines(desk: Desk, place: Place, before: Any) -> LineFile:
    """How lines did in the last hours; of the one that is looked at, its probes and one that goes on."""
    now = desk.wall()
    since = (now // HOUR_S - HOURS + 1) * HOUR_S
    report = await desk.ask(desk.view.trunks.report, since, now)
    if isinstance(before, LineFile) and before.report.lines == report.lines:
        report = before.report  # the end of the hours it is about is no news
    probes = tuple(await desk.ask(desk.view.trunks.probes, place.id)) if place.id else ()
    probe = before.probe if isinstance(before, LineFile) else None
    if probe is not None and probe.result is None:
        probe = desk.view.trunks.probe(place.id, probe.id) or probe
    found = LineFile(report, probes, probe)
    return before if found == before else found


async def probe(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    try:
        begun = desk.view.trunks.begin_probe(place.id, "", who.name)
    except (IllegalState, LookupError) as fault:
        return Told("line.test.refused", {"why": str(fault)}, bad=True)
    log.info("a line is probed", line=place.id, by=who.name)
    now = desk.wall()
    report = await desk.ask(desk.view.trunks.report, now - HOURS * HOUR_S, now)
    return Told("line.test.begun", keep=LineFile(report, (), begun))


# --- the configuration -----------------------------------------------------------------------------


async def configuration(desk: Desk, place: Place, before: Any) -> ConfigFile | bool:
    """False where there is none to change. What was planned stays while nothing else runs, and what is
    edited as long as it is.
    """
    if desk.operating is None:
        return False
    if not isinstance(before, ConfigFile):
        return await _looked(desk, place)
    status = desk.operating.status()
    if before.status.version == status.version:
        found = replace(before, status=status, versions=tuple(await desk.ask(desk.operating.versions)))
    else:
        found = replace(await _looked(desk, place), editing=before.editing)
    return before if found == before else found


async def _looked(desk: Desk, place: Place) -> ConfigFile:
    """What runs, and the file that the address names, for who may change it."""
    assert desk.operating is not None
    found = ConfigFile(desk.operating.status(), tuple(await desk.ask(desk.operating.versions)))
    if not desk.who.may(Permission.CONFIGURE):
        return found
    folder, runs = desk.operating.folder, desk.operating.history.texts(desk.operating.version.number)
    files, running = await desk.ask(editing.listed, folder), await desk.ask(editing.listed, runs)
    found = replace(found, files=files, runs=running)
    try:
        return replace(found, editing=await desk.ask(_opened, folder, runs, place))
    except (editing.NotEditable, editing.NoText) as fault:
        return replace(found, unread=str(fault))


def _opened(folder: Path, runs: Path, place: Place) -> editing.Text | None:
    """The file that is edited: as it is; as it runs where it was removed since; or as a new one begins. runs:
    where what runs is kept. Blocks; raises NotEditable, NoText.
    """
    name = file_of(place)
    if not name:
        return None
    try:
        return editing.read(folder, name)
    except editing.NotEditable:
        if place.get("like"):
            return editing.draft(folder, name, SHIPPED, place.get("like"))
        return replace(editing.read(runs, name), digest=editing.NEW)


async def save(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Write a file, then look at all of them: mistakes are told by line. Nothing runs otherwise by that."""
    if desk.operating is None:
        return Told("config.fixed", bad=True)
    folder, name = desk.operating.folder, file_of(place)
    try:
        await desk.ask(editing.write, folder, name, given.get("text", ""), given.get("digest", ""))
    except editing.ChangedMeanwhile:
        return Told("config.edit.meanwhile", bad=True)
    except (editing.NotEditable, editing.NoText, editing.TooMany, OSError) as fault:
        return Told("config.edit.failed", {"why": str(fault)}, bad=True)
    log.info("a file of the configuration was written", file=name, by=who.name)
    told = await check(desk, who, place, given)
    wrong = len(told.keep.faults)
    return replace(told, key="config.edit.faulty" if wrong else "config.edit.sound", values={"n": wrong})


async def restore(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Put a file back as the version has it that runs."""
    if desk.operating is None:
        return Told("config.fixed", bad=True)
    folder, name = desk.operating.folder, file_of(place)
    kept = desk.operating.history.texts(desk.operating.version.number)
    try:
        former = await desk.ask(editing.read, kept, name)
        now = await desk.ask(editing.read, folder, name)
        await desk.ask(editing.write, folder, name, former.text, now.digest)
    except (editing.NotEditable, editing.NoText, editing.ChangedMeanwhile, OSError) as fault:
        return Told("config.edit.failed", {"why": str(fault)}, bad=True)
    log.info("a file of the configuration was put back", file=name, by=who.name)
    return replace(await check(desk, who, place, given), key="config.edit.back")


async def remove(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """Take a line's or a market's file away. What runs goes on, and has it until the next is applied."""
    if desk.operating is None:
        return Told("config.fixed", bad=True)
    name = file_of(place)
    try:
        await desk.ask(editing.remove, desk.operating.folder, name, given.get("digest", ""))
    except editing.ChangedMeanwhile:
        return Told("config.edit.meanwhile", bad=True)
    except (editing.NotEditable, editing.NoText, OSError) as fault:
        return Told("config.edit.failed", {"why": str(fault)}, bad=True)
    log.info("a file of the configuration was removed", file=name, by=who.name)
    return Told("config.edit.removed", {"name": name}, of=f"config/{name}", to=address("config"))


async def check(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    if desk.operating is None:
        return Told("config.fixed", bad=True)
    faults = await desk.operating.check()
    looked = await _looked(desk, place)
    return Told(keep=replace(looked, step=Step.CHECKED, faults=tuple(faults)))


async def plan(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    """What the files would change, or a version."""
    if desk.operating is None:
        return Told("config.fixed", bad=True)
    number = whole(given.get("version", ""), MOST_VERSION)
    looked = await _looked(desk, place)
    try:
        found = await desk.operating.plan(number)
    except ConfigError as error:
        kept = replace(looked, step=Step.CHECKED, faults=tuple(error.faults))
        return Told("config.faulty", {"n": len(error.faults)}, bad=True, keep=kept)
    except UnknownVersion:
        return Told("config.no_version", bad=True)
    return Told(keep=replace(looked, step=Step.PLANNED, plan=found, of=number or 0))


async def apply(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    if desk.operating is None:
        return Told("config.fixed", bad=True)
    why, how = given.get("why", ""), _how(given)
    return await _taken(desk, place, desk.operating.apply(who.name, why, **how))


async def rollback(desk: Desk, who: Principal, place: Place, given: Fields) -> Told:
    if desk.operating is None:
        return Told("config.fixed", bad=True)
    why, how = given.get("why", ""), _how(given)
    wanted = whole(given.get("version", ""), MOST_VERSION)
    return await _taken(desk, place, desk.operating.rollback(wanted, who.name, why, **how))


def _how(given: Fields) -> _How:
    expected = whole(given.get("expected", ""), MOST_VERSION)
    return {"force": given.get("force") == "yes", "expected": expected}


async def _taken(desk: Desk, place: Place, taking: Awaitable[Applied]) -> Told:
    """What came of it, in words; nothing changed where it is bad."""
    try:
        done = await taking
    except ConfigError as error:
        return Told("config.faulty", {"n": len(error.faults)}, bad=True)
    except Refused as refused:
        return Told("config.refused", {"why": str(refused)}, bad=True)
    except OtherVersion as other:
        return Told("config.other", {"n": other.running}, bad=True)
    except UnknownVersion:
        return Told("config.no_version", bad=True)
    except (HistoryFault, NotReady) as fault:
        return Told("config.not_ready", {"why": str(fault)}, bad=True)
    return Told("config.done", {"n": done.version.number}, keep=await _looked(desk, place))
