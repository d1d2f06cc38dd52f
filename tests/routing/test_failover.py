"""A call's attempts over lines: who is tried next, and when nobody is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.board import WINDOW_S, Board, LineSpec
from routing.failover import (
    Attempt,
    End,
    Heard,
    Manner,
    Outcome,
    Pause,
    Policy,
    Redirects,
    Result,
    failover,
    rings,
)
from routing.line import Choice, Demand, Weights, choose
from routing.rate import Tariff
from routing.response import RESPONSES, Blame, Then, meaning

LONDON = Demand("+442071838750", "44")
Answer = Callable[[Attempt, float], Outcome]


@dataclass
class Story:
    """A call played to its end: what far ends say is given, what was tried is kept."""

    lines: tuple[LineSpec, ...] = tuple(LineSpec(name, priority=at) for at, name in enumerate("abcdefg"))
    policy: Policy = field(default_factory=Policy)
    manner: Manner = field(default_factory=Manner)
    demand: Demand = LONDON
    attempts: list[Attempt] = field(default_factory=list)
    pauses: list[Pause] = field(default_factory=list)
    now: float = 100.0

    def __post_init__(self) -> None:
        self.board = Board(self.lines)

    def play(self, answer: Answer) -> Result:
        rng = Random(0)

        def chosen(demand: Demand, now: float) -> Choice:
            return choose(self.board, demand, now, 0.0, rng, Weights())

        steps = failover(self.demand, chosen, lambda line: self.manner, self.policy, self.now)
        told: Outcome | None = None
        while True:
            try:
                step = next(steps) if told is None else steps.send(told)
            except StopIteration as ended:
                result: Result = ended.value
                return result
            if isinstance(step, Pause):
                self.pauses.append(step)
                told = Outcome(self.now + step.seconds)
            else:
                self.attempts.append(step)
                told = answer(step, self.now)
            self.now = told.at

    @property
    def tried(self) -> str:
        return "".join(attempt.line for attempt in self.attempts)


def refuses(status: int, heard: Heard = Heard.TRYING, cause: int = 0, after: float = 0.1) -> Answer:
    return lambda attempt, now: Outcome(now + after, End.REFUSED, heard, status, cause)


def first_then(first: Answer, then: Answer) -> Answer:
    return lambda attempt, now: (first if attempt.serial == 1 else then)(attempt, now)


def answers(attempt: Attempt, now: float) -> Outcome:
    return Outcome(now + 2.0, End.ANSWERED, Heard.ANSWERED)


def is_silent(attempt: Attempt, now: float) -> Outcome:
    return Outcome(now + attempt.no_100_s, End.SILENT)


def cannot_be_reached(attempt: Attempt, now: float) -> Outcome:
    return Outcome(now, End.UNREACHABLE)


# --- what leads to the next line --------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 480, 500, 502, 503, 504])
def test_a_line_that_fails_loses_the_call_to_the_next(status):
    story = Story()
    result = story.play(first_then(refuses(status), answers))
    assert (result.answered, result.line, story.tried) == (True, "b", "ab")


@pytest.mark.parametrize("status", [404, 410, 484, 486, 600, 603, 604, 606, 607])
def test_what_is_the_callees_own_word_is_never_tried_on_another_line(status):
    story = Story()
    result = story.play(refuses(status))
    assert (result.status, story.tried) == (status, "a")
    assert result.tried[0].blame is Blame.WORKED


def test_a_line_that_says_nothing_for_500_ms_loses_the_call_to_the_next():
    story = Story()
    result = story.play(first_then(is_silent, answers))
    assert story.tried == "ab"
    assert result.tried[0].ended - result.tried[0].began == pytest.approx(0.5)
    assert result.tried[0].words == "said nothing"


def test_a_line_with_a_long_round_trip_is_given_longer():
    story = Story(manner=Manner(no_100_s=1.3))
    story.play(answers)
    assert story.attempts[0].no_100_s == 1.3


def test_a_line_that_cannot_be_reached_costs_no_time():
    story = Story()
    result = story.play(first_then(cannot_be_reached, answers))
    assert (story.tried, result.tried[1].began) == ("ab", 100.0)


def test_a_busy_number_is_busy_whatever_status_a_gateway_makes_of_it():
    for status in (500, 503, 480):
        story = Story()
        result = story.play(refuses(status, cause=17))
        assert (story.tried, result.words) == ("a", "busy")


def test_no_cause_turns_an_end_into_another_attempt():
    for cause in range(128):
        for status, plain in RESPONSES.items():
            if plain.then is Then.STOP:
                assert meaning(status, cause).then is Then.STOP


@pytest.mark.parametrize(
    ("status", "like"), [(499, Then.NEXT), (599, Then.NEXT), (699, Then.STOP), (399, Then.STOP)]
)
def test_a_status_that_nobody_knows_means_what_its_class_does(status, like):
    assert meaning(status).then is like


# --- no double ring ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 480, 500, 503, 504])
def test_after_ringing_no_other_line_is_tried_whatever_is_said_then(status):
    story = Story()
    result = story.play(refuses(status, Heard.RINGING))
    assert story.tried == "a"
    assert result.status == (480 if status == 408 else status)


def test_a_phone_that_rang_until_it_was_enough_is_not_rung_over_another_line():
    story = Story()
    result = story.play(lambda attempt, now: Outcome(now + attempt.ring_s, End.NO_ANSWER, Heard.RINGING))
    assert (story.tried, result.status) == ("a", 480)


def test_early_media_of_a_gateway_may_be_a_phone_that_rings_and_of_ims_is_none():
    gateway, ims = Story(), Story(manner=Manner(early_media_rings=False))
    for story in (gateway, ims):
        story.play(first_then(refuses(503, Heard.EARLY_MEDIA), answers))
    assert (gateway.tried, ims.tried) == ("a", "ab")


# --- one budget -------------------------------------------------------------------------------------


def test_no_more_lines_are_tried_than_the_policy_says():
    story = Story(policy=Policy(attempts=3))
    result = story.play(refuses(503))
    assert (story.tried, result.status, result.retry_after_s) == ("abc", 503, 10.0)


def test_all_attempts_share_one_budget_of_time():
    story = Story(policy=Policy(budget_s=3.0, attempts=9))
    story.play(lambda attempt, now: Outcome(now + attempt.progress_s, End.STALLED, Heard.TRYING))
    assert story.attempts[0].progress_s == 3.0
    assert story.tried == "a"
    assert story.now <= 103.0


def test_a_caller_who_hangs_up_ends_it():
    story = Story()
    result = story.play(lambda attempt, now: Outcome(now + 1.0, End.GIVEN_UP, Heard.TRYING))
    assert (story.tried, result.status) == ("a", 487)


def test_that_a_password_of_ours_was_wrong_is_none_of_the_callers():
    story = Story(lines=(LineSpec("a"),))
    assert story.play(refuses(401)).status == 503


def test_a_call_that_no_line_takes_says_so_at_once():
    story = Story(lines=(LineSpec("a", enabled=False),))
    result = story.play(answers)
    assert (result.status, result.words, result.retry_after_s) == (503, "no line takes this call", 10.0)
    assert str(result.choices[0].reasons) == "a: switched off"


def test_a_call_waits_a_moment_for_room_and_is_refused_when_there_is_none():
    story = Story(lines=(LineSpec("a", max_calls_per_s=1),))
    story.board.began("a", 99.5)
    assert story.play(answers).answered
    assert [pause.seconds for pause in story.pauses] == [pytest.approx(WINDOW_S - 0.5)]
    full = Story(lines=(LineSpec("a", max_calls=1),))
    full.board.began("a", 0.0)
    result = full.play(answers)
    assert (full.pauses, result.status, result.words) == ([Pause(2.0)], 503, "no line has room")


def test_an_emergency_call_tries_every_line_that_may_carry_it():
    story = Story(policy=Policy(attempts=2, budget_s=1.0), demand=Demand("112", emergency=True))
    for name in "abc":
        story.board.stands(name, 0.0)
    result = story.play(lambda attempt, now: Outcome(now + 10.0, End.STALLED, Heard.TRYING))
    assert story.tried == "defgabc"
    assert result.status == 503


# --- redirections -----------------------------------------------------------------------------------


def moved(*contacts: str) -> Answer:
    return lambda attempt, now: Outcome(now + 0.1, End.REFUSED, Heard.TRYING, 302, contacts=contacts)


def test_a_redirection_is_followed_by_its_number_over_the_line_that_said_so():
    story = Story()
    result = story.play(first_then(moved("+34910601234"), answers))
    assert (story.tried, story.attempts[1].number, result.answered) == ("aa", "+34910601234", True)


def test_a_redirection_may_go_over_the_best_line_for_its_number():
    lines = (LineSpec("a", priority=2), LineSpec("b", priority=1))
    story = Story(lines=lines, policy=Policy(redirects=Redirects.ANY_LINE))
    story.board.stands("b", 0.0)

    def revives(attempt: Attempt, now: float) -> Outcome:
        story.board.stands("b", 1.0)
        return moved("+34910601234")(attempt, now)

    story.play(first_then(revives, answers))
    assert story.tried == "ab"


@pytest.mark.parametrize("redirects", [Redirects.SAME_LINE, Redirects.ANY_LINE])
def test_no_far_end_makes_us_call_what_is_barred(redirects):
    lines = tuple(LineSpec(name, tariff=Tariff(barred=("+4490",))) for name in "abcdefghij")
    story = Story(lines=lines, policy=Policy(redirects=redirects))
    result = story.play(moved("+449012345678"))
    assert (len(story.attempts), result.status) == (1, 480)


def test_where_redirections_are_refused_the_call_ends():
    story = Story(policy=Policy(redirects=Redirects.REFUSE))
    result = story.play(moved("+34910601234"))
    assert (story.tried, result.status) == ("a", 480)


def test_numbers_that_redirect_in_a_circle_or_without_end_are_not_followed():
    circle = Story()
    result = circle.play(moved(LONDON.number, "+1"))
    assert [attempt.number for attempt in circle.attempts] == [LONDON.number, "+1"]
    assert result.status == 480
    endless = Story(policy=Policy(attempts=99))
    endless.play(lambda attempt, now: moved(f"+44{attempt.serial}")(attempt, now))
    assert len(endless.attempts) == 4


# --- whatever far ends do ---------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(1, 6), st.floats(0.5, 15.0))
def test_no_double_ring_no_second_try_and_one_budget_whatever_far_ends_do(seed, attempts, budget):
    rng = Random(seed)
    manner = Manner(early_media_rings=rng.random() < 0.5)
    story = Story(policy=Policy(budget_s=budget, attempts=attempts), manner=manner)
    heard: list[Heard] = []

    def whatever(attempt: Attempt, now: float) -> Outcome:
        end = rng.choice(list(End))
        if end in (End.SILENT, End.UNREACHABLE):
            heard.append(Heard.NOTHING)
            return Outcome(now + attempt.no_100_s, end)
        if end is End.STALLED:
            heard.append(Heard.TRYING)
            return Outcome(now + attempt.progress_s, end, Heard.TRYING)
        heard.append(rng.choice(list(Heard)[1:5]) if end is not End.ANSWERED else Heard.ANSWERED)
        status, cause = rng.choice([*RESPONSES, 499, 555, 650]), rng.choice([0, 0, 16, 17, 34])
        took = rng.uniform(0.0, attempt.no_100_s)
        return Outcome(now + took, end, heard[-1], status, cause, ("+1234",) * (rng.random() < 0.5))

    result = story.play(whatever)
    assert not any(rings(each, manner) for each in heard[:-1]), (
        "a second line is tried though a phone may ring"
    )
    assert len(story.attempts) <= attempts
    assert sum(begun.began - 100.0 > budget for begun in result.tried) == 0
    pairs = [(attempt.line, attempt.number) for attempt in story.attempts]
    assert len(set(pairs)) == len(pairs), "a line is tried once for a number"
    for earlier in result.tried[:-1]:
        assert earlier.status not in (404, 486, 600, 603)
    assert result.answered == (bool(result.tried) and result.tried[-1].heard is Heard.ANSWERED)
