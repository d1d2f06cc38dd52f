"""What goes on as somebody may see it (engine/access/seen.py): each item of the live state by itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.access import mask
from engine.access.principal import EVERYTHING, Directory, Principal, Reach, reach
from engine.access.role import Permission
from engine.live.tree import Item, Topic

OF_CALLS = frozenset({Topic.CALLS, Topic.CAPTIONS})


@dataclass(frozen=True, slots=True)
class SeenLive:
    """See engine.live.angle.Scope, which this is. Two that are equal see the same, so that readers may share
    bytes. calls, listen, unmasked: as the permissions of a principal say.
    """

    reach: Reach
    calls: bool
    listen: bool
    unmasked: bool

    def sees(self, topic: Topic, item: Item) -> bool:
        if topic in OF_CALLS:
            allowed = self.calls if topic is Topic.CALLS else self.listen
            return allowed and self.reach.sees_call(item["market"], item["queue"], item["agent"])
        if topic is Topic.QUEUES:
            return self.reach.sees_queue(item["name"])
        if topic is Topic.AGENTS:
            return self.reach.sees_agent(item["name"])
        if topic is Topic.LINES or (topic is Topic.ALERTS and item["kind"] == "line"):
            return self.reach.sees_line(item["name"])
        return topic in (Topic.NODES, Topic.ALERTS)

    def shown(self, topic: Topic, fields: Item) -> Item:
        """An agent's call is not named to who is limited: it may be of a market that is not theirs, and those
        that are theirs name the agent.
        """
        if topic is Topic.AGENTS and "call" in fields and self.reach != EVERYTHING:
            return {**fields, "call": ""}
        if topic is Topic.CAPTIONS:  # which have no cards any more (engine/captions.py)
            hide = mask.papers if self.unmasked else mask.alone
            said = {name: hide(fields[name]) for name in ("text", "translation") if fields.get(name)}
            return {**fields, **said}
        if self.unmasked:
            return fields
        if topic is Topic.CALLS and "customer" in fields:
            return {**fields, "customer": mask.who(fields["customer"])}
        return fields

    def personal_data(self, topics: Iterable[Topic]) -> frozenset[Topic]:
        """Those of them that show personal data as it is (engine.access.role)."""
        shown = {Topic.CALLS: self.calls and self.unmasked, Topic.CAPTIONS: self.listen}
        return frozenset(topic for topic in topics if shown.get(topic, False))


def sight(principal: Principal, directory: Directory) -> SeenLive:
    return SeenLive(
        reach(principal, directory),
        calls=principal.may(Permission.CALLS),
        listen=principal.may(Permission.LISTEN),
        unmasked=principal.may(Permission.PERSONAL),
    )
