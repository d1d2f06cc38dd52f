"""Lines are probed over real gateways: what was set is what is measured, and what is wrong is told as what it
is.

One node, whose lines lead by way of a forwarder that delays and loses, seeded; all probes are held side by
side.
"""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from benchmarks.forwarder import Forwarder, Roughness
from engine.cli import main
from engine.hearing import read_wav
from engine.probe.call import probe
from engine.probe.plan import Door, Plan
from engine.probe.result import Fault, ProbeResult
from engine.prompts import PromptPack
from sip.pjsip.pool import Pool
from tests.interop.carrier import Carrier, Loop, line_to
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import Node
from tests.interop.sipp import Sipp

OURS, ECHO = "+442071838999", "+442071838000"
SHOWN = "+442071838750"
SEED = 7
DELAY_MS, LOSS = 60.0, 0.05
SPEECH_S, PATIENCE_S = 4.0, 40.0
SIPP, LOOP, NODE = "127.0.7.11", "127.0.7.14", "127.0.0.1"
NETWORKS = {"clean": Roughness(), "slow": Roughness(delay_ms=DELAY_MS), "lossy": Roughness(loss=LOSS)}
FRONTS = {name: f"127.0.7.{number}" for number, name in enumerate(NETWORKS, 2)}


class Echo:
    """A gateway that sends every packet back at once, beyond a network."""

    def __init__(self, folder: Path, front: str, how: Roughness) -> None:
        self.sipp = Sipp("callee_echoes", folder, address=SIPP, echo=True, front=front, timeout=60)
        self.network = Forwarder(front, SIPP, [self.sipp.media_port], SEED)
        self.network.roughen(NODE, how, heard=True)
        if how.delay_ms:
            self.network.roughen(NODE, how)

    def line(self) -> dict[str, Any]:
        return line_to(SIPP, self.sipp.port, sources=[])

    def close(self) -> None:
        self.sipp.kill()
        self.network.close()


@pytest.fixture(scope="module")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """With a line for each network, one that brings calls back, and one that leads nowhere."""
    folder = tmp_path_factory.mktemp("probed")
    with ExitStack() as stack:
        lines: dict[str, Any] = {}
        for name, how in NETWORKS.items():
            echo = Echo(folder, FRONTS[name], how)
            stack.callback(echo.close)
            lines[name] = echo.line()
        loop = stack.enter_context(Loop(LOOP, number=SHOWN))
        lines["loop"] = loop.line(dids={OURS: {"echo": True}})
        lines["dead"] = line_to("127.0.7.98", 9, sources=[])
        for name, line in lines.items():
            number = OURS if name == "loop" else ECHO
            line["probe"] = {"number": number, "speech_s": SPEECH_S, "least_mos": 1.0}
        for running in serve(Node(folder / "node", prompts_of(request.config.cache), lines=lines)):
            loop.to(running.address())
            yield running


def trunk(node: Node, *words: str) -> int:
    """The command line; its exit status."""
    return main(["trunk", *words, "--config", str(node.folder / "config"), "--data", str(node.data)])


@pytest.fixture(scope="module")
def probed(node: Node) -> dict[str, Any]:
    """What a probe of each line came to."""
    begun = {name: node.post(f"/v1/lines/{name}/probes", {}) for name in (*NETWORKS, "loop", "dead")}
    found: dict[str, Any] = {}
    deadline = time.monotonic() + PATIENCE_S
    while begun.keys() - found.keys() and time.monotonic() < deadline:
        for name in begun.keys() - found.keys():
            looked = node.get(f"/v1/lines/{name}/probes/{begun[name]['id']}")
            if looked["result"] is not None:
                found[name] = looked["result"]
        select.select([], [], [], 0.2)
    return found


def test_a_good_line_passes(probed: dict[str, Any]) -> None:
    result = probed["clean"]
    assert result["passed"], result
    assert result["delay"]["found"] == result["delay"]["sent"]
    assert result["speech"]["gain_db"] == pytest.approx(0.0, abs=1.0) and result["measure"] == "bark"
    assert result["streams"]["loss"] < 0.01
    assert 0.2 < result["setup_s"] < 2.0 and result["pdd_s"] < result["setup_s"]


def test_the_delay_of_the_network_is_measured_to_ten_milliseconds(probed: dict[str, Any]) -> None:
    slow, clean = (probed[name]["delay"]["least_ms"] for name in ("slow", "clean"))
    assert slow - clean == pytest.approx(2 * DELAY_MS, abs=10.0)


def test_lost_packets_are_counted_and_heard(probed: dict[str, Any]) -> None:
    result = probed["lossy"]
    assert result["fault"] == Fault.LOSS, result
    assert result["streams"]["loss"] == pytest.approx(LOSS, abs=0.03)
    assert result["speech"]["mos"] < 4.0


def test_a_call_that_comes_back_shows_who_called_and_what_was_pressed(
    probed: dict[str, Any],
) -> None:
    result = probed["loop"]
    assert result["came_back"] and result["passed"], result
    assert result["caller"] == {"asked": SHOWN, "arrived": SHOWN}
    assert result["digits"] == 1.0


def test_a_line_that_nobody_answers_at_is_unreachable(probed: dict[str, Any]) -> None:
    assert probed["dead"]["fault"] == Fault.UNREACHABLE, probed["dead"]


def test_the_report_has_what_was_probed_and_puts_the_worst_first(probed: dict[str, Any], node: Node) -> None:
    told = node.get("/v1/lines/report?hours=2")["lines"]
    lines = {line["line"]: line for line in told}
    assert {name: lines[name]["figures"]["probes"] for name in probed} == dict.fromkeys(probed, 1)
    assert lines["clean"]["figures"]["calls"] == lines["clean"]["figures"]["probes_passed"] == 1
    assert lines["loop"]["figures"]["calls"] == 2  # out, and in again
    kinds = {name: {reason["kind"] for reason in lines[name]["reasons"]} for name in probed}
    assert "probes" in kinds["dead"] & kinds["lossy"] and "loss" in kinds["lossy"]
    assert (told[0]["level"], told[-1]["line"]) == ("bad", "lab")  # which did nothing


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("test", "nowhere"), "nowhere"),
        (("test", "clean", "999"), "calls for help"),
        (("test", "lab"), "no calls go out"),
    ],
)
def test_what_must_not_be_probed_is_refused(
    node: Node, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], why: str
) -> None:
    assert trunk(node, *words) == 2
    assert why in capsys.readouterr().err


def test_the_command_line_tells_the_verdict_by_its_exit_status(
    probed: dict[str, Any], node: Node, capsys: pytest.CaptureFixture[str]
) -> None:
    assert trunk(node, "test", "dead") == 1
    assert "failed: unreachable" in capsys.readouterr().out
    assert trunk(node, "report", "--by", "hour") == 0
    assert "clean" in capsys.readouterr().out


# --- without a node: what a gateway may do ------------------------------------------------------------


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, ProbeResult]:
    """Of one probe of each such gateway."""
    pack = PromptPack.load(prompts_of(request.config.cache))
    speech = read_wav(pack.path("en", "welcome-support"), 8000)
    other = str(pack.path("en", "overloaded"))
    manners: dict[str, dict[str, Any]] = {
        "echoes": {"answer_after": 0.1, "echo": True},
        "says nothing": {"answer_after": 0.1},
        "says something else": {"answer_after": 0.1, "play": other},
        "is busy": {"reject": 486},
        "refuses": {"reject": 403},
        "only rings": {},
    }
    pool = Pool(most=len(manners))

    def one(manner: dict[str, Any]) -> ProbeResult:
        with Carrier("127.0.0.1", **manner) as carrier, pool.phone() as phone:
            door = Door(carrier.sip, "carrier.example", "probe")
            plan = Plan("line", ECHO, door, speech, speech_s=3.0, digits="", ring_s=2.0, listen_s=1.0)
            return probe(plan, phone, lambda words: None)

    with ThreadPoolExecutor(len(manners)) as threads:
        return dict(zip(manners, threads.map(one, manners.values())))


@pytest.mark.parametrize(
    ("manner", "fault", "status"),
    [
        ("echoes", None, 200),
        ("says nothing", Fault.SILENCE, 200),
        ("says something else", Fault.FOREIGN, 200),
        ("is busy", Fault.BUSY, 486),
        ("refuses", Fault.REFUSED, 403),
        ("only rings", Fault.NO_ANSWER, 180),
    ],
)
def test_what_a_gateway_does_is_told(
    results: dict[str, ProbeResult], manner: str, fault: Fault | None, status: int
) -> None:
    found = results[manner]
    assert (found.fault, found.status) == (fault, status), found.detail
    assert (found.delay is not None) == (fault is None)
