"""What nodes say to each other directly: how far they are, and who is believed."""

from __future__ import annotations

import random

import pytest

from engine.cluster.member import Pulse
from engine.cluster.ping import LONGEST, Keys, Kind, Word
from tests.engine.cluster.nodes import SECRET, World


@pytest.fixture
def world() -> World:
    made = World("a", "b")
    made.rtt[frozenset("ab")] = 0.084
    made.run(6.0)
    return made


def ask(world: World, sender: str = "a") -> bytes:
    return world[sender].pings.due(world.now)[0].data


def test_the_way_is_as_long_as_it_is(world):
    assert world["a"].pings.rtts(world.now, 30.0) == {"b": pytest.approx(0.084)}
    assert world["a"].pings.rtts(world.now + 60.0, 30.0) == {}


def test_what_was_changed_on_its_way_is_nobodys(world):
    word = ask(world)
    assert world["b"].pings.receive(word, world.now) is not None
    for at in range(len(word)):
        changed = word[:at] + bytes([word[at] ^ 1]) + word[at + 1 :]
        assert world["b"].pings.receive(changed, world.now) is None
    for length in range(len(word)):
        assert world["b"].pings.receive(word[:length], world.now) is None


def test_a_word_for_another_is_not_answered_and_neither_is_one_with_another_key(world):
    pulse = world["a"].me().pulse
    others = Keys({"k": b"another key, as long as the right one"}, "k")
    assert world["b"].pings.receive(others.seal(Word(Kind.ASK, "b", 1, pulse)), world.now) is None
    assert world["b"].pings.receive(Keys(SECRET, "k").seal(Word(Kind.ASK, "z", 1, pulse)), world.now) is None
    assert len(ask(world)) < LONGEST


def test_a_former_key_is_understood_while_it_is_kept(world):
    former = Keys({"old": b"the key that was used until today....."}, "old")
    now = Keys({**former.secrets, "new": b"the key that is used from today on...."}, "new")
    pulse = Pulse("b", "1", 0.0)
    assert now.open(former.seal(Word(Kind.ASK, "a", 7, pulse))) == Word(Kind.ASK, "a", 7, pulse)
    assert former.open(now.seal(Word(Kind.ASK, "a", 7, pulse))) is None


def test_words_that_are_said_again_keep_no_dead_node_alive(world):
    heard = [ask(world, "b"), world["b"].pings.receive(ask(world), world.now)]
    world["b"].alive = False
    world.cut_store()
    for _ in range(30):
        world.run(0.1)
        for word in heard:
            world["a"].pings.receive(word, world.now)
    assert world["a"].kinds()[-1] == "Gone"


def test_an_answer_counts_once_and_only_in_time(world):
    answer = world["b"].pings.receive(ask(world), world.now)
    world["a"].pings.receive(answer, world.now + 5.0)
    world["a"].pings.receive(answer, world.now + 5.0)
    assert world["a"].pings.rtts(world.now, 30.0) == {"b": pytest.approx(0.084)}


def test_rubbish_is_borne():
    house = World("a")["a"]
    rng = random.Random(3)
    for _ in range(500):
        rubbish = bytes(rng.randrange(256) for _ in range(rng.randrange(80)))
        for data in (rubbish, b"igl1" + rubbish, b"igl1\x01k" + rubbish):
            assert house.pings.receive(data, 0.0) is None
