"""The guard: who fails is slowed, then blocked, then forgiven, and nobody is blocked in another's stead."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from sip.guard import Blocked, Guard, GuardPolicy, Ignored, Slowed, Unblocked, Why, source_of, within

THIEF, OFFICE = "203.0.113.9", "192.0.2.7"


@pytest.fixture
def guard():
    return Guard()


def fail(guard, times, host=THIEF, now=0.0):
    for _ in range(times):
        guard.failed(host, "1001", now)


def test_a_mistyped_password_or_two_cost_nothing(guard):
    fail(guard, 2)
    assert guard.delay(THIEF, 0.0) == 0.0


def test_each_further_failure_doubles_the_wait_up_to_a_limit(guard):
    waits = []
    for _ in range(9):
        fail(guard, 1)
        waits.append(guard.delay(THIEF, 0.0))
    assert waits == [0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_the_tenth_failure_blocks_the_source(guard):
    fail(guard, 9)
    assert not guard.blocks(THIEF, 0.0)
    fail(guard, 1)
    assert guard.blocks(THIEF, 0.0)
    assert not guard.blocks(OFFICE, 0.0)


def test_failures_spread_over_some_minutes_still_block(guard):
    for minute in range(10):
        fail(guard, 1, now=minute * 3.0)
    assert guard.blocks(THIEF, 27.0)


def test_a_block_ends_and_the_next_one_lasts_twice_as_long(guard):
    fail(guard, 10)
    assert guard.blocks(THIEF, 299.0)
    assert not guard.blocks(THIEF, 300.0)
    fail(guard, 10, now=300.0)
    assert guard.blocks(THIEF, 899.0)
    assert not guard.blocks(THIEF, 900.0)


def test_failures_are_forgiven_with_time(guard):
    fail(guard, 6)
    assert guard.delay(THIEF, 0.0) > 0.0
    assert guard.delay(THIEF, 1200.0) == 0.0


def test_an_office_where_others_are_at_work_is_blocked_much_later(guard):
    guard.succeeded(OFFICE, 0.0)
    fail(guard, 40, OFFICE)
    assert not guard.blocks(OFFICE, 0.0)
    fail(guard, 10, OFFICE)
    assert guard.blocks(OFFICE, 0.0)


def test_success_does_not_wipe_failures_out(guard):
    for _ in range(60):
        fail(guard, 1)
        guard.succeeded(THIEF, 0.0)
    assert guard.blocks(THIEF, 0.0)


def test_what_happens_is_told_once_as_values(guard):
    fail(guard, 10)
    slowed, blocked = guard.events()
    assert (slowed.source, slowed.user, type(slowed)) == (THIEF, "1001", Slowed)
    assert blocked == Blocked(THIEF, 300.0, 10.0, "1001")
    assert not guard.blocks(THIEF, 301.0)
    assert guard.events() == [Unblocked(THIEF)]
    assert guard.events() == []


def test_an_operator_can_pardon_a_source(guard):
    fail(guard, 10)
    assert guard.unblock(THIEF)
    assert not guard.blocks(THIEF, 0.0)
    assert not guard.unblock(THIEF)


def test_exempt_networks_are_never_slowed_or_blocked():
    guard = Guard(GuardPolicy(exempt=(ip_network("192.0.2.0/24"),)))
    fail(guard, 100, OFFICE)
    assert guard.delay(OFFICE, 0.0) == 0.0
    assert not guard.blocks(OFFICE, 0.0)
    assert all(guard.may_answer(OFFICE, 0.0) for _ in range(10_000))


def test_challenges_are_kept_to_a_rate_after_a_burst(guard):
    assert sum(guard.may_answer(THIEF, 0.0) for _ in range(2000)) == 500
    assert sum(guard.may_answer(THIEF, 1.0) for _ in range(2000)) == 50
    assert guard.may_answer(OFFICE, 1.0)


def test_all_of_an_ipv6_network_of_64_bits_is_one_source(guard):
    fail(guard, 10, "2001:db8::1")
    assert guard.blocks("2001:db8::ffff", 0.0)
    assert not guard.blocks("2001:db8:0:1::1", 0.0)


def ask(guard, times, host=THIEF, now=0.0):
    for _ in range(times):
        guard.asked(host, "100", now)


def test_a_source_that_only_asks_is_ignored_for_a_time(guard):
    ask(guard, 59)
    assert not guard.ignores(THIEF, 0.0)
    ask(guard, 1)
    assert guard.ignores(THIEF, 299.0)
    assert not guard.blocks(THIEF, 0.0)
    assert not guard.ignores(OFFICE, 0.0)
    assert guard.events() == [Ignored(THIEF, 300.0, 60.0, "100")]
    assert not guard.ignores(THIEF, 300.0)
    assert guard.events() == [Unblocked(THIEF)]


def test_questions_are_forgotten_with_time(guard):
    for minute in range(60):
        ask(guard, 2, now=minute * 60.0)
    assert not guard.ignores(THIEF, 3600.0)


def test_nobody_who_proved_themselves_lately_is_ignored_whoever_forges_their_address(guard):
    guard.succeeded(OFFICE, 0.0)
    ask(guard, 5000, OFFICE, now=3000.0)
    assert not guard.ignores(OFFICE, 3000.0)
    assert guard.counts()["strangers"] == 0


def test_whoever_is_ignored_is_heard_again_once_they_prove_themselves(guard):
    ask(guard, 60, OFFICE)
    guard.succeeded(OFFICE, 1.0)
    assert not guard.ignores(OFFICE, 1.0)
    assert guard.events()[-1] == Unblocked(OFFICE)


def test_who_guesses_and_asks_on_instead_of_waiting_is_blocked_at_once(guard):
    fail(guard, 3)
    ask(guard, 59)
    assert not guard.blocks(THIEF, 0.0)
    ask(guard, 1)
    assert guard.blocks(THIEF, 299.0) and not guard.ignores(THIEF, 0.0)
    assert guard.events()[-1] == Blocked(THIEF, 300.0, 3.0, "100", Why.HURRIED)
    assert guard.counts()["strangers"] == 0


def test_who_is_ignored_and_guesses_all_the_same_is_blocked_with_the_guess_that_is_not_free(guard):
    ask(guard, 60)
    fail(guard, 2)
    assert guard.ignores(THIEF, 0.0) and not guard.blocks(THIEF, 0.0)
    fail(guard, 1)
    assert guard.blocks(THIEF, 0.0) and not guard.ignores(THIEF, 0.0)
    assert [each.why for each in guard.sentences(0.0)] == [Why.HURRIED]


def test_mistyped_passwords_and_somebody_who_forges_the_address_do_not_add_up_to_a_block(guard):
    fail(guard, 2, OFFICE)
    ask(guard, 5000, OFFICE)
    assert guard.ignores(OFFICE, 0.0) and not guard.blocks(OFFICE, 0.0)
    other = Guard()
    other.succeeded(OFFICE, 0.0)
    fail(other, 40, OFFICE)
    ask(other, 5000, OFFICE)
    assert not other.blocks(OFFICE, 0.0)


def test_who_is_turned_away_is_listed_until_their_time_is_over(guard):
    fail(guard, 10)
    ask(guard, 60, "198.51.100.1", now=5.0)
    found = guard.sentences(6.0)
    assert [(each.source, each.ignored, each.since, each.until) for each in found] == [
        (THIEF, False, 0.0, 300.0),
        ("198.51.100.1", True, 5.0, 305.0),
    ]
    assert guard.sentences(302.0) == found[1:]
    guard.events()
    guard.expire(302.0)
    assert guard.events() == [Unblocked(THIEF)]
    assert guard.unblock("198.51.100.1") and guard.sentences(302.0) == []


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("not an address", "not an address"),
    ],
)
def test_an_address_is_counted_as_what_one_attacker_owns(host, source):
    assert source_of(host) == source


def test_a_mapped_address_is_within_the_network_of_its_ipv4_self():
    assert within("::ffff:192.0.2.7", (ip_network("192.0.2.0/24"),))
    assert not within("localhost", (ip_network("0.0.0.0/0"),))


def test_a_flood_of_sources_leaves_bounded_tables_and_the_blocked_stay_blocked():
    guard = Guard(GuardPolicy(max_sources=100))
    fail(guard, 10)
    for number in range(5000):
        host = f"10.0.{number >> 8}.{number & 255}"
        guard.may_answer(host, 0.0)
        guard.failed(host, "x", 0.0)
        ask(guard, 60, host)
    assert max(guard.counts().values()) <= 100
    assert guard.blocks(THIEF, 1.0)
