"""What encryption costs a packet, each suite: rounds of one 20 ms G.711 packet a leg, to and from no socket.

    python -m benchmarks.bench_srtp [--quick] [--legs N]

The floor is libsrtp alone on the same packets, called for one after the other from C. Plain legs are measured
too, with and without an encrypted one beside them. Times are CPU. Prints a line for each suite, then one JSON
object on the last line.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from random import Random
from statistics import median
from time import process_time
from typing import Any

import numpy as np

from benchmarks.bench_calls import commit, machine
from media import libsrtp
from media.columns import I64, U8
from media.libsrtp import SUITES, Context, Rows
from media.messages import Address, Keys
from media.network import Batch, Judge
from media.srtp import SecureNetwork

SIZE = 172  # bytes of a packet: header and 160 samples
SHORT = {
    "AEAD_AES_256_GCM": "gcm256",
    "AEAD_AES_128_GCM": "gcm128",
    "AES_CM_128_HMAC_SHA1_80": "cm80",
    "AES_CM_128_HMAC_SHA1_32": "cm32",
}


class Loop:
    """A network that gives back rounds of packets it was given, and sends nowhere."""

    address, free = "127.0.0.1", 0

    def __init__(self, rounds: U8) -> None:
        self.rounds = rounds
        self.at = 0

    def receive(self, batch: Batch, judge: Judge) -> int:
        packets = self.rounds[self.at]
        self.at += 1
        count, size = packets.shape
        batch.buffer[:count, :size] = packets
        batch.rows[:count] = np.arange(count)
        batch.sizes[:count] = batch.size = size
        return count

    def forward(self, targets: I64, batch: Batch, slots: I64, sizes: I64) -> None: ...

    def open(self, row: int) -> int:
        return row

    def close(self, row: int) -> None: ...

    def aim(self, row: int, address: Address | None) -> None: ...

    def connect(self, row: int, address: Address) -> None: ...

    def disconnect(self, row: int) -> None: ...

    def send(self, rows: list[int], packets: list[memoryview]) -> None: ...

    def receive_reports(self) -> list[tuple[int, bytes, Address]]:
        return []

    def send_report(self, row: int, data: bytes, address: Address) -> None: ...


def nobody(row: int, source: Address, packet: memoryview, size: int) -> bool:
    """No packet here comes from strangers."""
    return False


def spent(work: Callable[[], object], rounds: int, packets: int) -> float:
    """µs of CPU a packet in the median round: others' work on the machine falls on some of them."""
    times = []
    for _ in range(rounds):
        began = process_time()
        work()
        times.append(process_time() - began)
    return median(times) / packets * 1e6


def plain_rounds(rounds: int, legs: int) -> U8:
    """Packets as phones send them, one a leg and round: uint8[rounds, legs, SIZE]."""
    packets = np.zeros((rounds, legs, SIZE), np.uint8)
    words = packets.reshape(rounds, legs, SIZE // 4, 4).view(">u4")[..., 0]
    words[..., 0] = 0x8008_0000 | np.arange(1, rounds + 1)[:, None]
    words[..., 1] = 160 * np.arange(rounds)[:, None]
    words[..., 2] = np.arange(legs) + 0x1000
    return packets


class Bench:
    """Rounds of `legs` packets through libsrtp and through SecureNetwork."""

    def __init__(self, legs: int, rounds: int) -> None:
        self.legs, self.count = legs, rounds
        self.plain = plain_rounds(rounds, legs)
        self.slots = np.arange(legs)
        self.sizes = np.full(legs, SIZE)
        self.rng = Random(3711)

    def secure(self, loop: Loop, keys: list[Keys]) -> SecureNetwork:
        network = SecureNetwork(loop)
        for row in range(self.legs):
            network.open(row)
        for row, key in enumerate(keys):
            network.secure(row, key, 0.0)
        return network

    def floor(self, keys: list[Keys]) -> tuple[float, float, U8]:
        """libsrtp alone: µs to protect and to unprotect, and what came of protecting."""
        out = [Context(key.suite, key.receive, inbound=False) for key in keys]
        into = [Context(key.suite, key.receive, inbound=True) for key in keys]
        batch = Batch(self.legs)
        rows = Rows(batch.buffer)
        wire: list[U8] = []
        there: list[float] = []
        back: list[float] = []
        for packets in self.plain:
            batch.buffer[:, :SIZE] = packets
            rows.lengths[:] = SIZE
            there.append(spent(lambda: libsrtp.protect(out, rows.packets, rows.sizes), 1, self.legs))
            wire.append(batch.buffer[:, : rows.lengths[0]].copy())
            back.append(spent(lambda: libsrtp.unprotect(into, rows.packets, rows.sizes), 1, self.legs))
        return median(there), median(back), np.stack(wire)

    def received(self, rounds: U8, keys: list[Keys]) -> float:
        """µs that a packet more costs than from the loop itself."""
        batch, loop = Batch(self.legs), Loop(rounds)
        bare = spent(lambda: loop.receive(batch, nobody), self.count, self.legs)
        loop.at = 0
        network = self.secure(loop, keys)
        network.receive(batch, nobody)
        network.expire(0.0)
        loop.at = 1
        return spent(lambda: network.receive(batch, nobody), self.count - 1, self.legs) - bare

    def sent(self, keys: list[Keys]) -> float:
        network, batch = self.secure(Loop(self.plain), keys), Batch(self.legs)
        batch.size = SIZE

        def send() -> None:
            batch.words[:, 0] += 1
            network.forward(self.slots, batch, self.slots, self.sizes)

        batch.words[:, 0] = 0x8008_0000
        return spent(send, self.count, self.legs)

    def suite(self, name: str) -> dict[str, float]:
        size = SUITES[name].key + SUITES[name].salt
        keys = [Keys(name, self.rng.randbytes(size), self.rng.randbytes(size)) for _ in range(self.legs)]
        protect, unprotect, wire = self.floor(keys)
        out, into = self.sent(keys), self.received(wire, keys)
        short = SHORT[name]
        print(f"{name:26} protect {out:.2f} µs, of that libsrtp {protect:.2f}; ", end="")
        print(f"unprotect {into:.2f} µs, of that {unprotect:.2f}")
        return {
            f"protect_us_{short}": out,
            f"unprotect_us_{short}": into,
            "x_libsrtp": (out + into) / (protect + unprotect),
        }

    def beside(self) -> dict[str, float]:
        """Plain legs: what a packet of theirs costs more for encryption being there at all, and in use."""
        key = Keys("AEAD_AES_128_GCM", self.rng.randbytes(28), self.rng.randbytes(28))
        other = self.legs  # a leg that is silent in these rounds
        figures = {"plain_us": self.received(self.plain, [])}
        loop, batch = Loop(self.plain), Batch(self.legs)
        bare = spent(lambda: loop.receive(batch, nobody), self.count, self.legs)
        loop.at = 0
        network = self.secure(loop, [])
        network.open(other)
        network.secure(other, key, 0.0)
        figures["plain_beside_us"] = (
            spent(lambda: network.receive(batch, nobody), self.count, self.legs) - bare
        )
        print("plain legs:", *(f"{name} {value:.4f}" for name, value in figures.items()))
        return figures


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_srtp", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under 50 s")
    parser.add_argument("--legs", type=int, default=500)
    options = parser.parse_args()
    bench = Bench(options.legs, 50 if options.quick else 400)
    figures: dict[str, float] = {}
    for name in SUITES:
        found = bench.suite(name)
        figures |= found | {"x_libsrtp": max(found["x_libsrtp"], figures.get("x_libsrtp", 0.0))}
    figures |= bench.beside()
    result: dict[str, Any] = {
        "bench": "srtp",
        "commit": commit(),
        "machine": machine(),
        "figures": {name: round(value, 4) for name, value in figures.items()},
    }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
