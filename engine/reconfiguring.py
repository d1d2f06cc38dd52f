"""Queues and agents of a running switch become those of another configuration; nobody loses her place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from engine.waiting import retold
from routing.agent import AgentEvent

if TYPE_CHECKING:
    from config.schema import Config
    from engine.switch import Switch


def people(switch: Switch, config: Config, now: float) -> None:
    """See `engine.parting` for what becomes of those that are gone."""
    acd, known = switch.acd, set(switch.acd.agents)
    begun = [id for id in switch.calls if switch.may_queue(id)]
    members = (each.value() for each in config.agents.values())
    acd.parting.reconfigure(config.queues.values(), members, begun, now)
    for name in config.agents.keys() - known:
        if switch.registrations.lookup(switch.aor(name).aor, now):  # she was a user until now
            acd.agent_event(name, AgentEvent.REGISTERED, now)
    for id in begun:
        call = switch.calls[id]
        spec = config.queues.get(call.queue.name) if call.queue is not None else None
        if spec is not None and spec != call.queue:
            retold(call, spec, now)
    switch.assign(now)


def warnings(switch: Switch, config: Config) -> Iterator[str]:
    """What becomes of people if this configuration is told now."""
    acd = switch.acd
    staffed = {queue for name in config.agents if name in acd.agents for queue in acd.agents[name].queues}
    for name, queue in acd.queues.items():
        count = sum(not place.node for place in queue.places)  # the others' are told of by their nodes
        if name in config.queues or not count:
            continue
        waiting = "1 caller waits" if count == 1 else f"{count} callers wait"
        then = "its agents serve them before it goes" if name in staffed else "none of its agents stays"
        yield f"queue {name}: {waiting} in it; {then}"
    for name in acd.agents.keys() - config.agents.keys():
        if acd.calls_of(name):
            yield f"agent {name}: is in a call, which goes on; she is gone after it"
