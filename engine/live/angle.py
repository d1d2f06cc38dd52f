"""What of the tree one reader sees: what she subscribed to, and what is hers to see at all.

Readers of one angle are told the same bytes, which are made once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from engine.live.tree import Change, Item, Topic

# Where an item's queue, team and market stand; "" where a topic has none, and a filter lets all of it pass.
WHERE: Mapping[Topic, tuple[str, str, str]] = {
    Topic.CALLS: ("queue", "team", "market"),
    Topic.QUEUES: ("name", "", "market"),
    Topic.AGENTS: ("queues", "team", ""),
    Topic.LINES: ("", "", "market"),
    Topic.NODES: ("", "", ""),
    Topic.CAPTIONS: ("queue", "team", "market"),
    Topic.ALERTS: ("", "", ""),
}


class Scope(Protocol):
    """What of a node is somebody's to see. Two that are equal see the same."""

    def __hash__(self) -> int: ...

    def sees(self, topic: Topic, item: Item) -> bool: ...

    def shown(self, topic: Topic, fields: Item) -> Item:
        """Fields of an item, some or all, masked as they have to be."""


@dataclass(frozen=True, slots=True)
class Everything:
    """The scope of who may see all."""

    def sees(self, topic: Topic, item: Item) -> bool:
        return True

    def shown(self, topic: Topic, fields: Item) -> Item:
        return fields


@dataclass(frozen=True, slots=True)
class Angle:
    """queues, teams, markets: empty for all of them."""

    topics: frozenset[Topic]
    queues: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    markets: frozenset[str] = frozenset()
    scope: Scope = Everything()

    def sees(self, topic: Topic, item: Item | None) -> bool:
        if item is None or topic not in self.topics:
            return False
        for wanted, field in zip((self.queues, self.teams, self.markets), WHERE[topic]):
            if wanted and field and not _among(wanted, item[field]):
                return False
        return self.scope.sees(topic, item)

    def whole(self, items: Mapping[Topic, Mapping[str, Item]]) -> dict[str, dict[str, Item]]:
        """All that is seen, by topic and key."""
        return {
            topic: {
                key: self.scope.shown(topic, item)
                for key, item in items[topic].items()
                if self.sees(topic, item)
            }
            for topic in Topic
            if topic in self.topics
        }

    def changes(self, changes: Iterable[Change]) -> list[dict[str, Any]]:
        """The same, of changes: `put` an item, `patch` some fields of one, or it is `gone`, perhaps only from
        sight.
        """
        return list(_told(changes, self.sees, self.scope.shown))


def _told(
    changes: Iterable[Change],
    sees: Callable[[Topic, Item | None], bool],
    shown: Callable[[Topic, Item], Item],
) -> Iterator[dict[str, Any]]:
    for change in changes:
        topic, before, after = change.topic, change.before, change.after
        saw = sees(topic, before)
        if after is not None and sees(topic, after):
            fields = after
            if saw and before is not None:
                fields = {name: value for name, value in after.items() if before.get(name) != value}
            op = "patch" if saw else "put"
            yield {"op": op, "topic": topic, "id": change.key, "value": shown(topic, fields)}
        elif saw:
            yield {"op": "gone", "topic": topic, "id": change.key}


def _among(wanted: frozenset[str], value: Any) -> bool:
    return value in wanted if isinstance(value, str) else not wanted.isdisjoint(value)
