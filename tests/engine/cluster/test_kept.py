"""What a node has is written when it changes: once for many changes, and again after an outage."""

from __future__ import annotations

import pytest

from engine.cluster.estate import pairs
from engine.cluster.kept import BATCH, PAUSE_S, Kept
from engine.cluster.memory import MemoryServer, MemoryStore
from engine.cluster.store import Missed
from engine.timers import Timers


class Owner:
    """Things by name, and the hash that says what they are."""

    def __init__(self, server: MemoryServer | None = None) -> None:
        self.now = 0.0
        self.things: dict[str, bytes] = {}
        self.described = 0
        self.timers = Timers()
        self.store = MemoryStore(server or MemoryServer())
        self.kept = Kept(
            "calls", "a/1", self.store, self.timers, describe=self.describe, all=lambda: list(self.things),
            now=0.0,
        )  # fmt: skip
        self.told: list[str] = []
        self.kept.fenced = lambda by, now: self.told.append(by)
        self.run(0.1)

    def describe(self, id: str) -> bytes:
        self.described += 1
        return self.things.get(id, b"")

    def put(self, **things: bytes) -> None:
        self.things |= things
        for id in things:
            self.kept.touched(id, self.now)

    def drop(self, id: str) -> None:
        del self.things[id]
        self.kept.touched(id, self.now)

    def run(self, seconds: float) -> None:
        self.now += seconds
        self.timers.run(self.now)

    @property
    def stored(self) -> dict[str, bytes] | None:
        found: list[dict[str, bytes] | None] = []
        self.store.ask(
            "HGETALL", self.kept.key, now=self.now, then=lambda answer, now: found.append(pairs(answer))
        )
        return found[0]


@pytest.fixture
def owner() -> Owner:
    return Owner()


def test_many_changes_in_a_moment_are_one_word(owner: Owner):
    for n in range(50):
        owner.put(c1=b"%d" % n)
    owner.run(PAUSE_S)
    assert owner.stored == {"c1": b"49"}
    assert (owner.described, owner.kept.written) == (1, 1)


def test_what_makes_no_difference_is_not_written(owner: Owner):
    owner.put(c1=b"same")
    owner.run(1.0)
    owner.put(c1=b"same")
    owner.run(1.0)
    assert owner.kept.written == 1


def test_what_is_over_is_taken_out(owner: Owner):
    owner.put(c1=b"one", c2=b"two")
    owner.run(1.0)
    owner.drop("c1")
    owner.run(1.0)
    assert owner.stored == {"c2": b"two"}


def test_what_began_and_ended_in_a_moment_was_never_there(owner: Owner):
    owner.put(c1=b"one")
    owner.drop("c1")
    owner.run(1.0)
    assert owner.kept.written == 0


def test_much_at_once_goes_in_portions_and_nothing_is_left_out(owner: Owner):
    many = {f"c{n}": b"%d" % n for n in range(5 * BATCH + 3)}
    owner.put(**many)
    owner.run(PAUSE_S)
    assert owner.stored == many
    assert owner.kept.lag_s(owner.now) == 0.0


def test_after_an_outage_all_is_said_again_also_what_ended(owner: Owner):
    owner.put(c1=b"one", c2=b"two", c3=b"three")
    owner.run(1.0)
    owner.store.cut(owner.now)
    owner.drop("c1")
    owner.put(c2=b"changed")
    owner.run(5.0)
    assert owner.kept.lag_s(owner.now) == pytest.approx(5.0)
    owner.store.mend(owner.now)
    owner.run(1.0)
    assert owner.stored == {"c2": b"changed", "c3": b"three"}


def test_after_a_store_that_forgot_all_is_there_again(owner: Owner):
    owner.put(c1=b"one")
    owner.run(1.0)
    owner.store.cut(owner.now)
    owner.store.server.lose()
    owner.store.mend(owner.now)
    owner.run(1.0)
    assert owner.stored == {"c1": b"one"}


def test_a_word_that_may_not_have_been_heard_is_said_again(owner: Owner):
    real, said = owner.store.run, []

    def deaf_once(script, keys, parts, now, then=None):  # type: ignore[no-untyped-def]
        said.append(parts)
        if len(said) == 1:
            then(Missed.UNKNOWN, now)
        else:
            real(script, keys, parts, now, then)

    owner.store.run = deaf_once  # type: ignore[method-assign]
    owner.put(c1=b"one")
    owner.run(0.1)
    owner.run(2.0)
    assert owner.stored == {"c1": b"one"}


def test_a_life_that_is_over_is_told_so_at_its_next_word(owner: Owner):
    owner.store.ask("SET", owner.store.key("lost", "a/1"), "b", now=owner.now)
    owner.put(c1=b"one")
    owner.run(0.1)
    assert owner.told == ["b"]
    owner.kept.begin("a/1+1", owner.now)
    owner.run(0.1)
    assert owner.stored == {"c1": b"one"}
