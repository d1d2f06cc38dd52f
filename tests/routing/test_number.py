"""What a dialled string leads to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.number import (
    AgentTarget,
    Announce,
    Callers,
    Feature,
    FeatureCode,
    NumberPlan,
    QueueTarget,
    Rule,
    UriTarget,
    matches,
    normalise,
)

SUPPORT = QueueTarget("support")
PLAN = NumberPlan(
    region="GB",
    exact={
        "+442071838750": Rule("+442071838750", SUPPORT),
        "support": Rule("support", SUPPORT),
        "1001": Rule("1001", AgentTarget("alice")),
        "112": Rule("112", Announce("goodbye")),
        "*45": Rule("*45", FeatureCode(Feature.LOGIN), Callers.AGENTS),
    },
    prefixes=(
        Rule("+44", UriTarget("sip:{number}@uk.example"), Callers.AGENTS),
        Rule("+4420", UriTarget("sip:{number}@london.example"), Callers.AGENTS),
    ),
    patterns=(
        Rule("10XX", Announce("unknown-number"), Callers.AGENTS),
        Rule("1XXX", Announce("goodbye"), Callers.AGENTS),
    ),
)


@pytest.mark.parametrize(
    "dialled",
    [
        "+442071838750",
        "+44 20 7183 8750",
        "+44-20-7183-8750",
        "+44(20)7183.8750",
        "00442071838750",
        "02071838750",
        "020 7183 8750",
        "+442071838750;phone-context=example.com",
    ],
)
def test_a_number_is_found_however_it_is_written(dialled):
    found = PLAN.find(dialled)
    assert found is not None
    assert (found.destination, found.number) == (SUPPORT, "+442071838750")


def test_a_national_number_is_understood_in_the_country_of_the_line_it_came_in_on():
    assert NumberPlan("ES", PLAN.exact).find("02071838750") is None
    found = NumberPlan("ES", PLAN.exact).find("02071838750", "GB")
    assert found is not None
    assert found.number == "+442071838750"


def test_without_a_country_only_numbers_with_plus_are_understood():
    assert NumberPlan("", PLAN.exact).find("02071838750") is None
    assert NumberPlan("", PLAN.exact).find("+442071838750") is not None


@pytest.mark.parametrize(
    ("dialled", "destination"),
    [
        ("support", SUPPORT),
        ("1001", AgentTarget("alice")),
        ("*45", FeatureCode(Feature.LOGIN)),
        ("112", Announce("goodbye")),
    ],
)
def test_names_extensions_codes_and_short_numbers_are_taken_as_they_are(dialled, destination):
    found = PLAN.find(dialled)
    assert found is not None
    assert (found.destination, found.number) == (destination, dialled)


def test_the_longest_prefix_wins():
    london, elsewhere = PLAN.find("+442079460000"), PLAN.find("+441619460000")
    assert london is not None
    assert elsewhere is not None
    assert london.destination == UriTarget("sip:{number}@london.example")
    assert elsewhere.destination == UriTarget("sip:{number}@uk.example")


def test_the_first_pattern_that_fits_wins_after_all_exact_ones():
    first, second = PLAN.find("1002"), PLAN.find("1102")
    assert first is not None
    assert second is not None
    assert (first.rule.pattern, second.rule.pattern) == ("10XX", "1XXX")


def test_what_leads_out_is_for_agents_alone():
    found = PLAN.find("+441619460000")
    assert found is not None
    assert found.rule.callers is Callers.AGENTS


@pytest.mark.parametrize("dialled", ["", "nobody", "+", "*99", "10", "10011", "+999", "9" * 500, "１００１"])
def test_what_means_nothing_is_not_found(dialled):
    assert PLAN.find(dialled) is None


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("1XX", "123", True),
        ("1XX", "12", False),
        ("1XX", "1234", False),
        ("*X", "*5", True),
        ("X", "a", False),
    ],
)
def test_x_stands_for_one_digit(pattern, text, fits):
    assert matches(pattern, text) is fits


@given(st.text(max_size=200), st.sampled_from(["", "GB", "ES", "CN", "ZZ"]))
def test_no_string_that_anybody_dials_breaks_the_plan(dialled, region):
    found = PLAN.find(dialled, region)
    assert found is None or found.number
    assert isinstance(normalise(dialled, region), str)
