"""How often somebody may try."""

from __future__ import annotations

import pytest

from engine.access.attempts import FORGET_S, OF_ACCOUNT, OF_SOURCE, Attempts, Patience, source_key

PATIENCE = Patience(free=2, first_s=1.0, most_s=8.0)


def test_the_first_tries_are_free_and_delays_double_up_to_a_bound() -> None:
    assert [PATIENCE.delay(failures) for failures in range(9)] == [0, 0, 0, 1, 2, 4, 8, 8, 8]
    assert OF_ACCOUNT.delay(10_000) == 60.0 and OF_SOURCE.delay(10_000) == 900.0


def test_a_hundred_at_once_are_a_hundred() -> None:
    attempts = Attempts(PATIENCE)
    tried = 0
    for _ in range(100):
        if not attempts.wait("maria", 0.0):
            attempts.begin("maria", 0.0)
            tried += 1
    assert tried == 3


def test_patient_guessing_gets_a_try_each_time_the_delay_is_over_and_no_more() -> None:
    attempts = Attempts(PATIENCE)
    tried, now = 0, 0.0
    while now < 3600.0:
        if not attempts.wait("maria", now):
            attempts.begin("maria", now)
            tried += 1
        now += 0.5
    assert tried < 3 + 4 + 3600 / PATIENCE.most_s


def test_success_forgets_failures_and_so_does_an_hour() -> None:
    attempts = Attempts(PATIENCE)
    for key in ("maria", "ana"):
        for _ in range(5):
            attempts.begin(key, 0.0)
        assert attempts.wait(key, 0.0) == 4.0
    assert attempts.succeeded("maria") == 5
    assert attempts.wait("maria", 0.0) == 0.0
    assert attempts.wait("ana", FORGET_S) == 0.0
    attempts.begin("ana", FORGET_S)
    assert attempts.wait("ana", FORGET_S) == 0.0


def test_a_try_that_was_none_is_taken_back() -> None:
    attempts = Attempts(PATIENCE)
    for _ in range(3):
        attempts.begin("maria", 0.0)
    attempts.undo("maria")
    assert attempts.wait("maria", 0.0) == 0.0
    assert [attempts.undo("maria") for _ in range(5)] == [1, 1, 0, 0, 0]
    assert attempts.wait("maria", 0.0) == 0.0


def test_what_is_taken_back_begins_no_delay_and_leaves_the_others() -> None:
    attempts = Attempts(PATIENCE)
    for _ in range(5):
        attempts.begin("an office", 0.0)
    attempts.begin("an office", 10.0)
    assert attempts.wait("an office", 10.0) == 8.0
    assert attempts.undo("an office") == 1
    assert (attempts.wait("an office", 1.0), attempts.wait("an office", 10.0)) == (3.0, 0.0)
    assert attempts.undo("an office", 0) == 0 and attempts.wait("an office", 1.0) == 3.0


def test_only_so_many_are_remembered() -> None:
    attempts = Attempts(PATIENCE, most=10)
    for number in range(100):
        attempts.begin(f"source {number}", 0.0)
    assert len(attempts._failed) == 10


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("testclient", "testclient", True),
    ],
)
def test_an_address_stands_for_its_network_in_ipv6(one: str, other: str, same: bool) -> None:
    assert (source_key(one) == source_key(other)) is same
