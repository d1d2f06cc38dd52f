"""Signs of bad sound: troubles that workers recognised, and what the samples of a leg come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address

from engine.insight.facts import Dialogue, Facts, Trouble, address, audio
from engine.insight.faults import Evidence, Found, least
from engine.insight.series import Sample, totals
from engine.insight.trace import LegQuality
from sip.reach import is_public

LONG_S = 3.0  # a trouble that lasted so long was heard
PAUSE_S = 10.0  # a pause of somebody who speaks is shorter
WINDOW = 3  # samples that are looked at together
MANY = 100  # packets below which a share says nothing
LOST, LOST_BADLY = 0.02, 0.10  # share of packets: heard, and not to be understood
BURSTY = 2.0  # BurstR from which losses come together
LATE = 0.02  # share of packets that came too late
JITTER_MS = 45.0  # from which play-out has to wait long
DEAF_S = 6.0  # seconds of a connected leg in which nothing came


def one_way_audio(facts: Facts) -> Iterator[Found]:
    """One party sends and is heard, the other is not."""
    for trouble in facts.trouble("one_way"):
        lasted = facts.lasted(trouble)
        deaf = "reports that none" in trouble.cause
        yield Found(
            "one_way_audio",
            _one_way(lasted, trouble.ended is not None),
            trouble.side,
            "deaf" if deaf else "",
            {"seconds": f"{lasted:.0f}"},
            (_event(trouble),),
        )
    for leg, whole in facts.legs():
        if facts.connected and not whole.received and whole.sent > MANY and whole.seconds >= DEAF_S:
            values = {"seconds": f"{whole.seconds:.0f}"}
            yield Found("one_way_audio", 0.85, leg.side, "", values, (_sample(facts, leg, 0),))


def _one_way(lasted: float, over: bool) -> float:
    """How sure it is. One that passed may have been a phone that sends nothing while nobody speaks."""
    if lasted < LONG_S or (over and lasted < PAUSE_S):
        return 0.4
    return least(0.6 + lasted / 30.0, 0.93)


def nat(facts: Facts) -> Iterator[Found]:
    """A party names an address that leads nowhere from here, and its sound does not come or go."""
    deaf = {each.side for each in facts.trouble("one_way", "no_rtp") if facts.lasted(each) >= LONG_S}
    for each in _mute_legs(facts):
        deaf.add(each)
    for dialogue in facts.dialogues:
        found = _misnamed(dialogue)
        if found is None or dialogue.side not in deaf:
            continue
        said, came, evidence = found
        values = {"said": said, "came": came}
        yield Found("nat", 0.95, dialogue.side, "", values, (*evidence, *_troubled(facts, dialogue.side)))


def _mute_legs(facts: Facts) -> Iterator[str]:
    for leg, whole in facts.legs():
        if facts.connected and not whole.received and whole.sent > MANY:
            yield leg.side


def _misnamed(dialogue: Dialogue) -> tuple[str, str, tuple[Evidence, ...]] | None:
    """A private address for its sound in what a far end says that speaks from another; both, and where."""
    for each in dialogue.seen:
        if not each.inward or (media := audio(each.sdp)) is None or not media.port:
            continue
        said, came = address(each.sdp), each.message.host
        if said in ("", came, "0.0.0.0", "::") or is_public(said) or not _numeric(said):
            continue
        return said, came, (message(each.index, each.at, f"c=IN IP4 {said} < {came}"),)
    return None


def _numeric(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _troubled(facts: Facts, side: str) -> tuple[Evidence, ...]:
    return tuple(_event(each) for each in facts.trouble("one_way", "no_rtp") if each.side == side)[:2]


def told(facts: Facts) -> Iterator[Found]:
    """Troubles that say by themselves what is wrong."""
    for kind, (fault, sure, at_least) in _TOLD.items():
        for trouble in facts.trouble(kind):
            lasted = facts.lasted(trouble)
            values = {"seconds": f"{lasted:.0f}", "what": trouble.cause}
            certain = sure if lasted >= at_least else sure * 0.5
            yield Found(fault, round(certain, 2), trouble.side, "", values, (_event(trouble),))


# kind of trouble -> the fault, how sure it is, and the seconds it must have lasted for that
_TOLD = {
    "wrong_payload": ("codec_changed", 0.95, 0.0),
    "undecryptable": ("srtp_mismatch", 0.95, 0.0),
    "silence": ("silence", 0.9, LONG_S),
    "clipping": ("clipping", 0.85, 1.0),
    "clock_drift": ("clock_drift", 0.92, 0.0),
}


def packet_loss(facts: Facts) -> Iterator[Found]:
    """Packets that never came, to us or there, where it was worst."""
    for leg, _ in facts.legs():
        at, worst = _worst(leg.samples, lambda each: each.loss or 0.0)
        if worst is not None and worst.received + worst.lost >= MANY:
            share = worst.loss or 0.0
            if share >= LOST:
                variant = "bursts" if worst.burst >= BURSTY else ""
                values = {"percent": f"{100 * share:.1f}", "seconds": f"{worst.seconds:.0f}"}
                evidence = (_sample(facts, leg, at),)
                yield Found("packet_loss", _by_share(share), leg.side, variant, values, evidence)
        at, there = _worst(leg.samples, lambda each: each.lost_there / max(each.sent, 1))
        if there is not None and there.sent >= MANY:
            share = min(1.0, there.lost_there / there.sent)
            if share >= LOST:
                values = {"percent": f"{100 * share:.1f}", "seconds": f"{there.seconds:.0f}"}
                evidence = (_sample(facts, leg, at),)
                yield Found("packet_loss", _by_share(share) - 0.02, leg.side, "there", values, evidence)


def _by_share(share: float) -> float:
    return least(0.6 + 0.35 * (share - LOST) / (LOST_BADLY - LOST), 0.95)


def late_packets(facts: Facts) -> Iterator[Found]:
    """Packets that came too unevenly to be played in time."""
    for leg, _ in facts.legs():
        at, worst = _worst(leg.samples, lambda each: each.late / max(each.received, 1))
        if worst is None or worst.received < MANY:
            continue
        late = worst.late / worst.received
        rough = [i for i, each in enumerate(leg.samples) if each.jitter_ms >= JITTER_MS and each.received]
        if late < LATE and len(rough) < 2:
            continue
        at = at if late >= LATE else rough[0]
        values = {"percent": f"{100 * late:.1f}", "jitter": f"{max(s.jitter_ms for s in leg.samples):.0f}"}
        sure = least(0.65 + late * 2.0 + 0.02 * len(rough), 0.93)
        yield Found("late_packets", sure, leg.side, "", values, (_sample(facts, leg, at),))


def _worst(samples: Sequence[Sample], share: Callable[[Sample], float]) -> tuple[int, Sample | None]:
    """The window with the greatest share: its first index, and its sum."""
    best: Sample | None = None
    at, most = 0, -1.0
    for begin in range(max(1, len(samples) - WINDOW + 1)):
        whole = totals(samples[begin : begin + WINDOW])
        if whole is not None and share(whole) > most:
            best, at, most = whole, begin, share(whole)
    return at, best


def _event(trouble: Trouble) -> Evidence:
    return Evidence("event", trouble.seq, trouble.began, f"leg.troubled {trouble.kind}", trouble.leg)


def _sample(facts: Facts, leg: LegQuality, at: int) -> Evidence:
    sample = leg.samples[at]
    loss = f"{100 * sample.loss:.1f} %" if sample.loss is not None else "—"
    text = f"{sample.at:.0f} s: received {sample.received}, lost {loss}, jitter {sample.jitter_ms:.0f} ms"
    return Evidence("sample", at, facts.case.began + sample.at, text, leg.leg)


def message(index: int, at: float, text: str) -> Evidence:
    return Evidence("message", index, at, text)


SIGNS = (one_way_audio, nat, told, packet_loss, late_packets)
