"""Who may probe what now, and what becomes of a probe whose phone fails."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.probe import ProbeSettings
from engine.line_events import LineProbed
from engine.probe.desk import Probes, Probing, Refused
from engine.probe.result import Fault
from engine.probe.ticket import MOST
from sip.pjsip.pool import Pool
from sip.pjsip.process import Softphone
from tests.sim.gateway import Lines
from tests.sim.stage import Stage

GATEWAY = "10.3.0.1"
ECHO, OURS = "+4930999000", "+4930400"

pytest.importorskip("pjsua2", reason="pjsua2 is not installed (pip: pjsua2-python)")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    lines = Lines(stage)
    lines.add("one", GATEWAY, probe=ProbeSettings(number=ECHO))
    lines.add("two", "10.3.0.2", probe=ProbeSettings(number=OURS))
    lines.add("three", "10.3.0.3")
    return stage


@pytest.fixture
def told(stage: Stage) -> list[LineProbed]:
    found: list[LineProbed] = []
    stage.house.switch.observers.append(
        lambda event: found.append(event) if isinstance(event, LineProbed) else None
    )
    return found


@pytest.fixture
def probes(stage: Stage) -> Probes:
    """Of a node whose phones end as soon as they are started."""
    switch = stage.house.switch
    listener = SimpleNamespace(transport="udp", host="127.0.0.1", port=5060)
    engine = SimpleNamespace(
        config=switch.config,
        switch=switch,
        shell=SimpleNamespace(listeners=[listener]),
        clock=lambda: stage.world.now,
    )
    phones = Pool(lambda: Softphone("none", program=(sys.executable, "-c", "")))
    return Probes(engine, phones)  # type: ignore[arg-type]


def over(probes: Probes, *wishes: tuple[str, str]) -> list[Probing]:
    """Begin them at once, and wait until all are over."""

    async def run() -> list[Probing]:
        begun = [probes.begin(line, number, "tests") for line, number in wishes]
        async with asyncio.timeout(20.0):
            while any(each.result is None for each in begun):
                await asyncio.sleep(0)
        return begun

    return asyncio.run(run())


def refusal(probes: Probes, *wishes: tuple[str, str]) -> str:
    with pytest.raises(Refused) as caught:
        over(probes, *wishes)
    return str(caught.value)


def test_a_phone_that_fails_blames_no_line_and_leaves_nothing(
    probes: Probes, stage: Stage, told: list[LineProbed]
) -> None:
    (probing,) = over(probes, ("one", ""))
    assert probing.result is not None and probing.result.fault is Fault.NOT_RUN
    assert (probing.number, probing.by) == (ECHO, "tests")
    assert [(each.line, each.passed, each.fault) for each in told] == [("one", False, "not run")]
    assert len(stage.house.switch.tickets) == 0
    assert probes.known(probing.id) is probing


def test_what_cannot_be_probed_is_refused_with_the_reason(probes: Probes) -> None:
    assert "no calls go out over nowhere" in refusal(probes, ("nowhere", ECHO))
    assert "no calls go out over carrier" in refusal(probes, ("carrier", ECHO))
    assert "calls for help" in refusal(probes, ("one", "112"))
    assert "lines/three.yaml" in refusal(probes, ("three", ""))


def test_a_line_is_probed_once_at_a_time_and_a_number_of_ours_over_one_line(probes: Probes) -> None:
    assert "one is being probed" in refusal(probes, ("one", ""), ("one", "+4930999001"))
    assert f"{OURS} over another line" in refusal(probes, ("two", ""), ("three", OURS))


def test_an_echo_of_the_carriers_may_be_probed_over_several_lines(probes: Probes) -> None:
    assert len(over(probes, ("one", ECHO), ("three", ECHO))) == 2


def test_there_are_never_more_than_there_are_tickets(probes: Probes, stage: Stage) -> None:
    for number in range(MOST):
        assert stage.house.switch.tickets.open(f"other-{number}", "+4930")
    assert "as many lines" in refusal(probes, ("one", ""))
