"""Names that stand for something elsewhere: queues, agents, prompts, languages, numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from config.fault import Fault, did_you_mean
from config.fault import Path as SettingPath
from config.form import FormSettings
from config.hook import HookSettings
from config.numbers import Numbers, canonical
from config.parts import Parts, sound
from config.setting import ALL
from routing.number import AgentTarget, Announce, Destination, LineTarget, QueueTarget

BUILT_IN_PROMPTS = frozenset({"music"})
FALLBACK = "en"
SHORTEST_KEY = 32


def reference_faults(parts: Parts) -> Iterator[Fault]:
    yield from _people(parts)
    yield from _queues(parts)
    yield from _recording(parts)
    yield from _callers(parts)
    yield from _access(parts)
    yield from _overflow_loops(parts)
    yield from _queues_of("hooks", parts, parts.hooks)
    yield from _queues_of("forms", parts, parts.forms)
    if parts.numbers:
        yield from _numbers(parts, parts.numbers)
        if parts.node:
            yield from _twice(parts, parts.numbers, parts.node.country)


def _recording(parts: Parts) -> Iterator[Fault]:
    recording = parts.media.recording if parts.media else None
    if recording and recording.key and recording.key not in recording.keys:
        problem, remedy = f"there is no key '{recording.key}'", "add it to recording.keys"
        yield parts.fault("media", ("recording", "key"), problem, remedy)


def _queues_of(
    file: str, parts: Parts, entries: Mapping[str, HookSettings | None] | Mapping[str, FormSettings | None]
) -> Iterator[Fault]:
    if parts.documents["queues"].broken:
        return
    for name, entry in entries.items():
        for at, queue in enumerate(entry.queues if entry is not None else ()):
            if queue not in parts.queues:
                remedy = did_you_mean(queue, parts.queues)
                yield parts.fault(file, (name, "queues", at), f"there is no queue '{queue}'", remedy)


def _access(parts: Parts) -> Iterator[Fault]:
    access = parts.api.access if parts.api else None
    if access is None:
        return
    if access.key and access.key not in access.keys:
        problem, remedy = f"there is no key '{access.key}'", "add it to access.keys"
        yield parts.fault("api", ("access", "key"), problem, remedy)
    for name, key in access.keys.items():
        if not key.generated and len(key.reveal()) < SHORTEST_KEY:
            problem, remedy = f"is under {SHORTEST_KEY} characters", "for instance: openssl rand -base64 48"
            yield parts.fault("api", ("access", "keys", name), problem, remedy)


def _callers(parts: Parts) -> Iterator[Fault]:
    callers = parts.api.callers if parts.api else None
    if callers and callers.key and callers.key not in callers.keys:
        problem, remedy = f"there is no key '{callers.key}'", "add it to callers.keys"
        yield parts.fault("api", ("callers", "key"), problem, remedy)


def _people(parts: Parts) -> Iterator[Fault]:
    for name in parts.users.keys() & parts.agents.keys():
        yield parts.fault("agents", ("users", name), "is an agent's name as well", "rename one of the two")
    for group, accounts in (("agents", parts.agents), ("users", parts.users)):
        for name, account in sound(accounts):
            for at, queue in enumerate(account.supervises):
                if queue != ALL and queue not in parts.queues and not parts.documents["queues"].broken:
                    path = (group, name, "supervises", at)
                    problem, remedy = f"there is no queue '{queue}'", did_you_mean(queue, parts.queues)
                    yield parts.fault("agents", path, problem, remedy)
    for name, agent in sound(parts.agents):
        for at, queue in enumerate(agent.queues):
            path = ("agents", name, "queues", at)
            if queue in agent.queues[:at]:
                yield parts.fault("agents", path, f"'{queue}' is named twice", "remove one")
            elif not parts.documents["queues"].broken and queue not in parts.queues:
                yield parts.fault(
                    "agents", path, f"there is no queue '{queue}'", did_you_mean(queue, parts.queues)
                )


def _queues(parts: Parts) -> Iterator[Fault]:
    staffed = {queue for _, agent in sound(parts.agents) for queue in agent.queues}
    certain = all(parts.agents.values()) and not parts.documents["agents"].broken
    for name, queue in sound(parts.queues):
        if certain and name not in staffed:
            remedy = f"add '{name}' to the queues of an agent in agents.yaml"
            yield parts.fault("queues", (name,), "no agent takes its calls", remedy)
        prompts = prompts_of(parts, queue.language)
        for at, prompt in enumerate(queue.welcome):
            yield from _prompt(parts, "queues", (name, "welcome", at), prompt, prompts)
        if queue.music:
            yield from _prompt(parts, "queues", (name, "music"), queue.music, prompts)
        for setting, target in (("overflow", queue.overflow), ("leave_to", queue.leave_to)):
            if target is not None:
                yield from destination_faults(parts, "queues", (name, setting), target, prompts)
        key = queue.recording.key
        if key and parts.media and key not in parts.media.recording.keys:
            remedy = "add it to recording.keys in media.yaml"
            yield parts.fault("queues", (name, "recording", "key"), f"there is no key '{key}'", remedy)


def _overflow_loops(parts: Parts) -> Iterator[Fault]:
    """A caller sent round in a circle of overflowing queues would never be answered or released."""
    onward = {
        name: queue.overflow.name
        for name, queue in sound(parts.queues)
        if isinstance(queue.overflow, QueueTarget)
    }
    told: set[str] = set()
    for start in onward:
        way = [start]
        while way[-1] in onward and onward[way[-1]] not in way:
            way.append(onward[way[-1]])
        if onward.get(way[-1]) == start and start not in told:
            told.update(way)
            circle = " → ".join([*way, start])
            remedy = "let one of them overflow to an agent, an address or an announcement"
            yield parts.fault("queues", (start, "overflow"), f"callers would go round: {circle}", remedy)


def _numbers(parts: Parts, numbers: Numbers) -> Iterator[Fault]:
    every = prompts_of(parts, parts.node.language if parts.node else FALLBACK)
    for group in ("numbers", "prefixes", "patterns"):
        for text, entry in getattr(numbers, group).items():
            yield from destination_faults(parts, "numbers", (group, text), entry.destination, every)


def _twice(parts: Parts, numbers: Numbers, country: str) -> Iterator[Fault]:
    """Numbers that are written differently and mean the same."""
    seen: dict[str, str] = {}
    for text in numbers.numbers:
        number = canonical(text, country)
        if number in seen:
            problem = f"is the same number as '{seen[number]}' ({number})"
            yield parts.fault("numbers", ("numbers", text), problem, "keep one of the two")
        seen.setdefault(number, text)
    for feature, code in numbers.codes():
        if code in seen:
            problem = f"{code} is {seen[code]} already"
            yield parts.fault("numbers", ("features", feature.value), problem, "choose another code")
        seen.setdefault(code, f"the code for {feature.value}")


def destination_faults(
    parts: Parts, file: str, path: SettingPath, target: Destination, prompts: frozenset[str]
) -> Iterator[Fault]:
    match target:
        case QueueTarget(name) if name not in parts.queues and not parts.documents["queues"].broken:
            yield parts.fault(file, path, f"there is no queue '{name}'", did_you_mean(name, parts.queues))
        case AgentTarget(name) if name not in parts.agents and not parts.documents["agents"].broken:
            yield parts.fault(file, path, f"there is no agent '{name}'", did_you_mean(name, parts.agents))
        case Announce(prompt):
            yield from _prompt(parts, file, path, prompt, prompts)
        case LineTarget(names):
            yield from _lines(parts, file, path, names)
        case _:
            return


def _lines(parts: Parts, file: str, path: SettingPath, names: tuple[str, ...]) -> Iterator[Fault]:
    """Calls can go out over each that is named, or over one at least."""
    known = {name for name, line in sound(parts.lines) if line.addresses}
    if not all(parts.lines.values()):
        return  # what is wrong there is told already
    for name in names:
        if name not in parts.lines:
            yield parts.fault(file, path, f"there is no line '{name}'", did_you_mean(name, parts.lines))
        elif name not in known:
            problem, remedy = f"no calls go out over line '{name}'", f"give it addresses in lines/{name}.yaml"
            yield parts.fault(file, path, problem, remedy)
    if not names and not known:
        yield parts.fault(file, path, "there is no line that calls go out over", "add one to lines/")


def _prompt(parts: Parts, file: str, path: SettingPath, name: str, known: frozenset[str]) -> Iterator[Fault]:
    if known and name not in known:
        remedy = did_you_mean(name, known, "add its words to prompts/<language>.yaml")
        yield parts.fault(file, path, f"there is no prompt '{name}'", remedy)


def prompts_of(parts: Parts, language: str) -> frozenset[str]:
    """What a caller of this language can be played; the fallback language fills the gaps."""
    found = BUILT_IN_PROMPTS
    for source in (language, language.partition("-")[0], FALLBACK):
        found |= parts.prompts.get(source, frozenset())
    return found
