"""Calls over a bad network through a whole node: what is said there is understood at the other end.

The calls are held side by side; a forwarder between the callers and the node loses packets of theirs, seeded,
once the first seconds have come through whole. STOI (Taal et al., 2011) is of all that was said from then on,
pauses and all, found again in what the listener recorded wherever play-out has put it.

Listeners are PJSIP softphones, as is the caller in G.711. PJSIP as it is installed here (pjsua2 from PyPI)
has no Opus, so the caller in Opus is baresip.
"""

from __future__ import annotations

import wave
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfiltfilt, welch

from benchmarks import hearing
from benchmarks.forwarder import Forwarder, Roughness, Way
from media.codecs import opus
from media.columns import I16, I64
from media.network import HEADER
from sip.pjsip.process import NothingHappened, Softphone
from tests.interop.baresip import Baresip
from tests.interop.conftest import prompts_of, serve
from tests.interop.node import Node

RATE, WIDE = 8000, 16_000
FRONT = "127.0.7.1"
CLEAN_S, ROUGH_S = 6.0, 18.0
LATEST_S, SLACK_S = 0.8, 0.1  # play-out with its changes, and what is looked at before where it began
PIECE_S = 2.0  # of speech whose bands' levels are compared
BANDS = ((300, 600), (600, 1200), (1200, 2400), (2400, 3400))  # Hz
SEED = 20
UNDERSTOOD = 0.8
PORTS = 40  # of the node's that are forwarded: a node takes them in their order
BARESIP = "127.0.0.1"  # where its packets come from
NOWHERE = "127.0.7.99"
CALLER, LISTENER, AGENT = "127.0.7.2", "127.0.7.3", "127.0.7.4"
LOSS = {"opus": 0.2, "g711": 0.1}
LAST_S = 4.0  # of the speech in which the node has heard twice how much is lost: reports come every 5 s
LATER_MS = 100.0
ALIKE_CLEAN, ALIKE_ROUGH = 0.9, 0.8


@dataclass(frozen=True)
class Part:
    """What became of a part of what was said. stoi: how well it is understood. alike: correlation with it
    between 200 and 1,000 Hz. levels: of its bands as heard, dB more than as said. late_ms: of most of it.
    """

    stoi: float
    alike: float
    levels: list[float]
    late_ms: float


@dataclass(frozen=True)
class Heard:
    """Before the network got bad, and after."""

    clean: Part
    rough: Part


@dataclass
class Watch:
    """Newest payloads that came by the forwarder since it was last looked at, by way."""

    seen: dict[Way, deque[bytes]] = field(default_factory=lambda: defaultdict(lambda: deque(maxlen=4000)))

    def __call__(self, way: Way, packet: bytes) -> None:
        self.seen[way].append(packet[HEADER:])


@dataclass(frozen=True)
class Calls:
    """What was heard, by codec; what the node sent to the caller in Opus before its network got bad, and when
    that had been reported twice.
    """

    heard: dict[str, Heard]
    before: list[bytes] = field(repr=False)
    after: list[bytes] = field(repr=False)


@pytest.fixture(scope="module")
def behind(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node that tells phones the forwarder's address as its own."""
    folder = tmp_path_factory.mktemp("behind")
    yield from serve(Node(folder, prompts_of(request.config.cache), {"external_address": FRONT}))


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


@pytest.fixture(scope="module")
def forwarder(behind: Node, watch: Watch) -> Iterator[Forwarder]:
    low = behind.rtp[0]
    running = Forwarder(FRONT, "127.0.0.1", range(low, low + PORTS), SEED, watch)
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
def calls(
    behind: Node,
    forwarder: Forwarder,
    watch: Watch,
    said: dict[int, I16],
    tmp_path_factory: pytest.TempPathFactory,
) -> Calls:
    """One call in Opus and one in G.711, both callers behind networks that get bad; in Opus both ways."""
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
        for phone, number in ((customer, call), (anna, listening)):
            phone.ask("play", call=number, file=str(file))
        tenant.say(padded)
        wait(CLEAN_S, customer)
        before = taken(watch)
        forwarder.roughen(BARESIP, Roughness(loss=LOSS["opus"]))
        forwarder.roughen(BARESIP, Roughness(loss=LOSS["opus"]), heard=True)
        forwarder.roughen(CALLER, Roughness(loss=LOSS["g711"]))
        wait(ROUGH_S - LAST_S, customer)
        taken(watch)
        customer.expect("played", LAST_S + 20, call=call)
        after = taken(watch)
        wait(1.0, customer)
        for phone, number in ((anna, listening), (ben, hearing_call)):
            phone.ask("stop", call=number, what="record")
            phone.hangup(number)
    heard = {name: judge(said[RATE], folder / f"{name}.wav") for name in LOSS}
    return Calls(heard, before, after)


def taken(watch: Watch) -> list[bytes]:
    """What was sent to the caller in Opus since this was asked last."""
    return list(watch.seen.pop((BARESIP, True), ()))


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


def judge(speech: I16, recording: Path) -> Heard:
    """Find the speech in the recording, and compare."""
    with wave.open(str(recording)) as file:
        got = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    calm, length = int(CLEAN_S * RATE), len(speech)
    size = 1 << (len(got) + calm).bit_length()
    match = np.fft.irfft(np.fft.rfft(got, size) * np.conj(np.fft.rfft(speech[:calm], size)))
    begin = max(int(np.argmax(match[: len(got)])) - int(SLACK_S * RATE), 0)
    got = np.pad(got[begin:], (0, length))
    late = hearing.lateness(speech, got, RATE, int(LATEST_S * RATE))
    heard = hearing.placed(got, late, RATE, length, speech)
    turn = int(CLEAN_S / hearing.STEP)
    return Heard(
        compare(speech[:calm], heard[:calm], late[:turn]), compare(speech[calm:], heard[calm:], late[turn:])
    )


def compare(speech: I16, heard: I16, late: I64) -> Part:
    form = butter(4, hearing.FORM_HZ, "bandpass", fs=RATE, output="sos")
    said, got = (sosfiltfilt(form, sound.astype(np.float64)) for sound in (speech, heard))
    return Part(
        hearing.stoi(speech, heard, RATE),
        float(np.corrcoef(said, got)[0, 1]),
        levels(speech, heard),
        1000.0 * float(np.median(late)) / RATE,
    )


def levels(speech: I16, heard: I16) -> list[float]:
    """Mean over pieces of how much louder each of BANDS is heard than it was said, dB."""
    piece = int(PIECE_S * RATE)
    more = []
    for at in range(0, len(speech) - piece + 1, piece):
        hertz, said = welch(speech[at : at + piece].astype(np.float64), RATE, nperseg=512)
        _, got = welch(heard[at : at + piece].astype(np.float64), RATE, nperseg=512)
        inside = [(hertz >= low) & (hertz < high) for low, high in BANDS]
        more.append([10 * np.log10(got[band].sum() / said[band].sum()) for band in inside])
    return [round(float(each), 2) for each in np.mean(more, axis=0)]


def wait(seconds: float, phone: Softphone) -> None:
    """Let the calls go on for so long."""
    with pytest.raises(NothingHappened):
        phone.expect("ended", seconds)


def copies(sent: list[bytes]) -> float:
    """Share of packets with sound that carry a copy of the one before."""
    sound = [payload for payload in sent if len(payload) > 2]
    return sum(opus.has_copy(payload) for payload in sound) / len(sound)


@pytest.mark.parametrize("codec", LOSS)
def test_speech_is_understood_at_the_loss_that_the_codec_has_to_bear(calls: Calls, codec: str) -> None:
    clean, rough = calls.heard[codec].clean, calls.heard[codec].rough
    print(f"STOI of {codec}: {clean.stoi:.3f} without loss, {rough.stoi:.3f} at {LOSS[codec]:.0%}")
    assert clean.stoi > UNDERSTOOD
    assert rough.stoi >= UNDERSTOOD


@pytest.mark.parametrize(("codec", "most_db"), [("opus", 3.0), ("g711", 1.0)])
def test_every_band_of_speech_keeps_its_level(calls: Calls, codec: str, most_db: float) -> None:
    clean, rough = calls.heard[codec].clean, calls.heard[codec].rough
    print(f"levels of {codec}, dB: {clean.levels} without loss, {rough.levels} at {LOSS[codec]:.0%}")
    assert max(map(abs, clean.levels + rough.levels)) <= most_db


@pytest.mark.parametrize("more_ms", [20, -20])
def test_a_packet_that_a_listener_plays_twice_or_leaves_out_is_no_unlikeness(
    said: dict[int, I16], more_ms: int
) -> None:
    """Of the measure: a slip of PJSIP's own buffer took up to 0.07 of the likeness of six seconds."""
    speech, more = said[RATE][: int(CLEAN_S * RATE)], more_ms * RATE // 1000
    loudest = int(np.argmax(np.abs(speech.astype(np.int32))))
    slipped = np.concatenate([speech[:loudest], speech[loudest - more :], np.zeros(RATE, np.int16)])
    heard = np.pad(slipped, (int(SLACK_S * RATE), int(LATEST_S * RATE)))
    late = hearing.lateness(speech, heard, RATE, int(LATEST_S * RATE))
    coarse, fine = (
        compare(speech, hearing.placed(heard, late, RATE, len(speech), reference), late).alike
        for reference in (None, speech)
    )
    assert fine > 0.97 and fine >= coarse


@pytest.mark.parametrize("codec", LOSS)
def test_what_is_heard_correlates_with_what_was_said_and_is_little_later(calls: Calls, codec: str) -> None:
    clean, rough = calls.heard[codec].clean, calls.heard[codec].rough
    later = rough.late_ms - clean.late_ms
    print(f"likeness of {codec}: {clean.alike:.3f} without loss, {rough.alike:.3f} with, {later:+.0f} ms")
    assert clean.alike >= ALIKE_CLEAN and rough.alike >= ALIKE_ROUGH
    assert later <= LATER_MS


def test_the_node_puts_copies_into_what_it_sends_where_the_far_end_reports_loss(calls: Calls) -> None:
    print(f"copies in {copies(calls.before):.0%} of packets before, in {copies(calls.after):.0%} after")
    assert copies(calls.after) > 0.5 > copies(calls.before)


def test_the_node_saw_that_loss_and_those_codecs(behind: Node, calls: Calls) -> None:
    in_opus, g711 = behind.record("anna"), behind.record("ben")
    assert (in_opus["customer_codec"], in_opus["agent_codec"]) == ("opus", "PCMA")
    assert (g711["customer_codec"], g711["agent_codec"]) == ("PCMA", "PCMA")
    assert 0.1 < in_opus["customer_loss"] < 0.25 and 0.04 < g711["customer_loss"] < 0.15
    assert in_opus["agent_loss"] == g711["agent_loss"] == 0.0
