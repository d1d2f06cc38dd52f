"""The faults that a call can have: their names, what explains what, and a finding as a value.

The words of each are in `words/`, one file a language; docs/troubleshooting.md has a section for each name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

SURE = 0.5  # below, a finding is not told
EXPLAINS_FROM = 0.6  # a finding that is as sure takes from what it explains
TAKEN = 0.45  # the share that what is explained keeps

# Each fault, and the faults that follow from it: those are not told beside it, for they are the same trouble.
EXPLAINS: Mapping[str, tuple[str, ...]] = {
    "one_way_audio": (),
    "nat": ("one_way_audio", "no_ack", "far_end_vanished"),
    "sip_alg": ("nat", "one_way_audio", "no_ack", "carrier_cause", "far_end_vanished"),
    "no_common_codec": ("carrier_cause", "no_agent_answered"),
    "codec_changed": ("one_way_audio", "silence", "packet_loss"),
    "line_dns": ("carrier_cause", "line_down"),
    "line_down": ("carrier_cause",),
    "wrong_credentials": ("carrier_cause",),
    "carrier_cause": (),
    "unreachable": ("carrier_cause", "far_end_vanished", "no_reply", "no_agent_answered"),
    "tls_failure": ("unreachable", "carrier_cause", "no_reply", "no_agent_answered", "line_down"),
    "no_reply": ("carrier_cause", "no_agent_answered"),
    "no_ack": ("far_end_vanished", "one_way_audio", "carrier_cause"),
    "session_timer": ("far_end_vanished", "one_way_audio", "no_reply"),
    "far_end_vanished": ("one_way_audio", "no_ack", "packet_loss", "late_packets", "browser_lost"),
    "srtp_mismatch": ("one_way_audio", "silence", "no_common_codec", "carrier_cause"),
    "silence": (),
    "clipping": (),
    "clock_drift": ("late_packets",),
    "packet_loss": ("late_packets",),
    "late_packets": (),
    "dtmf_mismatch": (),
    "no_agent_answered": ("queue_overflow", "waited_too_long"),
    "queue_overflow": ("waited_too_long",),
    "queue_closed": (),
    "waited_too_long": (),
    "unknown_number": ("carrier_cause",),
    "overload": ("carrier_cause",),
    "browser_lost": ("one_way_audio", "far_end_vanished", "node_fault", "packet_loss"),
    "node_fault": ("one_way_audio", "far_end_vanished", "carrier_cause", "browser_lost"),
    "speech_shed": (),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows it. kind: `message` (index in the ladder), `sample` (index in its leg's series), or `event`
    (index: its journal number). at: epoch seconds. text: the thing itself in a few words.
    """

    kind: str
    index: int
    at: float
    text: str
    leg: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A fault that a call seems to have had. sure: 0 to 1. side: customer, agent, or "" for neither's.

    variant: which of its sentences is meant. values: what is filled in.
    """

    fault: str
    sure: float
    side: str = ""
    variant: str = ""
    values: Mapping[str, str] | None = None
    evidence: tuple[Evidence, ...] = ()


def settled(found: Iterable[Found]) -> list[Found]:
    """The findings to tell, the surest first: of each fault the surest, without what others explain."""
    best: dict[str, Found] = {}
    for each in found:
        if each.fault not in best or each.sure > best[each.fault].sure:
            best[each.fault] = each
    taken = dict(best)
    for each in sorted(best.values(), key=lambda one: -one.sure):
        if taken[each.fault].sure < EXPLAINS_FROM:
            continue
        for effect in EXPLAINS[each.fault]:
            if effect in taken and taken[effect].sure <= each.sure + 0.1:
                taken[effect] = replace(taken[effect], sure=round(taken[effect].sure * TAKEN, 2))
    told = [each for each in taken.values() if each.sure >= SURE]
    return sorted(told, key=lambda each: (-each.sure, list(EXPLAINS).index(each.fault)))


def least(*sures: float, most: float = 0.97) -> float:
    """A sureness within its bounds."""
    return round(max(0.0, min(most, *sures)), 2)


def join(names: Sequence[str]) -> str:
    """Names as one word of a sentence."""
    return ", ".join(dict.fromkeys(names)) or "—"
