"""Faults planted in calls are named rightly, and calls that went well are told to be fine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.insight.diagnosis import Verdict, diagnose
from engine.insight.facts import Case
from engine.insight.words import LANGUAGES, tell
from tests.engine.insight.clean import CLEAN
from tests.engine.insight.planted import PLANTED, bursts, srtp_refused, talk
from tests.engine.insight.watched import Watched


def proven(case: Case, verdict: Verdict) -> bool:
    """Whether all evidence leads to something that is there."""
    legs = {each.leg: each.samples for each in case.quality}
    events = {entry.seq for entry in case.events}
    there = {
        "message": lambda proof: 0 <= proof.index < len(case.messages),
        "sample": lambda proof: 0 <= proof.index < len(legs[proof.leg]),
        "event": lambda proof: proof.index in events,
    }
    return all(there[proof.kind](proof) for each in verdict.found for proof in each.evidence)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_named_first_and_nothing_else_is_as_sure(name: str, tmp_path: Path) -> None:
    case = PLANTED[name](tmp_path).case()
    verdict = diagnose(case)
    first, *others = verdict.found
    assert first.fault == name
    assert first.sure >= 0.6 and all(each.sure < first.sure for each in others)
    assert proven(case, verdict)
    for language in LANGUAGES:
        told = tell(first, language)
        assert told.sentence and told.remedy and "{" not in told.sentence + told.remedy


@pytest.mark.parametrize(
    ("plant", "fault", "variant"),
    [(bursts, "packet_loss", "bursts"), (srtp_refused, "srtp_mismatch", "ours")],
)
def test_kinds_of_a_fault_are_told_apart(
    plant: Callable[[Path], Watched], fault: str, variant: str, tmp_path: Path
) -> None:
    first = plant(tmp_path).verdict().found[0]
    assert (first.fault, first.variant) == (fault, variant)


@pytest.mark.parametrize("name", CLEAN)
def test_of_a_call_that_went_well_nothing_is_found(name: str, tmp_path: Path) -> None:
    watched = CLEAN[name](tmp_path)
    assert watched.records, "it is over"
    verdict = watched.verdict()
    assert verdict.found == () and verdict.fine
    assert all(each.loss is None or each.loss < 0.02 for each in verdict.figures)


def test_a_call_that_goes_on_is_looked_into_as_well(tmp_path: Path) -> None:
    made, watched, customer = talk(tmp_path)
    made.run(6.0)
    assert watched.verdict().fine and watched.verdict().connected
    customer.speaks = False
    made.run(15.0)
    assert not watched.records
    assert [each.fault for each in watched.verdict().found] == ["one_way_audio"]
