"""One node for the whole suite, and the peers that talk to it."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sip.pjsip.process import Softphone
from tests.browser.chromium import chromium, tab
from tests.interop import baresip as baresip_peer
from tests.interop import front as kamailio
from tests.interop import redis_server
from tests.interop.gateways import Lines
from tests.interop.long_calls import LongCalls
from tests.interop.node import FAR, LINE, ROOT, FarEnd, Node
from tests.interop.sipp import Sipp

__all__ = ["chromium", "tab"]  # fixtures

Caller = Callable[..., Sipp]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What a test needs and is not installed skips it, with a line that says what to install."""
    missing = {
        "lines": None if shutil.which("sipp") else "sipp is not installed (Debian: sip-tester)",
        "node": None if shutil.which("sipp") else "sipp is not installed (Debian: sip-tester)",
        "phone": None
        if importlib.util.find_spec("pjsua2")
        else "pjsua2 is not installed (pip: pjsua2-python)",
        "baresip": None if baresip_peer.installed() else "baresip is not installed (Debian: baresip-core)",
        "front": None if kamailio.installed() else f"Kamailio is not installed (Debian: {kamailio.PACKAGES})",
        "redis": None if redis_server.installed() else "redis-server is not installed (Debian: redis-server)",
        "speech": None if shutil.which("espeak-ng") else "espeak-ng is not installed",
    }
    items.sort(key=lambda item: "long_calls" in getattr(item, "fixturenames", ()))
    for item in items:
        for fixture, reason in missing.items():
            if reason and fixture in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """The node under test; at the end nothing may be left in it, and its log may hold no fault."""
    yield from serve(Node(tmp_path_factory.mktemp("node"), prompts_of(request.config.cache)))


@pytest.fixture(scope="session")
def lines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    """A node with lines, whose gateways are there once a test has set them up."""
    running = Lines(tmp_path_factory.mktemp("lines"), prompts_of(request.config.cache))
    try:
        yield from serve_lines(running)
    finally:
        running.close()


def serve_lines(running: Lines) -> Iterator[Lines]:
    for _ in serve(running.node):
        yield running


def prompts_of(cache: pytest.Cache) -> Path:
    """Where prompts are kept from run to run."""
    texts = hashlib.sha256((ROOT / "config" / "prompts" / "en.yaml").read_bytes()).hexdigest()[:12]
    return cache.mkdir("interop-prompts") / texts


def serve(running: Node) -> Iterator[Node]:
    """Lend a node, and see how it ends."""
    yield running
    try:
        running.idle()
    finally:
        status = running.close()
    assert status == 0, running.said()
    assert "Traceback" not in running.said(1_000_000)


@pytest.fixture(scope="session")
def long_calls(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LongCalls]:
    """Calls that take a minute, begun by `begin_long_calls` before anything else."""
    calls = LongCalls(node, tmp_path_factory.mktemp("long"))
    yield calls
    calls.close()


@pytest.fixture(scope="session", autouse=True)
def begin_long_calls(request: pytest.FixtureRequest) -> None:
    wanted = [each for each in request.session.items if "long_calls" in getattr(each, "fixturenames", ())]
    if any(not each.get_closest_marker("skip") for each in wanted):
        request.getfixturevalue("long_calls")


@pytest.fixture(autouse=True)
def own_records(request: pytest.FixtureRequest) -> None:
    """A test is told of its own calls only, whatever those before it left unasked."""
    names = set(request.fixturenames) & {"node", "strict"}
    for each in map(request.getfixturevalue, names):
        each.since = 0.0 if "long_calls" in request.fixturenames else time.time()


@pytest.fixture
def caller(node: Node, tmp_path: Path) -> Caller:
    """Run a sipp scenario as a caller on the trusted line."""

    def run(scenario: str, number: str, **options: str | int) -> Sipp:
        transport = "tcp" if options.get("transport") == "t1" else "udp"
        defaults = {
            "remote": node.address(transport),
            "address": LINE,
            "number": number,
            "caller": "+441632960001",
        }
        return Sipp(scenario, tmp_path, **(defaults | options))  # type: ignore[arg-type]

    return run


@pytest.fixture
def far_end(node: Node, tmp_path: Path) -> Callable[..., tuple[Sipp, FarEnd]]:
    """Run a sipp scenario as a far end; the run, and the number that leads to it."""

    def run(scenario: str, transport: str = "udp", **options: str | int) -> tuple[Sipp, FarEnd]:
        end = node.far_end(transport)
        kind = "t1" if transport == "tcp" else "u1"
        sipp = Sipp(scenario, tmp_path, address=FAR, port=end.port, transport=kind, **options)  # type: ignore[arg-type]
        return sipp, end

    return run


@pytest.fixture
def phone(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Softphone]]:
    """Softphones that are switched off when the test is over. As other people's would, they have a processor
    when they want one, whatever else is tested on the machine.
    """
    phones: list[Softphone] = []

    def start(name: str = "phone", **options: object) -> Softphone:
        phones.append(Softphone(name, **({"urgent": True} | options)))  # type: ignore[arg-type]
        return phones[-1]

    yield start
    for each in phones:
        each.close()


@pytest.fixture
def agent(node: Node, phone: Callable[..., Softphone]) -> Callable[..., Softphone]:
    """A softphone registered with an account of the node."""

    return registrar(node, phone)


def registrar(node: Node, phone: Callable[..., Softphone]) -> Callable[..., Softphone]:
    """How softphones register with a node."""

    def register(
        account: str, transport: str = "udp", srtp: str = "disabled", **options: object
    ) -> Softphone:
        registered = phone(account, **options)
        password, address = node.password(account), node.address(transport)
        answer = registered.register(account, password, node.domain, address, transport=transport, srtp=srtp)
        assert answer["event"] == "registered", answer
        return registered

    return register


@pytest.fixture(scope="session")
def speech(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A sentence as an 8 kHz WAV file, spoken by espeak-ng."""
    folder = tmp_path_factory.mktemp("speech")

    def speak(text: str) -> Path:
        path = folder / f"{abs(hash(text))}.wav"
        if not path.exists():
            _speak(text, path)
        return path

    return speak


def _speak(text: str, path: Path) -> None:
    from engine.hearing import read_wav

    loud = path.with_suffix(".22k.wav")
    subprocess.run(["espeak-ng", "-w", str(loud), text], check=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((read_wav(loud, 8000) // 2).tobytes())
