"""A line dies under load: what callers notice, and what becomes of those who talk.

    python -m benchmarks.bench_failover [--quick]

Calls go to a node with two lines of which the first is preferred; its gateway ceases to listen, swallows
everything, refuses everything, or answers and sends no sound, and returns. Then calls with sound talk over
the first line, and it freezes. Kamailio's dispatcher with its documented defaults takes the same load where
it is installed.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from benchmarks.bench_calls import commit, machine
from benchmarks.kamailio_dispatcher import dispatcher, installed
from benchmarks.line_bed import CALLERS, SOUND, Bed, Gateway, line_bed, proxy_bed
from benchmarks.murmurs import Murmurs
from benchmarks.sip_tap import Seen
from benchmarks.sound_ends import SoundEnds

RATE = 50
TALK_MS = 400
RESCUED = 20  # calls with sound
ROUTING = {"health": {"return_s": 10.0}}

Fault = tuple[Callable[[Gateway], None], Callable[[Gateway], None]]
FAULTS: Mapping[str, Fault] = {
    "process": (lambda gateway: gateway.tap.shut(), lambda gateway: gateway.tap.open()),
    "blackhole": (
        lambda gateway: setattr(gateway.tap, "mode", "drop"),
        lambda gateway: setattr(gateway.tap, "mode", "pass"),
    ),
    "503": (lambda gateway: gateway.leads("gateway_refuses"), lambda gateway: gateway.leads()),
    "mute": (lambda gateway: gateway.leads("gateway_mute"), lambda gateway: gateway.leads()),
}
HEARD_MS = 6000  # calls that are long enough to tell that nothing is heard


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds: before the fault, while it lasts, after it."""

    before: float
    during: float
    after: float

    @property
    def whole(self) -> float:
        return self.before + self.during + self.after


@dataclass(frozen=True, slots=True)
class Outcome:
    """added_s: post-dial delay beyond the usual, of calls that the fault met, sorted. stop_s: from the fault
    to the last call that was sent to the dead gateway; return_s: from its return to the first. The rest are
    counts of calls; unheard, where they had sound, those that were answered and heard none.
    """

    calls: int
    met: int
    added_s: tuple[float, ...]
    lost: int
    wrong_retries: int
    double_rings: int
    stop_s: float
    return_s: float | None
    unheard: int = 0

    def p(self, share: float) -> float:
        return self.added_s[int(share * (len(self.added_s) - 1))] if self.added_s else 0.0

    def __str__(self) -> str:
        returned = "did not return" if self.return_s is None else f"back after {self.return_s:.1f} s"
        return (
            f"{self.calls} calls, {self.met} met the fault: +{1000 * self.p(0.5):.0f} ms p50, "
            f"+{1000 * self.p(0.95):.0f} ms p95; {self.lost} lost, {self.wrong_retries} wrong retries, "
            f"{self.double_rings} double rings; used for {self.stop_s:.1f} s more, {returned}"
            + (f"; {self.unheard} answered and unheard" if self.unheard else "")
        )


def unheard(bed: Bed, span: Span) -> Outcome:
    """Calls with sound while the first gateway answers and sends none, and until it does again."""
    talk_s = HEARD_MS / 1000
    with Murmurs((CALLERS, SOUND), bed.callers.seen, talk_s) as murmurs:
        outcome = load(bed, FAULTS["mute"], span, HEARD_MS, murmurs.speak)
        answered = [number for number, seen in bed.callers.calls() if seen.answered is not None]
        return replace(outcome, unheard=sum(not murmurs.heard(number) for number in answered))


def load(
    bed: Bed,
    fault: Fault,
    span: Span,
    talk_ms: int = TALK_MS,
    begun: Callable[[list[bytes]], None] = lambda numbers: None,
) -> Outcome:
    """Calls while the first gateway breaks and returns. begun: is told their numbers."""
    broken = bed.gateways[0]
    with bed.calls(RATE, span.whole, talk_ms) as numbers:
        begun(numbers)
        time.sleep(span.before)
        broke = time.monotonic()
        fault[0](broken)
        time.sleep(span.during)
        mended = time.monotonic()
        fault[1](broken)
        time.sleep(span.after)
    return judged(bed, numbers, broke, mended)


def judged(bed: Bed, numbers: list[bytes], broke: float, mended: float) -> Outcome:
    """What became of the calls, as the taps saw it."""
    callers = bed.callers.seen
    first, second = (gateway.tap.seen for gateway in bed.gateways)
    delays = {number: _delay(callers[number]) for number in numbers}
    usual = sorted(
        delay
        for number, delay in delays.items()
        if delay is not None and (callers[number].invited or 0) < broke - 1.0
    )
    middle = usual[len(usual) // 2]
    slow = usual[int(0.95 * len(usual))]
    met = [number for number in numbers if _met(callers[number], first[number], broke, mended)]
    if not met:  # nobody listened who could have seen them
        met = [n for n in numbers if broke <= (callers[n].invited or 0) < mended and (delays[n] or 9) > slow]
    added = sorted(max(0.0, delay - middle) for number in met if (delay := delays[number]) is not None)
    to_first = [seen.invited for number in numbers if (seen := first[number]).invited is not None]
    during = [when for when in to_first if broke <= when < mended]
    after = [when for when in to_first if when >= mended]
    return Outcome(
        calls=len(numbers),
        met=len(met),
        added_s=tuple(added),
        lost=sum(not _well(callers[number], number) for number in numbers),
        wrong_retries=sum(_retried(first[number], second[number]) for number in numbers),
        double_rings=sum(first[n].rang is not None and second[n].rang is not None for n in numbers),
        stop_s=max([*during, *(callers[n].invited or 0.0 for n in met), broke]) - broke,
        return_s=min(after) - mended if after else None,
    )


def _delay(seen: Seen) -> float | None:
    """Post-dial delay of a call that rang."""
    rang = seen.rang or seen.answered
    return rang - seen.invited if rang is not None and seen.invited is not None else None


def _met(seen: Seen, first: Seen, broke: float, mended: float) -> bool:
    """Whether it was sent to the gateway when that was broken, or had not rung yet when it broke."""
    sent, settled = first.invited, seen.rang or seen.answered or seen.refused
    return sent is not None and sent < mended and (sent >= broke or settled is None or settled > broke)


def _well(seen: Seen, number: bytes) -> bool:
    """It was answered; or busy, as the callee was."""
    return seen.statuses == [486] if number.endswith(b"9") else seen.answered is not None


def _retried(first: Seen, second: Seen) -> bool:
    """It was sent to the second gateway although the first had rung, or had said that the callee is busy."""
    if second.invited is None:
        return False
    rang = first.rang is not None and first.rang < second.invited
    return rang or 486 in first.statuses


def rescue(bed: Bed, calls: int) -> list[float | None]:
    """Calls that talk over the first line when it freezes: seconds until each hears the far end again."""
    with SoundEnds(calls) as ends, bed.calls(10, calls / 10, 60_000, 0, ends.ports, step=10) as numbers:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and not all(bed.callers.seen[n].answered for n in numbers):
            time.sleep(0.1)
        for at, number in enumerate(numbers):
            ends.talk(at, ("127.0.0.1", bed.callers.seen[number].port))
        time.sleep(3.0)
        heard_before = ends.heard_since(time.monotonic() - 1.0)
        if heard_before < calls:
            raise RuntimeError(f"only {heard_before} of {calls} calls hear their far end")
        gateway = bed.gateways[0]
        gateway.tap.mode = "drop"
        gateway.process.send_signal(signal.SIGSTOP)
        froze = time.monotonic()
        time.sleep(12.0)
        gaps = ends.gaps(froze)
        gateway.process.send_signal(signal.SIGCONT)
        gateway.tap.mode = "pass"
        for each in bed.gateways:
            each.process.kill()
    return gaps


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="under 50 s: one fault, and the rescue")
    options = parser.parse_args()
    span = Span(3.0, 5.0, 4.0) if options.quick else Span(5.0, 15.0, 25.0)
    outcomes: dict[str, Outcome] = {}
    for name in ["blackhole"] if options.quick else FAULTS:
        with line_bed(ROUTING) as bed:
            outcomes[name] = unheard(bed, span) if name == "mute" else load(bed, FAULTS[name], span)
        print(f"{name}: {outcomes[name]}", flush=True)
    with line_bed(ROUTING) as bed:
        gaps = rescue(bed, RESCUED)
    peer = beside(span) if installed() else None
    found = sorted(gap for gap in gaps if gap is not None)
    print(f"rescue: {len(found)} of {len(gaps)} live calls heard again after {found} s", flush=True)
    print(json.dumps(report(outcomes, gaps, peer)))
    return 0


def beside(span: Span) -> Outcome:
    """Kamailio's dispatcher, as its documentation sets it; the first gateway swallows all."""
    with proxy_bed(dispatcher) as bed:
        outcome = load(bed, FAULTS["blackhole"], span)
    print(f"kamailio, blackhole: {outcome}", flush=True)
    return outcome


def report(
    outcomes: Mapping[str, Outcome], gaps: list[float | None], peer: Outcome | None
) -> dict[str, object]:
    every = list(outcomes.values())
    rescued = sorted(gap for gap in gaps if gap is not None)
    returned = [each.return_s for each in every]
    figures: dict[str, float | None] = {
        "pdd_added_p50_ms": round(1000 * max(each.p(0.5) for each in every), 1),
        "pdd_added_p95_ms": round(1000 * max(each.p(0.95) for each in every), 1),
        "lost": sum(each.lost for each in every),
        "wrong_retries": sum(each.wrong_retries for each in every),
        "double_rings": sum(each.double_rings for each in every),
        "stop_s": round(max(each.stop_s for name, each in outcomes.items() if name != "mute"), 2),
        "return_s": None if None in returned else round(max(each or 0.0 for each in returned), 2),
        "rescued_share": round(len(rescued) / len(gaps), 3),
        "rescue_gap_p95_ms": round(1000 * rescued[int(0.95 * (len(rescued) - 1))]) if rescued else None,
    }
    for name, each in outcomes.items():
        figures[f"pdd_added_p95_ms_{name}"] = round(1000 * each.p(0.95), 1)
        figures[f"lost_{name}"] = each.lost
    if "mute" in outcomes:
        figures["stop_mute_s"] = round(outcomes["mute"].stop_s, 2)
        figures["unheard_mute"] = outcomes["mute"].unheard
    if peer is not None:
        figures["pdd_added_p95_kamailio_ms"] = round(1000 * peer.p(0.95), 1)
        figures["lost_kamailio"] = peer.lost
        figures["stop_kamailio_s"] = round(peer.stop_s, 2)
    return {"bench": "failover", "commit": commit(), "machine": machine(), "figures": figures}


if __name__ == "__main__":
    raise SystemExit(main())
