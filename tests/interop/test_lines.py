"""Calls that go out over lines, and come: a node with real gateways that fail, refuse, count and ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.interop.gateways import Gateway, Lines
from tests.interop.node import LINE
from tests.interop.sipp import Sipp

Call = Callable[..., Sipp]


@pytest.fixture
def call(lines: Lines, tmp_path: Path) -> Call:
    """A caller who comes in over a line of ours and dials a number outside."""

    def run(number: str, scenario: str = "caller", **options: object) -> Sipp:
        given = {"remote": lines.node.address(), "address": LINE, "caller": "+441632960001", **options}
        return Sipp(scenario, tmp_path, number=number, **given)  # type: ignore[arg-type]

    return run


@pytest.fixture(scope="module")
def obeys(lines: Lines) -> Gateway:
    """Does as the number says that is called."""
    return lines.gateway("obeys")


@pytest.fixture(scope="module")
def following(lines: Lines) -> Gateway:
    """Of the line to which calls go that others do not take."""
    return lines.gateway("next", deaf="x")


@pytest.mark.parametrize("ending", ["503", "408", "500", "099"])
def test_a_line_that_refuses_or_says_nothing_loses_the_call_to_the_next(
    call: Call, obeys: Gateway, following: Gateway, ending: str
) -> None:
    number = f"+34910600{ending}"
    with call(number):
        pass
    assert (obeys.numbers.count(number), following.numbers.count(number)) == (1, 1)


@pytest.mark.parametrize("ending", ["404", "486", "603"])
def test_what_the_callee_says_is_passed_on_and_no_other_line_is_asked(
    call: Call, obeys: Gateway, following: Gateway, ending: str
) -> None:
    number = f"+34910600{ending}"
    with call(number, "caller_refused", status=ending):
        pass
    assert number in obeys.numbers and number not in following.numbers


@pytest.mark.parametrize("ending", ["180", "183"])
def test_a_line_that_rang_is_the_last_that_is_asked(
    call: Call, obeys: Gateway, following: Gateway, ending: str
) -> None:
    number = f"+34910600{ending}"
    with call(number, "caller_is_told_more", status="503"):
        pass
    assert number in obeys.numbers and number not in following.numbers
