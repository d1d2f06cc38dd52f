"""One probe's call: dialled, answered, spoken into, listened to, hung up. Blocks the thread that makes it.

What is told as it goes on are words for whoever watches. Nothing raises but what is the probe's own fault
(SoftphoneError); whatever the line does is a result.
"""

from __future__ import annotations

import tempfile
import time
import wave
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.hearing import read_wav
from engine.probe.analysis import analyse
from engine.probe.plan import RATE, Plan
from engine.probe.result import Fault, ProbeResult, Streams
from media import marker
from media.marker import Marked
from sip.pjsip.process import NothingHappened, Softphone

SETTLE_S = 0.4  # from the answer until something is said: some gateways cut through late
DIGIT_S, DIGITS_BACK_S = 0.3, 1.2

Tell = Callable[[str], None]

REFUSALS = {
    0: Fault.UNREACHABLE,
    408: Fault.UNREACHABLE,
    480: Fault.NO_ANSWER,
    486: Fault.BUSY,
    487: Fault.NO_ANSWER,
    503: Fault.UNREACHABLE,
    600: Fault.BUSY,
}


def probe(plan: Plan, phone: Softphone, tell: Tell, *, wall: Callable[[], float] = time.time) -> ProbeResult:
    """What came of it, not judged yet. Raises SoftphoneError where the phone did not do as it was told."""
    said = marker.marked(plan.speech, RATE, plan.speech_s, np.random.default_rng(plan.seed))
    with tempfile.TemporaryDirectory(prefix="isogloss-probe-") as scratch:
        return _Probe(plan, phone, tell, said, Path(scratch), wall()).run()


class _Probe:
    def __init__(
        self, plan: Plan, phone: Softphone, tell: Tell, said: Marked, folder: Path, at: float
    ) -> None:
        self.plan, self.phone, self.tell, self.said = plan, phone, tell, said
        self.speech, self.recording = folder / "said.wav", folder / "heard.wav"
        self.result = ProbeResult(line=plan.line, number=plan.number, at=at, region=plan.region)

    def run(self) -> ProbeResult:
        _write(self.speech, self.said)
        if not self._dial():
            return self.result
        if not self._talk():
            return self.result
        self.tell("listens to what came back")
        heard = analyse(self.said, read_wav(self.recording, RATE), self.plan.listen_s)
        found = replace(self.result, delay=heard.delay, speech=heard.speech)
        return replace(found, fault=heard.fault, detail=heard.detail)

    def _fail(self, fault: Fault, detail: str, **more: Any) -> bool:
        self.result = replace(self.result, fault=fault, detail=detail, **more)
        return False

    # --- until it is answered -----------------------------------------------------------------------

    def _dial(self) -> bool:
        plan, door = self.plan, self.plan.door
        self.tell(f"calls {plan.number} over {plan.line}")
        self.phone.account(
            door.user, door.domain, door.address, password=door.password, transport=door.transport
        )
        asked = self.phone.ask("call", target=plan.number, headers={})
        self.call, began = int(asked["call"]), float(asked["at"])
        deadline = time.monotonic() + plan.ring_s
        while (left := deadline - time.monotonic()) > 0:
            event = self._next(left)
            if event is None:
                break
            if event["event"] == "progress":
                self._rings(event, began)
            elif event["event"] == "answered":
                return self._answered(event, began)
            elif event["event"] == "ended":
                return self._refused(event)
        return self._unanswered()

    def _next(self, left: float) -> dict[str, Any] | None:
        """What is next told of the call; None when nothing is."""
        try:
            return self.phone.expect_any(("progress", "answered", "ended"), left, call=self.call)
        except NothingHappened:
            return None

    def _rings(self, event: dict[str, Any], began: float) -> None:
        if self.result.pdd_s is None:
            self.result = replace(self.result, pdd_s=_since(event, began), status=int(event["status"]))
            self.tell(f"rings after {self.result.pdd_s:.2f} s ({event['status']})")

    def _answered(self, event: dict[str, Any], began: float) -> bool:
        setup = _since(event, began)
        pdd = self.result.pdd_s if self.result.pdd_s is not None else setup
        codec = str(event["codec"])
        self.result = replace(self.result, status=200, pdd_s=pdd, setup_s=setup, codec=codec)
        self.tell(f"is answered after {setup:.2f} s ({codec})")
        return True

    def _refused(self, event: dict[str, Any]) -> bool:
        status = int(event["status"])
        detail = f"{status} {event['reason']}".strip()
        return self._fail(REFUSALS.get(status, Fault.REFUSED), detail, status=status)

    def _unanswered(self) -> bool:
        rang = self.result.pdd_s is not None
        self.phone.hangup(self.call)
        waited = f"in {self.plan.ring_s:.0f} s"
        if rang:
            return self._fail(Fault.NO_ANSWER, f"it rang and nobody answered {waited}")
        return self._fail(Fault.UNREACHABLE, f"no sign of ringing {waited}")

    # --- while it lasts -----------------------------------------------------------------------------

    def _talk(self) -> bool:
        phone, plan = self.phone, self.plan
        try:
            phone.expect("media", 3.0, call=self.call, state="active")
        except NothingHappened:
            return self._fail(Fault.ONE_WAY, "it was answered without sound that could be agreed on")
        if self._over_within(SETTLE_S):
            return self._broken()
        phone.ask("record", call=self.call, file=str(self.recording), sent=True)
        phone.ask("play", call=self.call, file=str(self.speech))
        self.tell(f"speaks for {self.said.seconds:.0f} s, with {len(self.said.at)} marks")
        if self._over_within(self.said.seconds + plan.listen_s):
            return self._broken()
        phone.ask("stop", call=self.call, what="record")
        back = self._press()
        late = float(phone.stats(self.call)["late_ms"])
        ended = phone.hangup(self.call)
        self.result = replace(
            self.result, streams=_streams(ended["stats"]), digits_back=back or None, late_ms=late
        )
        if not self.result.streams.received:
            return self._fail(Fault.ONE_WAY, "not one packet came back")
        return True

    def _over_within(self, seconds: float) -> bool:
        """Let time pass; whether the call ends in it."""
        try:
            ended = self.phone.expect("ended", seconds, call=self.call)
        except NothingHappened:
            return False
        self.result = replace(self.result, streams=_streams(ended["stats"]), status=int(ended["status"]))
        return True

    def _broken(self) -> bool:
        return self._fail(Fault.BROKEN, "the far end hung up while it was being measured")

    def _press(self) -> str:
        """Press digits one by one; those that came back."""
        self.result = replace(self.result, digits_sent=self.plan.digits)
        for digit in self.plan.digits:
            self.phone.ask("dtmf", call=self.call, digits=digit)
            if self._over_within(DIGIT_S):
                break
        if self.plan.digits:
            self.tell(f"presses {self.plan.digits}")
            self._over_within(DIGITS_BACK_S)
        return "".join(str(each["digit"]) for each in self.phone.history if _is_digit(each, self.call))


def _since(event: dict[str, Any], began: float) -> float:
    return round(max(0.0, float(event["at"]) - began), 4)


def _is_digit(event: dict[str, Any], call: int) -> bool:
    return event["event"] == "dtmf" and event.get("call") == call


def _streams(stats: dict[str, Any]) -> Streams:
    sent, remote = int(stats["sent"]), int(stats["remote_lost"])
    expected = max(int(stats["received"]) + int(stats["lost"]), 1)
    return Streams(
        sent=sent,
        received=int(stats["received"]),
        loss=round(int(stats["lost"]) / expected, 5),
        discarded=round(int(stats["discarded"]) / expected, 5),
        remote_loss=round(remote / sent, 5) if sent and stats["rtt_ms"] is not None else None,
        jitter_ms=float(stats["jitter_ms"]),
        rtt_ms=stats["rtt_ms"],
        buffer_ms=float(stats["buffer_ms"]),
    )


def _write(path: Path, said: Marked) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(said.rate)
        file.writeframes(said.sound.astype("<i2").tobytes())
