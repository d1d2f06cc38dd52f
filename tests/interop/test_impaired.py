"""Calls over a bad network through a whole node: what is said there is understood at the other end.

The calls are held side by side; a forwarder between the callers and the node loses packets of theirs, seeded,
once the first seconds have come through whole. STOI (Taal et al., 2011) is of pieces of some seconds, each
found again in what the listener recorded.
"""

from __future__ import annotations

import wave
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from scipy.signal import butter, correlate, sosfiltfilt

from benchmarks import hearing
from benchmarks.forwarder import Forwarder, Roughness
from media.columns import I16
from sip.pjsip.process import NothingHappened, Softphone
from tests.interop.baresip import Baresip
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import Node

RATE, WIDE = 8000, 16_000
FRONT = "127.0.7.1"
CLEAN_S, ROUGH_S, PIECE_S = 6.0, 18.0, 2.0  # pieces short enough for no change of delay in most
SPOKEN = 500  # level of a piece in which somebody speaks
UNDERSTOOD = 0.8
MARGIN = 0.06  # what the median of a short run varies by: packets, phones and their clocks are real here
PORTS = 40  # of the node's that are forwarded: a node takes them in their order
BARESIP = "127.0.0.1"  # where its packets come from
NOWHERE = "127.0.7.99"
CALLER, LISTENER, AGENT = "127.0.7.2", "127.0.7.3", "127.0.7.4"


@dataclass(frozen=True)
class Understood:
    """STOI of the pieces that were said before the network got bad, and after."""

    clean: list[float]
    rough: list[float]


@pytest.fixture(scope="module")
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that tells phones the forwarder's address as its own."""
    folder = tmp_path_factory.mktemp("behind")
    yield from serve(Node(folder, prompts_of(request.config.cache), {"external_address": FRONT}))


@pytest.fixture(scope="module")
def forwarder(behind: Node) -> Iterator[Forwarder]:
    low = behind.rtp[0]
    running = Forwarder(FRONT, "127.0.0.1", range(low, low + PORTS), seed=20)
    yield running
    running.close()


@pytest.fixture(scope="module")
def said() -> dict[int, I16]:
    """Speech of several talkers, by rate."""
    seconds = CLEAN_S + ROUGH_S
    try:
        passages = {rate: hearing.passages(rate, seconds=seconds, seed=2) for rate in (RATE, WIDE)}
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return {
        rate: np.concatenate([each.samples for each in some])[: int(seconds * rate)]
        for rate, some in passages.items()
    }


@pytest.fixture(scope="module")
def heard(
    behind: Node, forwarder: Forwarder, said: dict[int, I16], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Understood]:
    """What was understood of the calls, by codec."""
    folder = tmp_path_factory.mktemp("heard")
    file = write(folder / "speech.wav", said[RATE], RATE)
    # where its file ends, baresip ends the call
    padded = write(folder / "padded.wav", np.concatenate([said[WIDE], np.zeros(60 * WIDE, np.int16)]), WIDE)
    with ExitStack() as stack:
        tenant = stack.enter_context(opus_phone(behind, folder))
        customer, anna, ben = (
            stack.enter_context(softphone(behind, account, address))
            for account, address in (("customer", CALLER), ("anna", LISTENER), ("ben", AGENT))
        )
        tenant.dial(f"sip:anna@{behind.domain}")
        listening = answered(anna, folder / "opus.wav")
        tenant.expect("CALL_ESTABLISHED")
        call = customer.call("ben")
        hearing_call = answered(ben, folder / "g711.wav")
        customer.expect("answered", call=call)
        customer.ask("play", call=call, file=str(file))
        tenant.say(padded)
        wait(CLEAN_S, customer)
        forwarder.roughen(BARESIP, Roughness(loss=0.2))
        forwarder.roughen(CALLER, Roughness(loss=0.1))
        customer.expect("played", ROUGH_S + 20, call=call)
        wait(1.0, customer)
        for phone, number in ((anna, listening), (ben, hearing_call)):
            phone.ask("stop", call=number, what="record")
            phone.hangup(number)
    return {name: judge(said[RATE], folder / f"{name}.wav") for name in ("opus", "g711")}


def opus_phone(node: Node, folder: Path) -> Baresip:
    """A phone that says nothing until it is told to: it would begin before the listener records."""
    silence = write(folder / "silence.wav", np.zeros(60 * WIDE, np.int16), WIDE)
    account = {"user": "tenant", "password": node.password("tenant"), "domain": node.domain}
    account |= {"node": node.address(), "codecs": "opus/48000/2"}
    phone = Baresip(folder / "baresip", **account, says=silence, rate=WIDE)
    phone.registered()
    return phone


def softphone(node: Node, account: str, address: str) -> Softphone:
    """A phone that can be reached through the forwarder alone: PJSIP answers where packets come from."""
    phone = Softphone(account, address=address, codecs=["PCMA"], announce=NOWHERE)
    answer = phone.register(account, node.password(account), node.domain, node.address())
    assert answer["event"] == "registered", answer
    return phone


def answered(phone: Softphone, recording: Path) -> int:
    """Take the call that rings, and record what is heard in it."""
    call = phone.incoming(10)
    phone.answer(call)
    phone.expect("media", 10, call=call, state="active")
    phone.ask("record", call=call, file=str(recording))
    return call


def write(path: Path, samples: I16, rate: int) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def judge(speech: I16, recording: Path) -> Understood:
    """How well each piece of the speech is understood where it fits best in the recording.

    That is looked for below 1 kHz, where a codec that codes speech parametrically keeps the form of waves.
    """
    with wave.open(str(recording)) as file:
        got = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    piece = int(PIECE_S * RATE)
    got = np.pad(got, (0, piece))
    low = butter(4, 1000, fs=RATE, output="sos")
    low_speech, low_got = (sosfiltfilt(low, sound.astype(np.float64)) for sound in (speech, got))
    found = Understood([], [])
    for at in range(0, len(speech) - piece + 1, piece):
        part = speech[at : at + piece]
        if hearing.active_level(part.astype(np.float32), RATE) < SPOKEN:
            continue
        begins = int(np.argmax(correlate(low_got, low_speech[at : at + piece], "valid")))
        score = hearing.stoi(part, got[begins : begins + piece], RATE)
        if at + piece <= CLEAN_S * RATE:
            found.clean.append(score)
        elif at >= CLEAN_S * RATE:
            found.rough.append(score)
    return found


def wait(seconds: float, phone: Softphone) -> None:
    """Let the calls go on for so long."""
    with pytest.raises(NothingHappened):
        phone.expect("ended", seconds)


@pytest.mark.parametrize(("codec", "loss"), [("opus", 0.2), ("g711", 0.1)])
def test_speech_is_understood_at_the_loss_that_the_codec_has_to_bear(
    heard: dict[str, Understood], codec: str, loss: float
) -> None:
    found = heard[codec]
    print(f"STOI of {codec}: {median(found.clean):.3f} without loss, {median(found.rough):.3f} at {loss:.0%}")
    assert median(found.clean) > UNDERSTOOD
    assert median(found.rough) >= UNDERSTOOD - MARGIN


def test_the_node_saw_that_loss_and_those_codecs(behind: Node, heard: dict[str, Understood]) -> None:
    opus, g711 = behind.record("anna"), behind.record("ben")
    assert (opus["customer_codec"], opus["agent_codec"]) == ("opus", "PCMA")
    assert (g711["customer_codec"], g711["agent_codec"]) == ("PCMA", "PCMA")
    assert 0.1 < opus["customer_loss"] < 0.25 and 0.04 < g711["customer_loss"] < 0.15
    assert opus["agent_loss"] == g711["agent_loss"] == 0.0
