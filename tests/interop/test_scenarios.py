"""The sipp scenarios by themselves: a caller's and a far end's talk to each other, without a node in between.

When a scenario fails against the node and passes here, the node is to blame.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.interop.node import FAR, LINE
from tests.interop.sipp import SCENARIOS, Sipp, SippFailed, expand

pytestmark = pytest.mark.skipif(
    shutil.which("sipp") is None, reason="sipp is not installed (Debian: sip-tester)"
)
WRITTEN = sorted(path.stem for path in SCENARIOS.glob("*.xml"))


@pytest.mark.parametrize(
    ("caller", "far"),
    [
        ("caller", "callee"),
        ("caller_is_hung_up", "callee_hangs_up"),
        ("caller_without_offer", "callee"),
        ("caller_cancels", "callee_is_cancelled"),
    ],
)
@pytest.mark.parametrize("transport", ["u1", "t1"])
def test_a_caller_and_a_far_end_understand_each_other(
    tmp_path: Path, caller: str, far: str, transport: str
) -> None:
    callee = Sipp(far, tmp_path, address=FAR, transport=transport)
    with callee, Sipp(caller, tmp_path, remote=callee.contact, address=LINE, transport=transport):
        pass


def test_a_refused_caller_and_a_busy_far_end_understand_each_other(tmp_path: Path) -> None:
    callee = Sipp("callee_refuses", tmp_path, address=FAR, status="486 Busy Here")
    with callee, Sipp("caller_refused", tmp_path, remote=callee.contact, address=LINE, status="486"):
        pass


def test_a_failure_shows_what_went_over_the_wire(tmp_path: Path) -> None:
    callee = Sipp("callee_refuses", tmp_path, address=FAR, status="486 Busy Here")
    with (
        pytest.raises(SippFailed, match="486 Busy Here"),
        callee,
        Sipp("caller", tmp_path, remote=callee.contact, address=LINE),
    ):
        pass


@pytest.mark.parametrize("name", WRITTEN)
def test_no_parameter_of_a_scenario_is_left_open(name: str) -> None:
    text = expand(name, status="200", wait="1000", front="1", seconds="1", talk="1")
    assert "<part" not in text
    assert "%" not in text.replace("%3B", "").replace("%3D", "")


def test_a_parameter_nobody_gave_is_named() -> None:
    with pytest.raises(KeyError, match="status"):
        expand("caller_refused")
