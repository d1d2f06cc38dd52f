"""Whose turn it is: nobody is spoken over for long, nothing is said twice or out of order."""

from __future__ import annotations

import pytest

from media.speech.turns import Clip, Terms, Turns, Why
from media.speech.utterance import Stage


def clip(number: int, seconds: float = 3.0, at: float = 0.0) -> Clip:
    return Clip(number, seconds, at, f"clip {number}")


def test_a_clip_is_spoken_at_once_where_nobody_speaks():
    turns = Turns()
    turns.offer(clip(1), 1.0)
    assert turns.next(1.0) == clip(1) and turns.next(1.0) is None


def test_it_waits_for_a_pause():
    turns = Turns()
    turns.speaks(True, 0.5)
    turns.offer(clip(1), 1.0)
    assert turns.next(1.0) is None and turns.next(5.0) is None
    turns.speaks(False, 5.5)
    assert turns.next(5.7) == clip(1)


def test_a_short_one_waits_not_for_ever():
    turns = Turns()
    turns.speaks(True, 0.5)
    turns.offer(clip(1, seconds=0.8), 1.0)
    assert turns.next_timeout() == 4.0
    assert turns.next(3.9) is None and turns.next(4.0) == clip(1, seconds=0.8)


def test_one_that_waits_too_long_is_dropped():
    turns = Turns()
    turns.speaks(True, 0.5)
    turns.offer(clip(1, at=1.0), 2.0)
    assert turns.next_timeout() == 13.0 and turns.overdue(12.9) == []
    assert [(each.clip.number, each.why, each.playing) for each in turns.overdue(13.0)] == [
        (1, Why.OLD, False)
    ]


def test_who_speaks_over_a_clip_stops_it_and_a_word_of_assent_does_not():
    turns = Turns()
    turns.offer(clip(1), 0.0)
    turns.next(0.0)
    turns.speaks(True, 0.5)
    turns.speaks(False, 0.9)
    assert turns.overdue(1.0) == []
    turns.speaks(True, 1.5)
    assert turns.next_timeout() == pytest.approx(2.1), "0.4 s were spoken over before"
    assert turns.overdue(2.0) == []
    assert [(each.why, each.playing) for each in turns.overdue(2.1)] == [(Why.OVER, True)]
    assert turns.playing is None and not turns.ended(1)


def test_what_plays_when_the_listener_speaks_already_has_the_same_bound():
    turns = Turns(Terms(wait_s=0.0))
    turns.speaks(True, 0.0)
    turns.offer(clip(1, seconds=1.0), 5.0)
    assert turns.next(5.0) is not None
    assert turns.next_timeout() == pytest.approx(6.0)


def test_of_too_much_the_oldest_is_dropped():
    turns = Turns(Terms(most_s=7.0))
    turns.speaks(True, 0.0)
    dropped = [each for number in range(4) for each in turns.offer(clip(number), 1.0)]
    assert [(each.clip.number, each.why) for each in dropped] == [(0, Why.BEHIND), (1, Why.BEHIND)]
    assert turns.waiting == 2


def test_a_clip_is_known_when_it_or_a_later_one_came():
    turns = Turns()
    assert [turns.knows(clip(number)) for number in (1, 1, 3, 2, 4)] == [False, True, False, True, False]


def test_one_of_which_no_end_is_told_ends():
    turns = Turns()
    turns.offer(clip(1), 0.0)
    turns.next(0.0)
    assert turns.next_timeout() == 4.0
    assert [(each.why, each.playing) for each in turns.overdue(4.0)] == [(Why.NEVER, True)]


def test_a_clip_knows_what_it_waited_for():
    lags = {Stage.SPOKEN: 0.0, Stage.WRITTEN: 0.5, Stage.TRANSLATED: 2.5, Stage.VOICED: 2.6}
    assert Clip(1, 1.0, 0.0, lags=lags).slowest is Stage.TRANSLATED
    assert clip(1).slowest is None
