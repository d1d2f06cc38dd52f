"""What a probe of a line came to: its figures, what is wrong, and the verdict; frozen values with their
units.

Where several things are wrong, `fault` is the one that explains most: a call that was not answered has no
delay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from media import fidelity


class Fault(StrEnum):
    """What is wrong with the line, worst first. NOT_RUN: the probe itself failed, nothing can be said."""

    NOT_RUN = "not run"
    UNREACHABLE = "unreachable"  # nobody said anything
    REFUSED = "refused"  # by a final response
    BUSY = "busy"
    NO_ANSWER = "no answer"
    ONE_WAY = "one-way audio"  # packets go and none come
    SILENCE = "silence"  # packets come with nothing in them
    FOREIGN = "another's sound"  # an announcement, somebody who speaks: not what we said
    BROKEN = "broke off"  # the call ended while it was being measured
    WRONG_CODEC = "wrong codec"
    LOSS = "loss"
    QUALITY = "bad quality"
    DELAY = "delay"
    SLOW = "slow set-up"
    DIGITS = "digits lost"
    CALLER_ID = "caller changed"


LATE_MS = 60.0  # from there on what is heard is this machine, too busy for a phone, and not the line
RANKS: Mapping[Fault, int] = {fault: rank for rank, fault in enumerate(Fault)}
REMEDIES: Mapping[Fault, str] = {
    Fault.NOT_RUN: "see what the message says, and probe again",
    Fault.UNREACHABLE: "see that the addresses of the line are right and that a firewall lets SIP through",
    Fault.REFUSED: "see the status: 401 to 403 speak of password or caller ID, 404 and 484 of the number",
    Fault.BUSY: "probe an echo number, or one of your own that takes several calls",
    Fault.NO_ANSWER: "probe an echo number, or one of your own that leads to {echo: true}",
    Fault.ONE_WAY: "see that external_address is right and that RTP ports are open and not translated",
    Fault.SILENCE: "see that the far end hears us: sound goes into nothing, or a gateway mutes it",
    Fault.FOREIGN: "see that the number leads to an echo: something else was heard",
    Fault.BROKEN: "see whether session timers or a limit of the carrier end calls",
    Fault.WRONG_CODEC: "see `codecs` of the line, and what the carrier was agreed to speak",
    Fault.LOSS: "see whether the way to the carrier is overloaded; ask it for its own figures",
    Fault.QUALITY: "see whether the carrier transcodes, and over how many hops",
    Fault.DELAY: "ask the carrier for a gateway nearer by, or prefer another line in this region",
    Fault.SLOW: "ask the carrier how many others the call passes; prefer another line for this number",
    Fault.DIGITS: "see that the carrier passes telephone-event (RFC 4733), or use SIP INFO",
    Fault.CALLER_ID: "see caller_id of the line, and what the carrier lets us show",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a figure is a fault. delay_ms: there and back, mouth to ear. loss: share of packets."""

    pdd_s: float = 8.0
    delay_ms: float = 800.0
    loss: float = 0.03
    mos: float = 3.0


@dataclass(frozen=True, slots=True)
class Delay:
    """How long our marks were on their way, there and back, mouth to ear, in ms. drift_ms_per_min: how fast
    that changes, None where there were too few to tell. sent, found: marks.
    """

    median_ms: float
    p95_ms: float
    least_ms: float
    drift_ms_per_min: float | None
    sent: int
    found: int


@dataclass(frozen=True, slots=True)
class Streams:
    """What was counted of packets. loss: share of those that should have come; discarded: share that came too
    late for the phone; remote_loss: of ours, as the far end reports (RTCP). rtt_ms: of the network alone,
    None before it was reported. buffer_ms: mean delay of the phone's own jitter buffer.
    """

    sent: int = 0
    received: int = 0
    loss: float = 0.0
    discarded: float = 0.0
    remote_loss: float | None = None
    jitter_ms: float = 0.0
    rtt_ms: float | None = None
    buffer_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who was to be shown as the caller, and who was when the call arrived at a number of ours."""

    asked: str
    arrived: str

    @property
    def kept(self) -> bool:
        return self.asked == self.arrived


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """One probe of a line.

    at: epoch seconds. status: the last SIP status, 0 where there was none. pdd_s: to the first sign of
    ringing, setup_s: to the answer. speech: what came of the speech that was said, None where none came.
    digits_back: those of digits_sent that came back, or arrived at a number of ours; None where that cannot
    be known. more: what is wrong beside `fault`. detail: of the fault, in words.
    """

    line: str
    number: str
    at: float
    region: str = ""
    fault: Fault | None = None
    detail: str = ""
    more: tuple[Fault, ...] = ()
    status: int = 0
    pdd_s: float | None = None
    setup_s: float | None = None
    codec: str = ""
    delay: Delay | None = None
    streams: Streams = field(default_factory=Streams)
    speech: fidelity.Fidelity | None = None
    digits_sent: str = ""
    digits_back: str | None = None
    caller: CallerId | None = None
    late_ms: float = 0.0
    came_back: bool = False  # over a line of ours, to a number of ours

    @property
    def passed(self) -> bool:
        return self.fault is None

    @property
    def remedy(self) -> str:
        return REMEDIES[self.fault] if self.fault is not None else ""

    @property
    def digits(self) -> float | None:
        """Share of the digits that survived, in their order."""
        if self.digits_back is None or not self.digits_sent:
            return None
        return in_order(self.digits_sent, self.digits_back) / len(self.digits_sent)

    def data(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        made = asdict(self)
        made["passed"], made["remedy"], made["digits"] = self.passed, self.remedy, self.digits
        made["measure"] = fidelity.NAME
        return made


def in_order(sent: str, back: str) -> int:
    """How many of the digits sent came in their order: the longest common subsequence."""
    row = [0] * (len(back) + 1)
    for digit in sent:
        before = 0
        for at, other in enumerate(back, 1):
            here = row[at]
            row[at] = before + 1 if digit == other else max(row[at], row[at - 1])
            before = here
    return row[-1]


def shortcomings(
    result: ProbeResult, limits: Limits, codecs: tuple[str, ...] = ()
) -> Iterator[tuple[Fault, str]]:
    """What is wrong with a call that was answered, with the figure. codecs: that were wanted."""
    if codecs and result.codec and result.codec.upper() not in codecs:
        yield Fault.WRONG_CODEC, f"{result.codec}, not {' or '.join(codecs)}"
    loss = max(result.streams.loss, result.streams.remote_loss or 0.0)
    if loss > limits.loss:
        yield Fault.LOSS, f"{loss:.1%} of the packets"
    fair = result.late_ms < LATE_MS
    if fair and result.speech is not None and result.speech.mos < limits.mos:
        yield Fault.QUALITY, f"MOS {result.speech.mos:.2f} ({fidelity.NAME}), under {limits.mos:.2f}"
    if fair and result.delay is not None and result.delay.median_ms > limits.delay_ms:
        yield Fault.DELAY, f"{result.delay.median_ms:.0f} ms there and back, over {limits.delay_ms:.0f}"
    if result.pdd_s is not None and result.pdd_s > limits.pdd_s:
        yield Fault.SLOW, f"{result.pdd_s:.1f} s to ringing, over {limits.pdd_s:.1f}"
    if result.digits is not None and result.digits < 1.0:
        yield Fault.DIGITS, f"{result.digits_back or 'none'} of {result.digits_sent}"
    if result.caller is not None and not result.caller.kept:
        yield Fault.CALLER_ID, f"{result.caller.arrived or 'nobody'} was shown for {result.caller.asked}"


def judged(result: ProbeResult, limits: Limits, codecs: tuple[str, ...] = ()) -> ProbeResult:
    """With all that is wrong, the worst first; what kept it from being measured stays the worst."""
    wrong = sorted(shortcomings(result, limits, codecs), key=lambda each: RANKS[each[0]])
    if result.fault is not None:
        return replace(result, more=tuple(fault for fault, _ in wrong))
    if not wrong:
        return result
    (fault, detail), *rest = wrong
    return replace(result, fault=fault, detail=detail, more=tuple(each for each, _ in rest))
