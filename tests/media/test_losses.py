"""How losses lie: counted at once for all legs, as RFC 3611 counts them one by one."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from media import rtp
from media.losses import GMIN, SETTLE, Clusters, Losses, clusters
from media.network import Batch
from media.reception import Reception, accept
from tests.media.stage import packet


class Far:
    """Some legs' streams: packet by packet into reception, looked at every ten."""

    def __init__(self, legs: int = 1, every: int = 10) -> None:
        self.rx, self.losses, self.rows = Reception(legs), Losses(legs), np.arange(legs)
        self.sequence, self.every, self.ssrc = np.full(legs, 65_000), every, 7
        self._batch = Batch(legs)
        self.now = 1.0

    def play(self, *patterns: str) -> None:
        """A pattern for each leg, `.` for a packet that comes and `x` for one that is lost."""
        for i in range(max(map(len, patterns))):
            for row, pattern in enumerate(patterns):
                if i < len(pattern):
                    self.come(row, pattern[i] == ".")
            if i % self.every == self.every - 1:
                self.look()
        self.look()

    def come(self, row: int, arrives: bool, back: int = 0) -> None:
        sequence = int(self.sequence[row]) - back
        self.sequence[row] += back == 0
        self.now += 0.020 * (back == 0)
        if arrives:
            data = packet(sequence, 0, self.ssrc, bytes(160))
            self._batch.views[0][: len(data)] = data
            packets, _ = rtp.parse(self._batch, self._batch.fill([row], [len(data)]))
            accept(self.rx, packets, self.now)

    def look(self) -> None:
        self.losses.look(self.rx, self.rows, np.zeros(len(self.rows), np.int64), 0.2)


def settled(pattern: str) -> str:
    return pattern + "." * SETTLE


def counted(pattern: str) -> tuple[int, Clusters]:
    """The RFC's algorithm, packet by packet."""
    c = dict.fromkeys(("11", "13", "14", "22", "23", "33"), 0)
    passed, cluster, lost = 0, 0, 0
    for sign in pattern:
        if sign == ".":
            passed += 1
            continue
        lost += 1
        if passed >= GMIN or not cluster:
            c["14"] += cluster == 1
            c["13"] += cluster > 1
            c["11"] += passed
            cluster = 1
        else:
            cluster += 1
            c["33"] += passed == 0
            c["23"] += passed > 0
            c["22"] += max(passed - 1, 0)
        passed = 0
    c["13"] += cluster > 1
    c["14"] += cluster == 1
    if passed >= GMIN or not cluster:
        c["11"] += passed
    ends = c["11"] + c["14"]
    density = c["14"] / ends if ends else 0.0
    if not c["13"]:
        return lost, Clusters(0.0, density, 0.0, float(ends))
    p32 = c["23"] / (c["13"] + c["23"] + c["33"])
    p23 = 1.0 if not c["22"] + c["23"] else 1 - c["22"] / (c["22"] + c["23"])
    total = sum(c.values()) + c["13"] + c["23"]
    gap = (ends + c["13"]) / c["13"]
    return lost, Clusters(p23 / (p23 + p32), density, total / c["13"] - gap, gap)


@pytest.mark.parametrize("seed", range(12))
def test_counts_of_many_legs_at_once_are_those_of_the_rfc_one_by_one(seed):
    rng = Random(seed)
    patterns = []
    for _ in range(6):
        bad, signs = False, ["."]
        go, back = rng.uniform(0.0, 0.1), rng.uniform(0.1, 0.9)
        for _ in range(rng.randint(200, 500)):
            bad = rng.random() >= back if bad else rng.random() < go
            signs.append("x" if bad and rng.random() < 0.8 else ".")
        patterns.append("".join(signs) + ".")
    far = Far(len(patterns), every=rng.randint(3, 14))
    far.play(*map(settled, patterns))
    for row, pattern in enumerate(patterns):
        lost, expected = counted(pattern)
        assert int(far.losses.lost[row]) == lost
        assert clusters(far.losses, row) == pytest.approx(expected)


def test_single_losses_far_apart_are_no_burst():
    far = Far()
    far.play(settled((19 * "." + "x") * 10))
    found = clusters(far.losses, 0)
    assert found.burst_density == 0 and found.gap_density == pytest.approx(0.05, abs=0.01)


def test_random_losses_have_a_burst_ratio_of_one_and_runs_more():
    rng, far = Random(4), Far(2)
    runs = "".join(rng.choices(["." * 76, "xxxx"], [1, 1], k=10))
    far.play("".join(rng.choices(".x", [0.9, 0.1], k=600)) + 10 * ".", runs + 10 * ".")
    random, bursts = far.losses.burst_ratio(far.rows)
    assert random == pytest.approx(1.0, abs=0.25) and bursts > 3


def test_a_packet_that_comes_out_of_order_is_not_lost():
    far = Far()
    far.play("...........")
    far.come(0, False)
    for _ in range(4):
        far.come(0, True)
    far.come(0, True, back=5)
    far.play("." * 20)
    assert far.losses.lost[0] == 0 and far.losses.loss(far.rows)[0] == 0


@pytest.mark.parametrize("length", [40, 61, 62, 63, 80, 500, 2500])
def test_an_outage_longer_than_the_window_is_one_run(length):
    far = Far(every=10)
    far.play("." * 40 + "x" * length + "." * 40)
    assert far.losses.lost[0] == length
    assert clusters(far.losses, 0).burst_density == pytest.approx(1.0)
    assert far.losses.burst_ratio(far.rows)[0] > 10


def test_another_stream_begins_with_clean_counts_and_recent_losses_stay():
    far = Far()
    far.play(settled("." * 30 + "xx"))
    far.ssrc = 8
    far.sequence[0] = 100
    far.rx.last[0] = 0.0
    far.play(settled("." * 30))
    assert far.losses.lost[0] == 0 and far.losses.recent_lost[0] > 1


def test_recent_figures_forget():
    far = Far()
    far.play(settled("." * 10 + "x" * 10))
    early = far.losses.loss(far.rows)[0]
    far.play("." * 1500)
    assert early > 0.2 and far.losses.loss(far.rows)[0] < early / 10


def test_late_packets_are_a_share_of_their_own():
    far = Far()
    for late in range(50):
        for _ in range(10):
            far.come(0, True)
        far.losses.look(far.rx, far.rows, np.array([late]), 0.2)
    assert far.losses.discards(far.rows)[0] == pytest.approx(0.1, abs=0.02)
