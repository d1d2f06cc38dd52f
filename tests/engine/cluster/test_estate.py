"""What a node leaves behind: one has each part of it, and who was found lost writes no more."""

from __future__ import annotations

from engine.cluster.estate import CLAIM_OF_ESTATE, WRITE, pairs, texts
from engine.cluster.store import Missed
from tests.engine.cluster.test_store import Shared, over, server

__all__ = ["over", "server"]  # fixtures

HOUR = 3_600_000


async def write(shared: Shared, life: str, gone: list[str], **there: str) -> object:
    one = shared.one
    parts = [HOUR, len(gone), *gone, *(part for pair in there.items() for part in pair)]
    return await shared.run(WRITE, [one.key("calls", life), one.key("lost", life)], parts)


async def claim(shared: Shared, former: str, me: str, *calls: str) -> list[str] | None:
    key = shared.one.key
    keys = [key("calls", former), key("calls", me), key("lost", me), key("taken", "a")]
    return texts(await shared.run(CLAIM_OF_ESTATE, keys, [me, HOUR, HOUR, *calls], of=shared.other))


async def kept(shared: Shared, life: str) -> dict[str, bytes] | None:
    return pairs(await shared.ask("HGETALL", shared.one.key("calls", life)))


def test_what_a_node_has_is_written_and_taken_out_in_one_word(over):
    async def story(shared):
        assert await write(shared, "a/1", [], c1="one", c2="two") == 2
        assert await write(shared, "a/1", ["c1", "never"], c3="three") == 2
        assert await kept(shared, "a/1") == {"c2": b"two", "c3": b"three"}
        assert 0 < await shared.ask("PTTL", shared.one.key("calls", "a/1")) <= HOUR

    over(story)


def test_of_two_who_claim_a_call_one_has_it(over):
    async def story(shared):
        await write(shared, "a/1", [], c1="one", c2="two")
        assert await claim(shared, "a/1", "b/1", "c1", "c2") == ["c1", "c2"]
        assert await claim(shared, "a/1", "c/1", "c1", "c2") == []
        assert await kept(shared, "b/1") == {"c1": b"one", "c2": b"two"}
        assert await kept(shared, "a/1") == {}
        assert await shared.ask("HGET", shared.one.key("taken", "a"), "c1") == b"b/1"

    over(story)


def test_who_was_found_lost_writes_no_more_and_is_told_by_whom(over):
    async def story(shared):
        await write(shared, "a/1", [], c1="one")
        await shared.ask("SET", shared.one.key("lost", "a/1"), "b", "NX")
        assert await write(shared, "a/1", [], c2="two") == b"b"
        assert await kept(shared, "a/1") == {"c1": b"one"}

    over(story)


def test_who_was_found_lost_claims_nothing_either(over):
    async def story(shared):
        await write(shared, "a/1", [], c1="one")
        await shared.ask("SET", shared.one.key("lost", "b/1"), "c", "NX")
        assert await claim(shared, "a/1", "b/1", "c1") == []
        assert await kept(shared, "a/1") == {"c1": b"one"}

    over(story)


def test_what_is_no_answer_is_none():
    assert pairs(Missed.UNSENT) is None
    assert texts(None) is None
    assert pairs([b"c1", b"one", b"\xff", b"two", b"odd"]) == {"c1": b"one"}
