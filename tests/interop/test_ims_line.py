"""An IP gateway dies, before a call or in the middle of one: a mobile network has it, and both are heard."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.hearing import heard, read_wav
from sip.pjsip.process import NothingHappened, Softphone
from tests.interop.conftest import registrar
from tests.interop.gateways import HOSTS, OWN, Gateway, Lines
from tests.interop.sipp import Sipp
from tests.interop.talker import TELEPHONE, Talker

Speech = Callable[[str], Path]
WORDS = "the parcel will come tomorrow before noon"
MOBILE_WORDS = "good morning this is the mobile network speaking"
GATEWAY_WORDS = "you have reached the gateway in the cellar"


class Agent:
    """A softphone that says something over and over and keeps what it hears."""

    def __init__(self, phone: Softphone, says: Path, folder: Path) -> None:
        self.phone = phone
        self._says = says
        self._recording = folder / "heard.wav"

    def dial(self, number: str) -> None:
        self.call = self.phone.call(number)
        self._talk()

    def answer(self) -> None:
        self.call = self.phone.incoming()
        self.phone.answer(self.call)
        self._talk()

    def _talk(self) -> None:
        self.phone.expect("answered", 8.0, call=self.call)
        self.phone.ask("record", call=self.call, file=str(self._recording))
        self.phone.ask("play", call=self.call, file=str(self._says), loop=True)

    def listens(self, seconds: float) -> None:
        with pytest.raises(NothingHappened):
            self.phone.expect("ended", seconds, call=self.call)

    def hang_up(self) -> None:
        self.phone.hangup(self.call)

    def is_hung_up(self) -> None:
        self.phone.expect("ended", 10.0, call=self.call)

    def heard(self, words: Path) -> bool:
        return bool(heard(read_wav(words, TELEPHONE), read_wav(self._recording, TELEPHONE), TELEPHONE))


@pytest.fixture
def agent(lines: Lines, phone: Callable[..., Softphone], speech: Speech, tmp_path: Path) -> Agent:
    return Agent(registrar(lines.node, phone)("ben"), speech(WORDS), tmp_path)


@pytest.fixture(scope="module")
def talker(lines: Lines, speech: Speech) -> Iterator[Callable[..., Talker]]:
    """Far ends' sound."""
    started: list[Talker] = []

    def start(line: str, codec: str, words: str, aligned: bool = False) -> Talker:
        started.append(Talker(HOSTS[line], codec, read_wav(speech(words), TELEPHONE), aligned))
        return started[-1]

    yield start
    for each in started:
        each.hush()


@pytest.fixture(scope="module")
def voice(talker: Callable[..., Talker]) -> Talker:
    """Whoever is called over the mobile network, which takes the octet-aligned form."""
    return talker("mobile", "AMR-WB", MOBILE_WORDS, aligned=True)


@pytest.fixture(scope="module")
def mobile(lines: Lines, voice: Talker) -> Gateway:
    return lines.gateway("mobile", "mobile", keys={"media": str(voice.port)})


def hears(listener: Talker, words: Path) -> bool:
    return bool(heard(read_wav(words, TELEPHONE), listener.heard(), TELEPHONE))


def records(lines: Lines, number: str) -> list[dict[str, object]]:
    record = lines.node.record(number)
    found = lines.node.get(f"/v1/records?number=%2B{number[1:]}")["items"]
    assert record in found
    return list(found)


def test_a_call_whose_gateway_falls_silent_goes_out_over_the_mobile_network(
    lines: Lines, agent: Agent, mobile: Gateway, voice: Talker, speech: Speech
) -> None:
    voice.forget()
    failing = lines.gateway("failing")
    failing.process.send_signal(signal.SIGSTOP)
    agent.dial("+34910610001")
    agent.listens(3.0)
    agent.hang_up()
    failing.kill()
    request = mobile.received()[-1].request
    assert str(request.uri) == "tel:+34910610001" and b"AMR-WB/16000" in request.body
    assert agent.heard(speech(MOBILE_WORDS)) and hears(voice, speech(WORDS))
    (record,) = records(lines, "+34910610001")
    assert record["reason"] == "completed"


def test_a_live_call_whose_gateway_dies_goes_on_over_the_mobile_network(
    lines: Lines,
    agent: Agent,
    mobile: Gateway,
    voice: Talker,
    talker: Callable[..., Talker],
    speech: Speech,
) -> None:
    other = talker("spoken", "PCMA", GATEWAY_WORDS)
    spoken = lines.gateway("spoken", media=str(other.port))
    before = len(mobile.numbers)
    voice.forget()
    agent.dial("+34910611001")
    agent.listens(3.0)
    assert hears(other, speech(WORDS))
    spoken.process.send_signal(signal.SIGSTOP)
    other.hush()
    lines.busy("mobile", 1)
    agent.listens(3.0)
    agent.hang_up()
    spoken.kill()
    assert mobile.numbers[before:] == ["+34910611001"]
    assert agent.heard(speech(GATEWAY_WORDS))
    assert agent.heard(speech(MOBILE_WORDS)) and hears(voice, speech(WORDS))
    (record,) = records(lines, "+34910611001")
    assert (record["reason"], record["ended_by"]) == ("completed", "customer")


def test_a_call_from_the_mobile_network_rings_once_it_has_its_resources_and_both_are_heard(
    lines: Lines, agent: Agent, talker: Callable[..., Talker], speech: Speech, tmp_path: Path
) -> None:
    voice = talker("mobile", "AMR-WB", MOBILE_WORDS)
    calls = Sipp(
        "mobile_calls",
        tmp_path,
        remote=lines.node.address(),
        address=HOSTS["mobile"],
        number=OWN,
        caller="+34910601234",
        keys={"media": str(voice.port)},
        talk="2800",
    )
    with calls:
        agent.answer()
        agent.is_hung_up()
    assert agent.heard(speech(MOBILE_WORDS)) and hears(voice, speech(WORDS))
    assert "SIP/2.0 180" not in calls.sent().partition("UPDATE sip:")[0]
    assert lines.node.record(OWN)["customer"] == "+34910601234"
