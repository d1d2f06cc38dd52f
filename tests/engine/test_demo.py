"""The demo's story: told as it happens, or kept for whoever reads JSON. The demo itself: `make demo`."""

from __future__ import annotations

import pytest

from engine.demo import Story


@pytest.mark.parametrize("quiet", [False, True])
def test_a_story_keeps_what_was_checked(quiet: bool, capsys: pytest.CaptureFixture[str]) -> None:
    story = Story(quiet)
    story.tell("bob", "answers")
    story.check("bob heard the customer", True, "MOS 4.2")
    story.check("the record is right", False)
    assert story.faults == ["the record is right"]
    assert story.checks[0] == {"claim": "bob heard the customer", "held": True, "figure": "MOS 4.2"}
    assert ("✗ the record is right" in capsys.readouterr().out) is not quiet
