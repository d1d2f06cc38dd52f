"""Stretches of speech: where they begin and end, and what becomes of noise, losses and long talk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.speech.segment import BLOCK_S, Began, End, Ended, Event, Segments, Terms

TERMS = Terms()


def heard(blocks: str, terms: Terms = TERMS) -> list[Event]:
    """What one row tells of blocks of 20 ms: "s" speech, "n" noise that the gate takes for speech, "."
    silence, "x" lost. The detector is asked when it has to be, and knows.
    """
    segments, rows, events = Segments(1, terms), np.arange(1), []
    for at, block in enumerate(blocks):
        asked = bool(segments.asks(rows)[0])
        sure = (
            np.array([0.9 if block == "s" else 0.1], np.float32) if asked else np.full(1, np.nan, np.float32)
        )
        gate, lost = np.array([block in "sn"]), np.array([block == "x"])
        events += segments.hear(rows, gate, sure, lost, (at + 1) * BLOCK_S)
    return events


def story(*parts: tuple[str, float]) -> str:
    return "".join(kind * round(seconds / BLOCK_S) for kind, seconds in parts)


def test_speech_begins_a_little_before_it_was_noticed_and_ends_after_a_pause():
    began, ended = heard(story((".", 1.0), ("s", 2.0), (".", 1.0)))
    assert isinstance(began, Began) and isinstance(ended, Ended)
    assert began.at == pytest.approx(1.0 - TERMS.lead_s)
    assert ended.voiced == pytest.approx(3.0)
    assert ended.at == pytest.approx(3.0 + TERMS.hangover_s)
    assert (ended.why, ended.lost_s) == (End.PAUSE, 0.0)


def test_a_short_pause_is_part_of_a_stretch():
    events = heard(story(("s", 1.0), (".", 0.4), ("s", 1.0), (".", 1.0)))
    assert [type(each) for each in events] == [Began, Ended]


def test_noise_that_the_gate_takes_for_speech_is_none():
    assert heard(story(("n", 30.0))) == []


def test_noise_is_looked_at_a_part_of_the_time():
    segments, rows, asked = Segments(1), np.arange(1), 0
    for at in range(1500):
        looks = segments.asks(rows)
        asked += int(looks[0])
        sure = np.where(looks, 0.1, np.nan).astype(np.float32)
        segments.hear(rows, np.ones(1, bool), sure, np.zeros(1, bool), (at + 1) * BLOCK_S)
    assert 0.2 < asked / 1500 < 0.6


def test_speech_ends_where_only_noise_goes_on():
    events = heard(story(("s", 1.0), ("n", 3.0)))
    assert [type(each) for each in events] == [Began, Ended]
    assert events[1].at == pytest.approx(1.0 + TERMS.hangover_s)


def test_speech_after_noise_is_noticed_soon():
    (began,) = heard(story(("n", 5.0), ("s", 1.0)))
    assert began.at == pytest.approx(5.0, abs=TERMS.confirm_s + TERMS.lead_s)


def test_a_cough_of_one_block_is_nothing():
    assert heard(story((".", 1.0)) + "s" + story((".", 1.0))) == []


def test_speech_goes_on_across_lost_packets_and_they_are_told():
    events = heard(story(("s", 1.0), ("x", 0.3), ("s", 1.0), (".", 1.0)))
    assert [type(each) for each in events] == [Began, Ended]
    assert events[1].lost_s == pytest.approx(0.3)


def test_many_lost_packets_are_a_pause():
    events = heard(story(("s", 1.0), ("x", 2.0)))
    assert [type(each) for each in events] == [Began, Ended]
    assert events[1].at == pytest.approx(1.0 + TERMS.bridge_s + TERMS.hangover_s)


def test_long_talk_is_cut_at_a_short_pause_and_nothing_is_lost_between():
    events = heard(story(("s", 11.0), (".", 0.2), ("s", 3.0), (".", 1.0)))
    assert [type(each) for each in events] == [Began, Ended, Began, Ended]
    assert events[1].why is End.LONG
    assert events[1].at == pytest.approx(11.0 + TERMS.short_s)
    assert events[2].at == pytest.approx(events[1].at)


def test_what_follows_a_cut_is_no_stretch_when_nothing_is_said():
    events = heard(story(("s", 11.0), (".", 5.0)))
    assert [type(each) for each in events] == [Began, Ended]


def test_talk_without_a_pause_is_cut_in_the_middle_at_last():
    events = heard(story(("s", 40.0), (".", 1.0)))
    assert [type(each) for each in events] == [Began, Ended] * 3
    assert events[1].at == events[2].at == pytest.approx(TERMS.longest_s)


def test_a_leg_that_is_over_ends_what_it_was_saying():
    segments, rows = Segments(1), np.arange(1)
    for at in range(50):
        segments.hear(rows, np.ones(1, bool), np.full(1, 0.9, np.float32), np.zeros(1, bool), at * BLOCK_S)
    (ended,) = segments.leave(0, 1.0)
    assert ended.why is End.LEFT
    assert segments.leave(0, 1.0) == []


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("sn.x"), st.integers(1, 200)), max_size=30))
def test_stretches_alternate_never_overlap_and_are_never_too_long(parts):
    terms = replace(TERMS, long_s=2.0, longest_s=3.0)
    events = heard("".join(kind * count for kind, count in parts), terms)
    over = 0.0
    for began, ended in _pairs(events):
        assert began.at >= over - 1e-9
        if ended is not None:
            assert 0 <= ended.at - began.at <= terms.longest_s + terms.lead_s + terms.confirm_s
            assert ended.voiced <= ended.at + 1e-9
            over = ended.at


def _pairs(events: Sequence[Event]) -> list[tuple[Began, Ended | None]]:
    assert [isinstance(each, Began) for each in events] == [at % 2 == 0 for at in range(len(events))]
    ends = [*events[1::2], None]
    return [(began, ends[at]) for at, began in enumerate(events[::2])]
