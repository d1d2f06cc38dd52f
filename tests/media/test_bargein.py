"""Barge-in: a prompt falls silent for who speaks, ends for who goes on, goes on for who only murmured."""

from __future__ import annotations

import numpy as np
import pytest

from media.bargein import TABLE, Action, BargeIn, Happened, Patience, State

ME = np.array([3])


def judged(pattern: str, patience: Patience | None = None) -> list[tuple[int, Action]]:
    """What is done, with ms from the beginning, when blocks of 20 ms are speech ("#") or not."""
    barge = BargeIn(8, patience)
    barge.arm(3)
    done = []
    for block, each in enumerate(pattern, 1):
        for row, action in barge.hear(ME, np.array([each == "#"]), 50 + block * 0.02):
            assert row == 3
            done.append((block * 20, action))
    return done


def test_a_prompt_is_silent_within_100_ms_of_speech_and_over_when_it_goes_on():
    assert judged("#" * 60) == [(80, Action.PAUSE), (500, Action.INTERRUPT)]


def test_a_pause_between_words_is_no_change_of_mind():
    assert judged("#" * 10 + "." * 10 + "#" * 30) == [(80, Action.PAUSE), (700, Action.INTERRUPT)]


@pytest.mark.parametrize("murmur", ["#" * 15, "#####.########", "######...######", "#" * 20])
def test_an_uh_huh_makes_it_pause_and_go_on(murmur):
    actions = [action for _, action in judged(murmur + "." * 40)]
    assert actions == [Action.PAUSE, Action.RESUME]


@pytest.mark.parametrize("noise", ["#......", "##.......", "###........"])
def test_a_click_a_cough_and_a_knock_do_nothing_however_often(noise):
    assert judged(noise * 40) == []


def test_murmurs_far_apart_do_not_add_up():
    actions = [action for _, action in judged(("#" * 12 + "." * 60) * 3)]
    assert actions == [Action.PAUSE, Action.RESUME] * 3


def test_nothing_is_decided_where_nothing_plays():
    barge = BargeIn(8)
    assert not any(barge.hear(ME, np.array([True]), i * 0.02) for i in range(60))
    barge.arm(3)
    barge.disarm(3)
    assert not any(barge.hear(ME, np.array([True]), 2 + i * 0.02) for i in range(60))


def test_who_already_speaks_when_a_prompt_begins_has_to_go_on_to_stop_it():
    barge = BargeIn(8)
    for i in range(20):
        barge.hear(ME, np.array([True]), i * 0.02)
    barge.arm(3)
    assert not any(barge.hear(ME, np.array([True]), 0.4 + i * 0.02) for i in range(3))
    assert barge.hear(ME, np.array([True]), 0.46)[0].action is Action.PAUSE


def test_a_second_prompt_needs_to_be_armed_anew_after_an_interruption():
    assert len(judged("#" * 200)) == 2


def test_patience_is_a_setting():
    quick = Patience(yield_ms=40, confirm_ms=40)
    assert [action for _, action in judged("#" * 10, quick)][:2] == [Action.PAUSE, Action.INTERRUPT]


def test_many_legs_are_judged_at_once():
    barge = BargeIn(100)
    rows = np.arange(100)
    for row in rows.tolist():
        barge.arm(row)
    speaks = rows % 2 == 0
    verdicts = [v for i in range(60) for v in barge.hear(rows, speaks, i * 0.02)]
    assert {row for row, _ in verdicts} == set(rows[speaks].tolist()) and len(verdicts) == 100


def test_the_table_knows_every_way_out_of_listening_and_yielding():
    assert TABLE[State.LISTENING, Happened.SPOKE] == (State.YIELDED, Action.PAUSE)
    assert {happened for state, happened in TABLE if state is State.YIELDED} == {
        Happened.CONFIRMED,
        Happened.FELL_SILENT,
    }
