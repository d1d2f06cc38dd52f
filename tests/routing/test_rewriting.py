"""Numbers as a line writes them, and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.rewriting import BadPattern, Form, NumberStyle, Rewrite, compiled, readable

LONDON, MADRID = "+442071838750", "+34910601234"


@pytest.mark.parametrize(
    ("form", "home", "abroad"),
    [
        (Form.E164, "+442071838750", "+34910601234"),
        (Form.DIGITS, "442071838750", "34910601234"),
        (Form.DIALLED, "02071838750", "0034910601234"),
        (Form.NATIONAL, "02071838750", "+34910601234"),
    ],
)
def test_a_number_goes_out_in_the_lines_form_and_comes_back(form, home, abroad):
    style = NumberStyle(form, "GB")
    assert (style.outgoing(LONDON), style.outgoing(MADRID)) == (home, abroad)
    assert (style.incoming(home), style.incoming(abroad)) == (LONDON, MADRID)


def test_abroad_is_dialled_as_the_country_of_the_line_dials_it():
    assert NumberStyle(Form.DIALLED, "US").outgoing(LONDON) == "011442071838750"


@pytest.mark.parametrize("text", ["112", "*45", "alice", "", "999"])
def test_what_is_no_telephone_number_has_no_form(text):
    for form in Form:
        assert NumberStyle(form, "GB").outgoing(text) == text


def test_the_first_rule_that_fits_rewrites_the_form():
    rules = (Rewrite("0(20)...", "9{1}"), Rewrite("0...", "none"), Rewrite("00(...)", "011{1}"))
    style = NumberStyle(Form.DIALLED, "GB", rules)
    assert style.outgoing(LONDON) == "920"
    assert style.rule_for(LONDON, outgoing=True) == 0
    assert NumberStyle(Form.DIALLED, "GB", rules[2:]).outgoing(MADRID) == "01134910601234"


def test_rules_come_before_the_form_when_a_number_comes_in():
    style = NumberStyle(Form.E164, "GB", (Rewrite("7(XXXX)", "+44207183{1}"),))
    assert style.incoming("78750") == LONDON
    assert style.rule_for("78750", outgoing=False) == 0
    assert style.rule_for("+442071838750", outgoing=False) is None


@pytest.mark.parametrize(
    ("match", "problem"),
    [
        ("", "not a pattern"),
        ("[0-9]+", "not a pattern"),
        ("...44...", "more than once"),
        ("(44", "do not match"),
        (")44(", "do not match"),
        ("((4)4)", "do not match"),
        ("1" * 200, "not a pattern"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused_with_a_remedy(match, problem):
    with pytest.raises(BadPattern) as caught:
        compiled(match)
    assert problem in caught.value.problem
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (Rewrite("+44(...)", "0{2}"), "means nothing"),
        (Rewrite("+44(...)", "0 {1}"), "cannot be written"),
        (Rewrite("+44{1}", "0"), "not a pattern"),
    ],
)
def test_a_rule_that_cannot_work_says_why(rule, problem):
    assert [problem in each.problem for each in readable(rule)] == [True]
    assert list(readable(Rewrite("+44(...)", "0{1}"))) == []


@given(st.sampled_from([LONDON, MADRID, "+8613800138000", "+12125551212"]), st.sampled_from(Form))
def test_whatever_the_form_the_number_comes_back_as_it_was(number, form):
    style = NumberStyle(form, "GB")
    assert style.incoming(style.outgoing(number)) == number


@settings(max_examples=40)
@given(st.text(max_size=200), st.text(alphabet="0123456789+*#X().{}", max_size=30), st.sampled_from(Form))
def test_no_number_and_no_pattern_breaks_a_line(text, pattern, form):
    if not list(readable(Rewrite(pattern, "1"))):
        style = NumberStyle(form, "GB", (Rewrite(pattern, "1"),))
        assert isinstance(style.outgoing(text), str)
        assert isinstance(style.incoming(text), str)
