"""Sources that are turned away, listed and lifted by hand."""

from __future__ import annotations

import pytest

from engine.insight.sources import SourceView
from tests.engine.command.stand import Served, Shell
from tests.engine.store_samples import T0

NETWORK = "2001:db8:1:2::/64"


def test_they_are_listed_with_what_they_tried(asks: Shell, served: Served) -> None:
    heads, line = asks("blocked").lines
    assert heads.split()[:4] == ["source", "how", "since", "until"]
    assert line.split()[:2] == ["203.0.113.66", "ignored"] and line.split()[-2:] == ["60", "+4930123456"]
    assert asks("blocked", "--json").json["items"][0]["source"] == "203.0.113.66"
    served.node.insight.sources.clear()
    assert asks("blocked").lines == ["no source is turned away"]


def test_a_name_that_was_tried_moves_no_cursor(asks: Shell, served: Served) -> None:
    hostile = SourceView("192.0.2.9", "blocked", T0, T0 + 60.0, 9, "\x1b[2J", "wrong_passwords")
    served.node.insight.sources["192.0.2.9"] = hostile
    assert "\x1b" not in asks("blocked").out


def test_one_is_lifted_by_any_of_its_addresses(asks: Shell, served: Served) -> None:
    said = asks("blocked", "lift", "203.0.113.66")
    assert said.status == 0 and said.lines[0].startswith("203.0.113.66 is answered again.")
    assert not served.node.insight.sources
    again = asks("blocked", "lift", "203.0.113.66")
    assert again.status == 2 and "203.0.113.66" in again.err
    served.node.insight.sources["2001:db8:1:2::"] = SourceView(
        NETWORK, "blocked", T0, T0 + 60.0, 9, "", "wrong_passwords"
    )
    assert asks("blocked", "lift", NETWORK, "--json").json == {"lifted": NETWORK}


@pytest.mark.parametrize("words", [("lift",), ("lift", "nobody"), ("lift", "203.0.113.0/24"), ("lifts",)])
def test_what_is_no_address_is_not_asked_for(asks: Shell, words: tuple[str, ...]) -> None:
    said = asks("blocked", *words)
    assert said.status == 2 and not said.out
