"""What repair is worth to a plain phone: whole calls through a node over a rough network, heard at its end.

    python -m benchmarks.bench_repair [--quick] [--speech FOLDER] [--seed N]

A PJSIP phone speaks to a PJSIP phone through a node; between the speaker and the node is a forwarder that
first leaves packets alone and then delays them by 20 ms on average, exponentially, and loses none or 5 %. The
same in three nodes: one that relays whatever comes, one that repairs everything, and one that is left to its
policy. All calls are held side by side, two over each rough network of each node, for the phase of their
packets to each other's clocks is a matter of chance; a network does the same to its packets in all nodes.
PESQ is of what the listener records once everybody has had time to adapt; delay is how much later that is
than what was heard just before the network got rough, when phones' buffers had come down from what calls
begin with.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import yaml

from benchmarks.bench_calls import commit, machine
from benchmarks.forwarder import Forwarder, Roughness
from benchmarks.hearing import aligned, passages, pesq
from media.columns import I16
from sip.pjsip.process import Softphone

ROOT = Path(__file__).resolve().parent.parent
RATE = 8000
SETTINGS = ("off", "on", "auto")
NETWORKS = {"clean": Roughness(), "jitter20": Roughness(20.0), "jitter20_loss5": Roughness(20.0, 0.05)}
CALLS = ("clean", "jitter20", "jitter20_loss5", "jitter20", "jitter20_loss5")  # of each node
CLEAN_S, ADAPT_S = 12.0, 7.0  # of speech before the network gets rough, and before it counts
CALM_S = 4.0  # of speech before the network gets rough that later delay is compared with
PIECE_S = 8.0  # of speech that is scored as one
READY_S = 60.0


@dataclass(frozen=True)
class Heard:
    """pesq: mean over the pieces. delay_ms: later than just before the network got rough."""

    pesq: float
    delay_ms: float


@dataclass(frozen=True)
class Pair:
    """Two phones and the call between them."""

    mouth: Softphone
    ear: Softphone
    call: int
    recording: Path


@contextmanager
def running_node(setting: str, index: int, folder: Path, seed: int) -> Iterator[tuple[str, Path, Forwarder]]:
    """A node whose network.repair is `setting`, behind a forwarder: SIP address, data, the forwarder."""
    folder.mkdir()
    low = 31000 + 100 * index
    front = f"127.0.1.{index + 1}"
    _write_config(folder / "config", setting, low, front)
    command = [sys.executable, "-m", "engine", "serve", "--json"]
    command += ["--config", str(folder / "config"), "--data", str(folder / "data")]
    with (folder / "node.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log)
    forwarder = None
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise SystemExit(f"the node did not start:\n{(folder / 'node.log').read_text()[-2000:]}")
        media = yaml.safe_load((folder / "config" / "media.yaml").read_text())
        forwarder = Forwarder(front, "127.0.0.1", range(media["port_low"], media["port_high"]), seed)
        yield f"127.0.0.1:{json.loads(line)['sip']['udp']}", folder / "data", forwarder
    finally:
        if forwarder is not None:
            forwarder.close()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _write_config(folder: Path, setting: str, low: int, front: str) -> None:
    shutil.copytree(ROOT / "config", folder, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    count = range(len(CALLS))
    secret = {"password": {"generated": True}}
    media = yaml.safe_load((folder / "media.yaml").read_text())
    media |= {"address": "127.0.0.1", "external_address": front, "port_low": low, "port_high": low + 60}
    media |= {"network": media["network"] | {"repair": setting}, "workers": 1}
    changes: dict[str, dict[str, Any]] = {
        "agents": {
            "agents": {f"ear{n}": secret | {"queues": ["support", "ventas", "zhichi"]} for n in count},
            "users": {f"mouth{n}": secret for n in count},
        },
        "numbers": {"numbers": {f"900{n}": {"agent": f"ear{n}"} for n in count}},
        "node": {"drain_s": 0, "limits": {"max_calls": 10}},
        "sip": {"listen": [{"transport": "udp", "address": "127.0.0.1", "port": free_port()}]},
        "api": {"port": free_port()},
    }
    (folder / "media.yaml").write_text(yaml.safe_dump(media))
    for name, change in changes.items():
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change, allow_unicode=True))


def connect(stack: ExitStack, address: str, data: Path, index: int, pair: int, folder: Path) -> Pair:
    """Register the two phones, call, and let the one record."""
    # The node reaches it through the forwarder alone: PJSIP would answer past it whoever sends directly.
    mouth = stack.enter_context(
        Softphone("mouth", address=host(index, pair), announce="127.0.1.99", codecs=["PCMA"])
    )
    ear = stack.enter_context(Softphone("ear", address=host(index, pair + 100), codecs=["PCMA"]))
    for phone, kind, user in ((mouth, "users", f"mouth{pair}"), (ear, "agents", f"ear{pair}")):
        password = (data / "secrets" / kind / user).read_text().strip()
        if phone.register(user, password, "isogloss.local", address)["event"] != "registered":
            raise SystemExit(f"{user} could not register")
    call = mouth.call(f"900{pair}")
    ringing = ear.incoming(10)
    recording = folder / f"{pair}.wav"
    ear.ask("record", call=ringing, file=str(recording))
    ear.answer(ringing)
    ear.expect("media", 5, call=ringing, state="active")
    return Pair(mouth, ear, call, recording)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def host(index: int, number: int) -> str:
    return f"127.0.{2 + index}.{1 + number}"


def judge(reference: I16, recording: Path) -> Heard:
    """Score what was recorded."""
    with wave.open(str(recording)) as file:
        heard = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    calm, rough = int((CLEAN_S - CALM_S) * RATE), int(CLEAN_S * RATE)
    begin = _late(reference[calm:rough], heard) - calm
    scores, late = [], []
    piece = int(PIECE_S * RATE)
    for at in range(int((CLEAN_S + ADAPT_S) * RATE), len(reference) - piece + 1, piece):
        said = reference[at : at + piece]
        around = heard[max(at + begin - RATE, 0) : at + begin + piece + RATE]
        offset = _late(said, around) - RATE
        late.append(1000.0 * offset / RATE)
        scores.append(pesq(said, aligned(said, around, RATE, 2.5), RATE))
    return Heard(mean(scores), mean(late))


def _late(said: I16, heard: I16) -> int:
    """Samples that `said` begins at in `heard`."""
    size = 1 << (len(said) + len(heard) - 1).bit_length()
    match = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    return int(np.argmax(match[: len(heard)]))


def run(speech: I16, seed: int) -> dict[tuple[str, str], Heard]:
    """All calls; what was heard by setting and network."""
    with tempfile.TemporaryDirectory(prefix="isogloss-repair-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        file = folder / "speech.wav"
        _write(file, speech)
        pairs: dict[tuple[str, int], Pair] = {}
        forwarders = []
        for index, setting in enumerate(SETTINGS):
            node = stack.enter_context(running_node(setting, index, folder / setting, seed))
            forwarders.append(node[2])
            for number in range(len(CALLS)):
                pairs[setting, number] = connect(stack, node[0], node[1], index, number, folder / setting)
        print(f"{len(pairs)} calls are held, {len(speech) / RATE:.0f} s long", flush=True)
        for pair in pairs.values():
            pair.mouth.ask("play", call=pair.call, file=str(file))
        return _listen(pairs, forwarders, speech)


def _listen(
    pairs: dict[tuple[str, int], Pair], forwarders: list[Forwarder], speech: I16
) -> dict[tuple[str, str], Heard]:
    time.sleep(CLEAN_S + 0.5)
    for index, forwarder in enumerate(forwarders):
        for number, network in enumerate(CALLS):
            forwarder.roughen(host(index, number), NETWORKS[network])
    for pair in pairs.values():
        pair.mouth.expect("played", len(speech) / RATE + 20, call=pair.call)
    time.sleep(1.0)
    for pair in pairs.values():
        pair.mouth.hangup(pair.call)
        pair.ear.expect("ended", 10)
    heard = {which: judge(speech, pair.recording) for which, pair in pairs.items()}
    return {
        (setting, network): _mean([heard[setting, i] for i, each in enumerate(CALLS) if each == network])
        for setting in SETTINGS
        for network in NETWORKS
    }


def _mean(heard: list[Heard]) -> Heard:
    return Heard(mean(each.pesq for each in heard), mean(each.delay_ms for each in heard))


def _write(path: Path, samples: I16) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())


def figures_of(heard: dict[tuple[str, str], Heard]) -> dict[str, float]:
    found: dict[str, float] = {}
    for network in NETWORKS:
        relayed, repaired, chosen = (heard[setting, network] for setting in SETTINGS)
        found[f"pesq_{network}"] = chosen.pesq
        found[f"pesq_{network}_relayed"] = relayed.pesq
        found[f"pesq_{network}_repaired"] = repaired.pesq
        found[f"delay_{network}_ms"] = chosen.delay_ms - relayed.delay_ms
    rough = [network for network in NETWORKS if network != "clean"]
    found["added_delay_ms"] = max(found[f"delay_{network}_ms"] for network in rough)
    return {name: round(figure, 3) for name, figure in found.items()}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_repair", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a shorter run, under 60 s")
    parser.add_argument("--speech", help="folder of WAV files to speak")
    parser.add_argument("--seed", type=int, default=0, help="of the rough networks")
    options = parser.parse_args(arguments)
    length = CLEAN_S + ADAPT_S + PIECE_S * (1 if options.quick else 5)
    said = passages(RATE, seconds=length, folder=options.speech)
    speech = np.concatenate([each.samples for each in said])[: int(length * RATE)]
    heard = run(speech, options.seed)
    for (setting, network), each in heard.items():
        print(f"repair {setting:<5} {network:<15} PESQ {each.pesq:.2f}, {each.delay_ms:+.0f} ms")
    print(
        json.dumps(
            {"bench": "repair", "commit": commit(), "machine": machine(), "figures": figures_of(heard)}
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
