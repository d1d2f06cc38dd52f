"""What is now, by topic and key, and the newest changes: each step has a number, and what came since is known
for a while.

Values are put at any time and take effect together, at the next step: what readers have been told and what
they find in the tree are always of one number.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

MOST_KEPT = 20_000  # changes, beyond which the oldest are forgotten

Item = Mapping[str, Any]  # ready for JSON; all of one topic have the same fields


class Topic(StrEnum):
    CALLS = "calls"
    QUEUES = "queues"
    AGENTS = "agents"
    LINES = "lines"
    NODES = "nodes"
    CAPTIONS = "captions"
    ALERTS = "alerts"


@dataclass(frozen=True, slots=True)
class Change:
    """One item of two numbers; None where there was, or is, none."""

    topic: Topic
    key: str
    before: Item | None
    after: Item | None


class Tree:
    """keep: how many changes are known back."""

    def __init__(self, keep: int = MOST_KEPT) -> None:
        self.items: dict[Topic, dict[str, Item]] = {topic: {} for topic in Topic}
        self.seq = 0
        self._keep = keep
        self._staged: dict[tuple[Topic, str], Item | None] = {}
        self._steps: deque[tuple[int, tuple[Change, ...]]] = deque()
        self._kept = 0
        self._floor = 0  # what came after this number is known

    def put(self, topic: Topic, key: str, item: Item | None) -> None:
        """The item is that at the next step; None: it is gone."""
        self._staged[topic, key] = item

    def put_all(self, topic: Topic, items: Mapping[str, Item]) -> None:
        """These and no others are there at the next step."""
        for key in self.items[topic]:
            if key not in items:
                self.put(topic, key, None)
        for key, item in items.items():
            self.put(topic, key, item)

    def step(self) -> tuple[Change, ...]:
        """What was put takes effect: what differs. Without any difference the number stays."""
        staged, self._staged = self._staged, {}
        changes = []
        for (topic, key), after in staged.items():
            before = self.items[topic].get(key)
            if before == after:
                continue
            changes.append(Change(topic, key, before, after))
            if after is None:
                del self.items[topic][key]
            else:
                self.items[topic][key] = after
        if changes:
            self.seq += 1
            self._remember(tuple(changes))
        return tuple(changes)

    def since(self, seq: int) -> Sequence[Change] | None:
        """What differs from the state of that number, each item once; None where nobody knows any more."""
        if not self._floor <= seq <= self.seq:
            return None
        before: dict[tuple[Topic, str], Item | None] = {}
        for number, changes in self._steps:
            if number > seq:
                for change in changes:
                    before.setdefault((change.topic, change.key), change.before)
        found = [
            Change(topic, key, item, self.items[topic].get(key)) for (topic, key), item in before.items()
        ]
        return [change for change in found if change.before != change.after]

    def _remember(self, changes: tuple[Change, ...]) -> None:
        self._steps.append((self.seq, changes))
        self._kept += len(changes)
        while self._kept > self._keep:
            self._floor, forgotten = self._steps.popleft()
            self._kept -= len(forgotten)
