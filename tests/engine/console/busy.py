"""A busy node in memory: what the console looks like with much on it, for its tests and pictures."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engine.after.review import kept
from engine.call_filter import ALL_CALLS, CallFilter
from engine.cluster.sight import NodesView, NodeView
from engine.drill import Ask, Report
from engine.line_views import LineStandView, Standing
from engine.views import (
    AgentView,
    CallView,
    Check,
    Health,
    LegSide,
    LegView,
    QueueView,
    TroubleView,
)
from media.duplex import wav_header
from media.outline import Outline, outline
from tests.engine.api_node import Node
from tests.engine.console.reported import report
from tests.engine.console.samples import entries, said
from tests.engine.hand_samples import Hands
from tests.engine.store_samples import T0, record
from tests.engine.transcript_samples import review

RECORDING, RATE = "2026-01-01/r1-1.wav", 8000
NAMES = "alice bruno chen dalia emre fatima greta hugo ines jonas kenji laila marco nadia omar priya".split()
STATES = (
    "talking talking talking available talking wrap_up paused offered available talking paused logged_out"
).split()
CALLERS = ("+34 612 345 678", "+1 415 555 0134", "+86 138 0013 8000", "+966 50 123 4567", "+49 30 1234567")


def _wave(seconds: int = 30) -> bytes:
    """A recording in which the two speak by turns, as hums."""
    at = np.arange(RATE * seconds) / RATE
    hum = np.sin(2 * np.pi * 220 * at) * (0.4 + 0.3 * np.sin(2 * np.pi * 1.7 * at)) * 20_000
    turn = (at % 8 < 3.5, (at % 8 >= 4) & (at % 8 < 7.5))
    sound = np.stack([hum * turn[1], hum * turn[0]], axis=1).astype("<i2").tobytes()
    return wav_header(RATE, len(sound)) + sound


class BusyNode(Node):
    """hostile: what a caller may call herself."""

    def __init__(self, hostile: str = "") -> None:
        super().__init__()
        self.began = time.time()
        self.team = {name: self._member(place, name) for place, name in enumerate(NAMES)}
        self.live = {call.id: call for call in self._calls(hostile)}
        self.hand = Hands(self.live)
        self.lots = self._queues()
        self.checks = [
            Check(name="media", status=Health.OK),
            Check(name="journal", status=Health.OK),
            Check(name="recorder", status=Health.DEGRADED, detail="the disk of var/recordings is 94 % full"),
        ]
        began = self.live["c4"].since
        self.journal = {"c4": entries("c4", began), "r1": entries("r1", T0, ended=214.0)}
        self.said = {"c4": said("c4")}
        self.finished = [record("r1", T0 + 214.0, recording=RECORDING), record("r2", T0 + 1)]
        self.sounds = {RECORDING: [_wave()]}
        self.transcripts.reviews["r1"] = review("r1")
        self.transcripts.said["r1"] = tuple(kept(said("r1")))
        self.trunks.stands = _stands  # type: ignore[method-assign]
        self.cluster.nodes = _nodes  # type: ignore[method-assign]

    def calls(
        self, wanted: CallFilter = ALL_CALLS, *, after: str = "", limit: int | None = None
    ) -> Sequence[CallView]:
        return [self._sat(each) for each in super().calls(wanted, after=after, limit=limit)]

    def call(self, id: str) -> CallView | None:
        found = self.live.get(id)
        return self._sat(found) if found is not None else None

    def _sat(self, call: CallView) -> CallView:
        return replace(call, supervisors=tuple(self.hand.sitting.get(call.id, ())))

    def outline(self, name: str) -> Outline | None:
        return outline(self.sounds[name], "wav") if name in self.sounds else None

    def queues(self) -> Sequence[QueueView]:
        now = time.time()
        oldest = {}
        for call in self.live.values():
            if call.state in ("queued", "offered"):
                oldest[call.queue] = min(call.since, oldest.get(call.queue, now))
        return [
            replace(
                each,
                waiting=sum(
                    c.queue == each.name and c.state in ("queued", "offered") for c in self.live.values()
                ),
                longest_wait_s=now - oldest.get(each.name, now),
            )
            for each in self.lots
        ]

    def report(self, ask: Ask) -> Report:
        self._ask_store()
        return report(ask, time.time())

    def _member(self, place: int, name: str) -> AgentView:
        queues = (("support", "sales") if place % 3 else ("support",)) if place < 11 else ("billing",)
        state = (
            STATES[place % len(STATES)]
            if place < 12
            else ("talking", "paused", "talking", "available")[place - 12]
        )
        return AgentView(
            name=name,
            state=state,
            since=self.began - 17 * (place + 1) ** 1.7,
            reason={"paused": "lunch"}.get(state, ""),
            registered=name != "ines",
            queues=queues,
            misses=0,
            call=f"c{place}" if state == "talking" else "",
        )

    def _calls(self, hostile: str) -> list[CallView]:
        made = []
        for place, name in enumerate(NAMES):
            if self.team[name].state == "talking":
                made.append(
                    self._call(f"c{place}", CALLERS[place % 5], "talking", name, 40 + 31 * place, place)
                )
        made.append(self._call("c7", CALLERS[2], "offered", "hugo", 34, 1))
        for place, wait in enumerate((212, 148, 97, 61, 22, 9)):
            who = hostile or CALLERS[(place + 1) % 5]
            call = self._call(
                f"w{place}", who if place == 0 else CALLERS[(place + 1) % 5], "queued", "", wait, place
            )
            queue = ("support", "sales", "support", "billing", "support", "arabic")[place]
            made.append(replace(call, queue=queue, waiting_position=1 + place // 3, legs=call.legs[:1]))
        return made

    def _call(self, id: str, who: str, state: str, agent: str, age: float, place: int) -> CallView:
        trouble = TroubleView(
            kind="loss", cause="8 % of the packets from the customer do not arrive", since=self.began
        )
        customer = LegView(
            id=2 * place + 1, side=LegSide.CUSTOMER, remote="192.0.2.7:4000", codec="opus", state="talking",
            loss=0.002, jitter_ms=4.0, mos=4.32, mos_now=4.3, troubles=(trouble,) if place == 4 else (),
            encryption="AES_CM_128_HMAC_SHA1_80",
        )  # fmt: skip
        other = replace(
            customer,
            id=2 * place + 2,
            side=LegSide.AGENT,
            remote="198.51.100.4:5004",
            troubles=(),
            mos_now=4.41,
        )
        return CallView(
            id=id, contact=id, customer=who, number="+498001234",
            market=("es", "us", "cn", "sa", "de")[place % 5],
            region="eu-west", language=("es", "en", "zh", "ar", "de")[place % 5], state=state,
            queue=("support", "sales")[place % 2], agent=agent, since=self.began - age,
            legs=(customer, other),
        )  # fmt: skip

    def _queues(self) -> list[QueueView]:
        rows = (
            ("support", 2, 6, 214, 9, 0.86),
            ("sales", 1, 4, 131, 22, 0.71),
            ("billing", 1, 2, 58, 3, 0.93),
            ("arabic", 0, 0, 12, 9, 0.48),
            ("vip", 1, 0, 17, 0, 1.0),
            ("night desk", 0, 0, 0, 0, None),
        )
        return [
            QueueView(
                name=name, waiting=0, agents_available=free, agents_busy=busy, longest_wait_s=0.0,
                answered=answered, abandoned=abandoned, service_level=level,
            )
            for name, free, busy, answered, abandoned, level in rows
        ]  # fmt: skip


def _nodes() -> NodesView:
    rows = (
        ("dublin-1", "eu-west", "up", True, 212, 0.0),
        ("frankfurt-1", "eu-central", "up", False, 341, 21.0),
        ("virginia-1", "us-east", "up", False, 128, 88.0),
        ("singapore-1", "ap-southeast", "draining", False, 44, 171.0),
        ("sao-paulo-1", "sa-east", "up", False, 77, 190.0),
        ("nairobi-1", "east-africa", "gone", False, 0, None),
        ("lab", "basement", "up", False, 0, 1.0),
    )
    nodes = tuple(
        NodeView(
            name=name, region=region, state=state, here=here, calls=calls, capacity=500, load=calls / 500,
            well=state != "gone", rtt_ms=rtt, sip=(f"sip:{name}.example.com:5061;transport=tls",),
            origin=f"https://{name}.example.com", why="same region; load 42 %" if here else "another region",
        )
        for name, region, state, here, calls, rtt in rows
    )  # fmt: skip
    return NodesView(nodes=nodes, store=True, registered=True)


def _stands() -> Sequence[LineStandView]:
    rows = (
        ("telia-ie", "IE", "eu-west", Standing.FIT, 1.0, 41, 60),
        ("dtag-de", "DE", "eu-central", Standing.FIT, 1.0, 88, 120),
        ("dtag-de-2", "DE", "eu-central", Standing.DOUBTED, 0.8, 12, 60),
        ("verizon-us", "US", "us-east", Standing.FIT, 1.0, 51, 240),
        ("singtel", "SG", "ap-southeast", Standing.RETURNING, 0.25, 3, 30),
        ("stc-sa", "SA", "", Standing.FIT, 1.0, 9, 30),
        ("vivo-br", "BR", "sa-east", Standing.FIT, 1.0, 20, 60),
        ("safaricom", "KE", "east-africa", Standing.DEAD, 0.0, 0, 30),
        ("ims-cn", "CN", "", Standing.INCOMING, 0.0, 6, 0),
    )
    return [
        LineStandView(
            name=name, kind="sip", country=country, region=region, state=state, share=share, active=active,
            channels=channels, probe_number="+441", probe_every_s=900.0,
        )
        for name, country, region, state, share, active, channels in rows
    ]  # fmt: skip
