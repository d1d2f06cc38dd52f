"""Whose number a call shows, and whom to believe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from routing.identity import Assert, Caller, CallerId, Divert, Diverted, Show, received, shown
from routing.rewriting import Form, NumberStyle

OWN, OURS, THEIRS = "+442071838750", "+442071838999", "+34910601234"
POLICY = CallerId(number=OWN, listed=("+442071838",))
STYLE = NumberStyle(Form.DIGITS, "GB")


@pytest.mark.parametrize(
    ("show", "caller", "number"),
    [
        (Show.OWN, OURS, OWN),
        (Show.LISTED, OURS, OURS),
        (Show.LISTED, THEIRS, OWN),
        (Show.LISTED, "", OWN),
        (Show.CALLER, THEIRS, THEIRS),
    ],
)
def test_the_policy_says_whose_number_is_shown_in_the_lines_form(show, caller, number):
    found = shown(replace(POLICY, show=show), STYLE, Caller(caller))
    assert (found.user, found.asserted, found.header) == (number[1:], number[1:], Assert.ASSERTED)


def test_nothing_is_listed_where_no_list_is_given():
    assert shown(CallerId(number=OWN), STYLE, Caller(THEIRS)).user == OWN[1:]


def test_a_private_caller_is_asserted_to_the_network_and_anonymous_to_the_callee():
    found = shown(POLICY, STYLE, Caller(OURS, "Alice", private=True))
    assert (found.user, found.name, found.asserted, found.privacy) == ("anonymous", "", OURS[1:], ("id",))


def test_a_from_that_tells_of_a_private_caller_is_for_the_network_to_hide():
    found = shown(replace(POLICY, anonymous_from=False), STYLE, Caller(OURS, private=True))
    assert (found.user, found.privacy) == (OURS[1:], ("user", "id"))


def test_a_private_caller_is_not_told_to_a_line_that_asserts_nothing():
    found = shown(replace(POLICY, asserted=Assert.NONE), STYLE, Caller(OURS, private=True))
    assert (found.user, found.asserted, found.privacy) == ("anonymous", "", ())


def test_an_emergency_call_shows_a_number_that_can_be_called_back():
    found = shown(POLICY, STYLE, Caller(OURS, private=True), emergency=True)
    assert (found.user, found.privacy) == (OURS[1:], ())


def test_a_name_goes_with_the_number_it_belongs_to_or_not_at_all():
    named = replace(POLICY, names=True)
    assert shown(named, STYLE, Caller(OURS, "Alice")).name == "Alice"
    assert shown(named, STYLE, Caller(THEIRS, "Eva")).name == ""
    assert shown(POLICY, STYLE, Caller(OURS, "Alice")).name == ""


@pytest.mark.parametrize(
    ("divert", "diversion", "history"),
    [(Divert.NONE, 0, 0), (Divert.DIVERSION, 1, 0), (Divert.HISTORY, 0, 1), (Divert.BOTH, 1, 1)],
)
def test_who_diverted_a_call_is_told_where_the_line_takes_it(divert, diversion, history):
    found = shown(
        replace(POLICY, diverted=divert), STYLE, Caller(OURS), diverted=(Diverted(OWN, "no-answer"),)
    )
    assert (len(found.diversion), len(found.history)) == (diversion, history)
    assert all(each == Diverted(OWN[1:], "no-answer") for each in (*found.diversion, *found.history))


def test_what_the_network_asserts_counts_where_it_is_trusted_and_not_elsewhere():
    claimed = Caller("447700900000", "Me")
    assert received(POLICY, STYLE, claimed, "34910601234").number == "+447700900000"
    trusted = received(replace(POLICY, trusted=True), STYLE, claimed, "34910601234")
    assert trusted == Caller(THEIRS, "Me")


@pytest.mark.parametrize(("user", "privacy"), [("anonymous", ()), ("447700900000", ("id",)), ("", ())])
def test_a_caller_who_does_not_want_to_be_shown_is_private(user, privacy):
    assert received(POLICY, STYLE, Caller(user), "", privacy).private
