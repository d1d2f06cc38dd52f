"""Interpretation of a call: what is lowered comes back, nobody is spoken over, what is left out is told."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest

from media.speech.interpretation import (
    DUCKED,
    FULL,
    RESTING,
    TABLE,
    Act,
    DropClip,
    Event,
    Fault,
    Interpretation,
    Mode,
    Original,
    PlayClip,
    State,
    StopClip,
    TellOf,
    Terms,
)
from media.speech.turns import Clip, Why
from media.speech.utterance import Stage

CUSTOMER, AGENT = 1, 2
TERMS = Terms()


def begun(mode: Mode = Mode.VOICE) -> Interpretation:
    """The agent hears an interpreter."""
    both = Interpretation(CUSTOMER, AGENT)
    both.choose(AGENT, mode, 0.0)
    return both


def clip(number: int = 1, at: float = 9.0, seconds: float = 3.0, **more: object) -> Clip:
    return Clip(number, seconds, at, f"clip {number}", **more)


def gains(acts: Iterable[Act]) -> list[float]:
    return [act.gain for act in acts if isinstance(act, Original)]


def words(acts: Iterable[Act]) -> list[tuple[int, str]]:
    return [(act.leg, act.word) for act in acts if isinstance(act, TellOf)]


def both_are_told(word: str) -> list[tuple[int, str]]:
    return [(CUSTOMER, word), (AGENT, word)]


@pytest.mark.parametrize(
    ("mode", "resting", "speaking"),
    [(Mode.VOICE, [RESTING], [DUCKED]), (Mode.VOICE_ONLY, [0.0], []), (Mode.CAPTIONS, [], [])],
)
def test_the_original_is_as_loud_as_the_mode_says(mode: Mode, resting: list[float], speaking: list[float]):
    both = Interpretation(CUSTOMER, AGENT)
    chosen = both.choose(AGENT, mode, 0.0)
    assert gains(chosen) == resting
    assert words(chosen) == (both_are_told("on") if resting else [])
    acts = both.clip(AGENT, clip(), 10.0)
    assert gains(acts) == speaking
    played = [act for act in acts if isinstance(act, PlayClip)]
    assert [act.lag_s for act in played] == ([1.0] if resting else [])
    assert gains(both.ended(AGENT, 1, 13.0)) == (resting if speaking else [])


def test_the_other_way_is_left_as_it_is():
    both = begun()
    assert both.mode(CUSTOMER) is Mode.CAPTIONS
    acts = both.clip(CUSTOMER, clip(), 10.0)
    assert [type(act) for act in acts] == [DropClip], "nobody asked for it"
    assert both.fails(AGENT, Fault.SPEAK, 11.0) == []


def test_clips_in_a_row_do_not_let_the_original_up_between_them():
    both = begun()
    both.clip(AGENT, clip(1), 10.0)
    both.clip(AGENT, clip(2), 10.5)
    acts = both.ended(AGENT, 1, 13.0)
    assert [act.clip.number for act in acts if isinstance(act, PlayClip)] == [2] and gains(acts) == []


@pytest.mark.parametrize("fault", [each for each in Fault if each is not Fault.LATE])
def test_a_failure_brings_the_original_back_at_once_and_both_are_told(fault: Fault):
    both = begun()
    acts = both.fails(CUSTOMER, fault, 10.0)
    assert gains(acts) == [FULL] and words(acts) == both_are_told(fault.value)
    assert both.fails(CUSTOMER, fault, 10.1) == []
    back = both.works(CUSTOMER, fault, 12.0)
    assert gains(back) == [RESTING] and words(back) == both_are_told("back")


def test_with_two_failures_both_have_to_be_over():
    both = begun()
    both.fails(CUSTOMER, Fault.SHED, 10.0)
    assert both.fails(CUSTOMER, Fault.LOST, 10.5) == []
    assert both.works(CUSTOMER, Fault.SHED, 11.0) == []
    assert gains(both.works(CUSTOMER, Fault.LOST, 12.0)) == [RESTING]


def test_a_clip_that_plays_at_a_failure_has_a_second_and_those_that_wait_are_dropped():
    both = begun()
    both.clip(AGENT, clip(1), 10.0)
    both.clip(AGENT, clip(2), 10.5)
    acts = both.fails(CUSTOMER, Fault.TRANSLATE, 11.0)
    assert [act.clip.number for act in acts if isinstance(act, DropClip)] == [2] and gains(acts) == []
    assert both.next_timeout() == 11.0 + TERMS.end_s
    acts = both.tick(12.0)
    assert [act.clip.number for act in acts if isinstance(act, StopClip)] == [1] and gains(acts) == [FULL]


def test_a_clip_that_ends_by_itself_after_a_failure_is_not_stopped():
    both = begun()
    both.clip(AGENT, clip(1), 10.0)
    both.fails(CUSTOMER, Fault.TRANSLATE, 12.5)
    assert gains(both.ended(AGENT, 1, 13.0)) == [FULL]
    assert both.next_timeout() is None


def test_speech_after_which_nothing_comes_is_late():
    both = begun()
    both.talking(CUSTOMER, True, 1.0, 1.2)
    both.talking(CUSTOMER, False, 3.0, 3.4)
    assert both.next_timeout() == 3.0 + TERMS.late_s
    acts = both.tick(9.0)
    assert gains(acts) == [FULL] and words(acts) == both_are_told("late")


def test_speech_without_an_end_has_to_be_spoken_as_well():
    both = begun()
    both.talking(CUSTOMER, True, 1.0, 1.2)
    assert gains(both.tick(17.0)) == [FULL]


@pytest.mark.parametrize("settles", ["a clip", "no words"])
def test_what_was_given_is_not_waited_for(settles: str):
    both = begun()
    both.talking(CUSTOMER, True, 1.0, 1.2)
    both.talking(CUSTOMER, False, 3.0, 3.4)
    if settles == "a clip":
        both.clip(AGENT, clip(at=2.8), 4.0)
        both.ended(AGENT, 1, 7.0)
    else:
        both.settled(CUSTOMER, 4.0)
    assert both.next_timeout() is None and both.tick(60.0) == []


def test_a_clip_that_comes_too_late_is_dropped_says_what_took_so_long_and_one_in_time_brings_all_back():
    both = begun()
    lags = {Stage.SPOKEN: 0.0, Stage.WRITTEN: 6.5, Stage.TRANSLATED: 6.8}
    acts = both.clip(AGENT, clip(1, at=2.0, lags=lags), 9.0)
    assert gains(acts) == [FULL] and words(acts) == [*both_are_told("late"), *both_are_told("dropped")]
    assert next(act.facts for act in acts if isinstance(act, TellOf)) == {"stage": "written"}
    assert [act.why for act in acts if isinstance(act, DropClip)] == [Why.OLD]
    assert gains(both.clip(AGENT, clip(2, at=15.0), 20.0)) == [], "sooner, but not in time yet"
    acts = both.clip(AGENT, clip(3, at=19.0), 21.0)
    assert [act.clip.number for act in acts if isinstance(act, PlayClip)] == [3]
    assert gains(acts)[-1] == DUCKED and words(acts) == both_are_told("back")


def test_nothing_is_spoken_while_there_is_no_time_for_it():
    both = begun()
    both.fails(CUSTOMER, Fault.SHED, 1.0)
    acts = both.clip(AGENT, clip(at=1.0), 2.0)
    assert not any(isinstance(act, PlayClip) for act in acts) and words(acts) == both_are_told("dropped")


def test_who_leaves_hears_the_original_and_nothing_else():
    both = begun()
    both.clip(AGENT, clip(1), 10.0)
    both.clip(AGENT, clip(2), 10.5)
    acts = both.choose(AGENT, Mode.CAPTIONS, 11.0)
    assert gains(acts) == [FULL] and words(acts) == both_are_told("off")
    assert [act.clip.number for act in acts if isinstance(act, StopClip)] == [1]
    assert {act.clip.number for act in acts if isinstance(act, DropClip)} == {1, 2}
    assert both.ended(AGENT, 1, 11.1) == [] and both.next_timeout() is None


def test_a_failure_that_was_there_before_is_told_to_who_asks():
    both = Interpretation(CUSTOMER, AGENT)
    both.fails(CUSTOMER, Fault.HEAR, 1.0)
    acts = both.choose(AGENT, Mode.VOICE, 2.0)
    assert gains(acts) == [] and words(acts) == [*both_are_told("on"), *both_are_told("hear")]


def test_a_leg_that_is_not_of_the_call_changes_nothing():
    both = begun()
    assert [type(act) for act in both.clip(7, clip(), 10.0)] == [DropClip]
    assert both.talking(7, True, 1.0, 1.0) == both.fails(7, Fault.HEAR, 1.0) == both.ended(7, 1, 1.0) == []


def test_every_state_can_be_left_and_the_table_leads_nowhere_else():
    for state in State:
        if state is not State.OFF:
            assert TABLE[state, Event.LEFT][0] is State.OFF
    reached = {State.OFF} | {entry[0] for entry in TABLE.values()}
    assert reached == set(State)


# --- two people and all that can go wrong


class Story:
    """One call on a virtual clock, and what is true at any time of it."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.both = Interpretation(CUSTOMER, AGENT)
        self.now = 0.0
        self.speaks = {CUSTOMER: False, AGENT: False}
        self.gain = {CUSTOMER: FULL, AGENT: FULL}  # of what each hears of the other
        self.plays: dict[int, tuple[Clip, float]] = {}
        self.over = {CUSTOMER: 0.0, AGENT: 0.0}  # s for which what plays was spoken over
        self.broken_since = {CUSTOMER: math.inf, AGENT: math.inf}
        self.came: dict[int, list[int]] = {CUSTOMER: [], AGENT: []}
        self.began: dict[int, list[int]] = {CUSTOMER: [], AGENT: []}
        self.ended: dict[int, list[int]] = {CUSTOMER: [], AGENT: []}
        self.dropped: dict[int, list[int]] = {CUSTOMER: [], AGENT: []}
        self.told: list[TellOf] = []
        self.events: list[tuple[float, int, str, int, object]] = []
        self.serial = 0

    def later(self, at: float, kind: str, leg: int, what: object = None) -> None:
        self.serial += 1
        self.events.append((at, self.serial, kind, leg, what))
        self.events.sort(key=lambda each: each[:2])

    def do(self, acts: list[Act]) -> None:
        for act in acts:
            match act:
                case Original(_, listener, gain):
                    self.gain[listener] = gain
                case PlayClip(listener, clip, _):
                    assert listener not in self.plays, "two clips at once"
                    assert clip.number > max(self.began[listener], default=-1), "twice, or out of order"
                    self.plays[listener] = clip, self.now
                    self.over[listener] = 0.0
                    self.began[listener].append(clip.number)
                    if self.rng.random() < 0.95:
                        self.later(self.now + clip.seconds, "ended", listener, clip.number)
                case StopClip(listener, clip):
                    assert self.plays.pop(listener)[0] == clip
                case DropClip(listener, clip, _):
                    self.dropped[listener].append(clip.number)
                case TellOf():
                    self.told.append(act)

    def pass_time(self, to: float) -> None:
        for leg in (CUSTOMER, AGENT):
            if self.speaks[leg] and leg in self.plays:
                self.over[leg] += to - self.now
                assert self.over[leg] <= TERMS.turns.over_s + 1e-6, "the listener was spoken over"
        self.now = to
        for leg in (CUSTOMER, AGENT):
            faults = bool(self.both.faults(leg)) and self.both.mode(leg) is not Mode.CAPTIONS
            self.broken_since[leg] = min(self.broken_since[leg], to) if faults else math.inf
            if to > self.broken_since[leg] + TERMS.end_s:
                assert self.gain[leg] == FULL and leg not in self.plays, "the original is not back"
            if self.both.mode(leg) is Mode.CAPTIONS:
                assert self.gain[leg] == FULL and leg not in self.plays

    def run(self, until: float) -> None:
        for _ in range(100_000):
            wanted = self.both.next_timeout()
            event = self.events[0][0] if self.events else math.inf
            at = min(event, math.inf if wanted is None else wanted, until)
            self.pass_time(max(at, self.now))
            if at >= until:
                return
            if wanted is not None and wanted <= event:
                self.do(self.both.tick(self.now))
                assert self.both.next_timeout() != wanted, "what is due is done"
            else:
                self.happen(*self.events.pop(0)[2:])
        raise AssertionError("it never ends")

    def happen(self, kind: str, leg: int, what: object) -> None:
        both, now, other = self.both, self.now, AGENT + CUSTOMER - leg
        if kind == "speaks":
            self.speaks[leg] = bool(what)
            self.do(both.talking(leg, bool(what), now, now))
        elif kind == "clip" and isinstance(what, Clip):
            self.came[leg].append(len(self.came[leg]))
            self.do(both.clip(leg, replace(what, number=self.came[leg][-1]), now))
        elif kind == "ended" and isinstance(what, int):
            if leg in self.plays and self.plays[leg][0].number == what:
                del self.plays[leg]
                self.ended[leg].append(what)
            self.do(both.ended(leg, what, now))
        elif kind == "fails" and isinstance(what, Fault):
            self.do(both.fails(leg, what, now))
        elif kind == "works" and isinstance(what, Fault):
            self.do(both.works(leg, what, now))
        elif kind == "choose" and isinstance(what, Mode):
            self.do(both.choose(leg, what, now))
        elif kind == "settled":
            self.do(both.settled(other, now))

    def script(self, until: float) -> None:
        """Both talk for a while; clips come soon, late or never; parts break and are mended."""
        rng = self.rng
        for leg in (CUSTOMER, AGENT):
            self.later(0.0, "choose", leg, rng.choice((Mode.VOICE, Mode.VOICE_ONLY)))
            at = rng.uniform(0, 5)
            while at < until - 30:
                length = rng.choice((0.4, 2.0, 4.0, 15.0))
                self.later(at, "speaks", leg, True)
                self.later(at + length, "speaks", leg, False)
                said = at + length
                for _ in range(rng.choice((0, 1, 1, 1, 3))):
                    lag = rng.choice((1.0, 2.0, 3.0, 5.0, 9.0))
                    made = Clip(0, rng.choice((0.6, 2.0, 5.0)), said, "words")
                    self.later(said + lag, "clip", AGENT + CUSTOMER - leg, made)
                at += length + rng.choice((0.2, 1.0, 5.0))
            for _ in range(3):
                fault, when = rng.choice(list(Fault)), rng.uniform(0, until - 30)
                self.later(when, "fails", leg, fault)
                self.later(when + rng.uniform(0, 20), "works", leg, fault)
            self.later(rng.uniform(0, until), "choose", leg, rng.choice(list(Mode)))


@pytest.mark.parametrize("seed", range(60))
def test_whatever_happens_the_rules_hold(seed: int):
    stage = Story(seed)
    stage.script(150.0)
    stage.run(200.0)
    stage.do(stage.both.end(stage.now))
    stage.pass_time(stage.now)
    assert stage.gain == {CUSTOMER: FULL, AGENT: FULL} and not stage.plays
    for leg in (CUSTOMER, AGENT):
        left = set(stage.came[leg]) - set(stage.dropped[leg])
        assert left <= set(stage.ended[leg]), "a clip was forgotten"
        assert not set(stage.dropped[leg]) & set(stage.ended[leg])
    for leg in (CUSTOMER, AGENT):
        words = [(told.word, told.facts) for told in stage.told if told.leg == leg]
        assert words == [(told.word, told.facts) for told in stage.told if told.leg != leg], "both are told"


def test_the_stories_are_told_in_full():
    """That the seeds above reach what they are to prove."""
    whys, words, spoken = set(), set(), 0
    for seed in range(60):
        stage = Story(seed)
        stage.script(150.0)
        stage.run(200.0)
        words |= {told.word for told in stage.told}
        whys |= {told.facts["why"] for told in stage.told if "why" in told.facts}
        spoken += sum(map(len, stage.ended.values()))
    assert words >= {"on", "off", "back", "dropped", "late", "hear", "translate", "speak", "shed", "lost"}
    assert whys >= {"old", "behind", "over", "ended"} and spoken > 500
