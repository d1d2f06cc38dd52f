"""Tokens guessed at the API: an address that guesses waits longer and longer, and nobody else does."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from engine.api.app import create_app
from engine.api.guesses import Guesses
from tests.engine.api_node import READ, SETTINGS, WRITE, Node
from tests.engine.test_api import Client, refused

HERE, ELSEWHERE = "192.0.2.7", "198.51.100.4"


def guesses(count: int, first: int = 0) -> Iterator[str]:
    return (f"isot_{number:043d}" for number in range(first, first + count))


@pytest.fixture
def ask() -> Client:
    return Client(create_app(Node(), SETTINGS))


def guess(ask: Client, count: int) -> list[httpx.Response]:
    return [ask("GET", "/v1/calls", token) for token in guesses(count)]


def test_guesses_are_refused_then_made_to_wait(ask: Client) -> None:
    answers = guess(ask, 14)
    assert [each.status_code for each in answers] == [401] * 11 + [429] * 3
    assert int(refused_at(answers[-1])) >= 1


def refused_at(answer: httpx.Response) -> str:
    refused(answer, 429, "too-many-requests")
    return answer.headers["retry-after"]


def test_a_right_token_is_found_by_no_guess_that_comes_too_soon(ask: Client) -> None:
    guess(ask, 12)
    refused(ask("GET", "/v1/calls", READ), 429, "too-many-requests")


def test_who_was_right_before_goes_on_whatever_others_at_the_address_guess(ask: Client) -> None:
    assert ask("GET", "/v1/calls", READ).status_code == 200
    guess(ask, 20)
    assert ask("GET", "/v1/calls", READ).status_code == 200
    refused(ask("GET", "/v1/calls", WRITE), 429, "too-many-requests")


def test_a_program_with_a_token_that_expired_keeps_nobody_else_out(ask: Client) -> None:
    for _ in range(50):
        refused(ask("GET", "/v1/calls", "isot_" + "e" * 43), 401, "unauthorized")
    assert ask("GET", "/v1/calls", READ).status_code == 200


def test_waits_double_are_bounded_and_are_an_addresss_own() -> None:
    held, now, waits = Guesses(), 0.0, []
    for token in guesses(30):
        held.wrong(HERE, token, now)
        waits.append(held.wait(HERE, "right", now))
        now += waits[-1]
    assert waits[:12] == [0.0] * 10 + [2.0, 4.0] and waits[-1] == max(waits) == 900.0
    assert held.wait(ELSEWHERE, "right", now) == 0.0
    assert held.wait("2001:db8::1", "right", now) == 0.0


def test_an_hour_after_the_last_guess_all_is_forgotten() -> None:
    held = Guesses()
    for token in guesses(15):
        held.wrong(HERE, token, 0.0)
    assert held.wait(HERE, "right", 1.0) > 0.0
    assert held.wait(HERE, "right", 3601.0) == 0.0


def test_what_is_remembered_has_a_bound() -> None:
    held = Guesses()
    for token in guesses(6000):
        held.wrong(HERE, token, 0.0)
        held.right(ELSEWHERE, token, 0.0)
    assert len(held._wrong) == len(held._right) == 5000
