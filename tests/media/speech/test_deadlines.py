"""Who is worked on next, when there is more than can be done."""

from __future__ import annotations

from random import Random

import pytest

from media.speech.deadlines import Ask, Cost, Deadlines


def keys(asks: list[Ask]) -> list[str]:
    return [ask.key for ask in asks]


def line(*asks: Ask, batch: int = 1, most: int = 100, each_s: float = 0.0) -> Deadlines:
    found = Deadlines(batch, most)
    for count in (1, 2, 4):
        found.cost.learn(count, each_s * count)
    for ask in asks:
        found.add(ask)
    return found


def test_who_is_due_first_comes_first_and_last_words_before_partial_ones():
    found = line(Ask("a", "1", 3.0), Ask("b", "2", 1.0), Ask("c", "3", 9.0, final=True))
    assert [keys(found.take(0.0)) for _ in range(3)] == [["c"], ["b"], ["a"]]
    assert found.take(0.0) == []


def test_a_newer_ask_of_an_utterance_takes_the_place_of_the_one_before():
    found = line(Ask("a", "1", 1.0))
    assert found.add(Ask("b", "1", 2.0)).key == "a"
    assert found.add(Ask("c", "1", 3.0, final=True)).key == "b"
    assert found.add(Ask("d", "1", 4.0)).key == "d", "nothing comes after the last word"
    assert keys(found.take(0.0)) == ["c"]


def test_a_partial_ask_that_cannot_be_in_time_is_left_out_and_a_last_word_never():
    found = line(Ask("a", "1", 1.0), Ask("b", "2", 1.0, final=True), each_s=0.2)
    assert keys(found.late(0.7)) == []
    assert keys(found.late(0.9)) == ["a"]
    assert keys(found.late(99.0)) == [] and keys(found.take(99.0)) == ["b"]


def test_a_batch_is_no_larger_than_what_is_done_before_its_first_is_due():
    asks = [Ask(str(at), str(at), 1.0) for at in range(8)]
    assert len(line(*asks, batch=8, each_s=0.3).take(0.0)) == 3
    assert len(line(*asks, batch=8, each_s=0.01).take(0.0)) == 8
    assert len(line(*asks, batch=4, each_s=0.01).take(0.0)) == 4
    assert len(line(*asks, batch=8, each_s=5.0).take(0.0)) == 1, "one is always done"


def test_a_full_line_takes_last_words_alone():
    found = line(Ask("a", "1", 1.0), Ask("b", "2", 2.0), most=2)
    late = Ask("c", "3", 0.5)
    assert found.add(late) is late
    assert found.add(Ask("d", "4", 5.0, final=True)).key == "b"
    assert len(found) == 2


@pytest.mark.parametrize(("least", "each"), [(0.0, 0.05), (0.2, 0.01), (0.1, 0.0)])
def test_what_a_batch_takes_is_learnt(least: float, each: float):
    rng, cost = Random(5), Cost()
    for _ in range(300):
        count = rng.randint(1, 8)
        cost.learn(count, (least + each * count) * rng.uniform(0.9, 1.1))
    for count in (1, 4, 8):
        assert cost.of(count) == pytest.approx(least + each * count, rel=0.15)


@pytest.mark.parametrize("seed", range(20))
def test_under_four_times_the_load_last_words_are_in_time_and_nothing_piles_up(seed: int):
    """Forty speakers ask three times a second, and for a last word every 3 s; 30 a second are done."""
    rng, found, now, late, longest = Random(seed), line(batch=1, each_s=1 / 30), 0.0, [], 0
    asks = sorted(
        (rng.uniform(0.0, 0.3) + 0.33 * turn, speaker) for speaker in range(40) for turn in range(60)
    )
    while asks or len(found):
        while asks and asks[0][0] <= now:
            at, speaker = asks.pop(0)
            final = rng.random() < 0.11
            found.add(Ask(f"{at}", f"{speaker}{at if final else ''}", at + (1.0 if final else 0.5), final))
        found.late(now)
        longest = max(longest, len(found))
        done = found.take(now)
        now += 1 / 30 if done or not asks else max(0.001, asks[0][0] - now)
        late += [now - ask.due for ask in done]
    assert longest < 80 and max(late) < 1 / 30
