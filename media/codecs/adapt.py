"""How a leg is coded for the network it goes over: a table, and the few rules by which its row is chosen.

Read it as a specification. A *profile* says what a whole stream may cost. Reports about what we send put the
network into a *grade* by its loss, and tell whether losses come in bursts; SPEECH and MODES have a row for
each, as long as it fits under the cap: the profile's, or less where the path carries less. `fitted` gives up
copies first, then packets a second (20, 40, 60 ms), then bits. Worse is believed at once, better only when it
lasts. Where even the least does not fit, a narrower codec is wished for. Pure; decided when a report comes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import NamedTuple

from media.messages import Profile

HEADERS = 40  # bytes a packet of IPv4, UDP and RTP
RED_HEADERS = (0, 5, 9, 13)  # bytes of RFC 2198 by number of copies
PTIMES = (20, 40, 60)  # ms
LEAST_OPUS = 6_000  # b/s, RFC 6716 section 2.1.1
# Under so many b/s Opus codes the telephone's band alone, and thinks harder. STOI of speech at 9,600 b/s in
# packets of 60 ms: 0.898 as the library has it, 0.933 so; with 4 % of them lost in bursts 0.872 and 0.903.
NARROW, THOROUGH = 13_000, 10
LARGEST = 1_400  # bytes of a packet with headers: none is to be cut up on its way


class Grade(IntEnum):
    """What share of our packets is lost on the way."""

    CLEAN = 0
    LIGHT = 1
    LOSSY = 2
    HEAVY = 3


# grade: smoothed loss from which the network is in it, and under which it has left it again
LOSS: dict[Grade, tuple[float, float]] = {
    Grade.LIGHT: (0.020, 0.008),
    Grade.LOSSY: (0.045, 0.025),
    Grade.HEAVY: (0.120, 0.080),
}
BURSTY, SINGLE = (
    1.7,
    1.3,
)  # mean run of losses, over that of random ones, from and under which they are bursts
SMOOTH = 0.5  # weight of the newest report
PATIENCE = 3  # good reports in a row before a grade is left for the better, or the cap grows
CALM = 12  # clean reports in a row before the codec that was left is wished for again
QUEUE_MS, SHAKY_MS = 120.0, 80.0  # round trip over its least, and jitter, that with loss mean congestion
FLOODED = 0.35  # loss that is congestion whatever the delay says: a queue that is always full hides it
SHRINK, GROW = 0.7, 1.15  # of the cap, a report

# whole stream, kb/s, with IP, UDP and RTP headers: the most, and the least that the cap can shrink to. Under
# 16 kb/s a reserve is left for RTCP.
CAPS: dict[Profile, tuple[float, float]] = {
    "mobile-2g": (15.4, 11.0),
    "mobile-3g": (40.0, 12.0),
    "standard": (100.0, 16.0),
    "hd": (128.0, 24.0),
}


class Row(NamedTuple):
    """bitrate: b/s of speech. fec: percent of loss that in-band redundancy is to make good. ptime: ms.
    copies: earlier packets sent along (RFC 2198).
    """

    bitrate: int
    fec: int
    ptime: int
    copies: int


# Opus, by profile, grade and whether losses come in bursts (in-band redundancy covers one packet, copies two)
SPEECH: dict[tuple[Profile, Grade, bool], Row] = {
    # profile, grade, bursty                     b/s  fec ms copies
    ("mobile-2g", Grade.CLEAN, False): Row(     9_600,  0, 60, 0),
    ("mobile-2g", Grade.CLEAN, True): Row(      9_600,  0, 60, 0),
    ("mobile-2g", Grade.LIGHT, False): Row(     9_600,  0, 60, 0),
    ("mobile-2g", Grade.LIGHT, True): Row(      9_600,  0, 60, 0),
    ("mobile-2g", Grade.LOSSY, False): Row(     9_600,  0, 60, 0),
    ("mobile-2g", Grade.LOSSY, True): Row(      9_600,  0, 60, 0),
    ("mobile-2g", Grade.HEAVY, False): Row(     8_000,  0, 60, 0),
    ("mobile-2g", Grade.HEAVY, True): Row(      8_000,  0, 60, 0),
    ("mobile-3g", Grade.CLEAN, False): Row(    20_000,  0, 40, 0),
    ("mobile-3g", Grade.CLEAN, True): Row(     20_000,  0, 40, 0),
    ("mobile-3g", Grade.LIGHT, False): Row(    20_000, 10, 40, 0),
    ("mobile-3g", Grade.LIGHT, True): Row(     14_000, 10, 40, 1),
    ("mobile-3g", Grade.LOSSY, False): Row(    20_000, 20, 40, 0),
    ("mobile-3g", Grade.LOSSY, True): Row(     14_000, 20, 40, 1),
    ("mobile-3g", Grade.HEAVY, False): Row(    16_000, 25, 60, 1),
    ("mobile-3g", Grade.HEAVY, True): Row(     10_000, 25, 60, 2),
    ("standard", Grade.CLEAN, False): Row(     24_000,  5, 20, 0),
    ("standard", Grade.CLEAN, True): Row(      24_000,  5, 20, 0),
    ("standard", Grade.LIGHT, False): Row(     24_000, 10, 20, 0),
    ("standard", Grade.LIGHT, True): Row(      24_000, 10, 20, 1),
    ("standard", Grade.LOSSY, False): Row(     24_000, 20, 20, 0),
    ("standard", Grade.LOSSY, True): Row(      20_000, 20, 20, 2),
    ("standard", Grade.HEAVY, False): Row(     20_000, 30, 20, 1),
    ("standard", Grade.HEAVY, True): Row(      16_000, 30, 40, 2),
    ("hd", Grade.CLEAN, False): Row(           32_000,  5, 20, 0),
    ("hd", Grade.CLEAN, True): Row(            32_000,  5, 20, 0),
    ("hd", Grade.LIGHT, False): Row(           32_000, 10, 20, 0),
    ("hd", Grade.LIGHT, True): Row(            32_000, 10, 20, 1),
    ("hd", Grade.LOSSY, False): Row(           32_000, 20, 20, 0),
    ("hd", Grade.LOSSY, True): Row(            28_000, 20, 20, 2),
    ("hd", Grade.HEAVY, False): Row(           28_000, 30, 20, 1),
    ("hd", Grade.HEAVY, True): Row(            20_000, 30, 20, 2),
}  # fmt: skip

# AMR and AMR-WB, by grade: highest mode and copies; what a lower mode saves pays for the copies (3GPP TS
# 26.114 section 10)
MODES: dict[tuple[str, Grade], tuple[int, int]] = {
    ("AMR", Grade.CLEAN): (7, 0),
    ("AMR", Grade.LIGHT): (5, 0),
    ("AMR", Grade.LOSSY): (2, 1),
    ("AMR", Grade.HEAVY): (0, 2),
    ("AMR-WB", Grade.CLEAN): (8, 0),
    ("AMR-WB", Grade.LIGHT): (2, 0),
    ("AMR-WB", Grade.LOSSY): (1, 1),
    ("AMR-WB", Grade.HEAVY): (0, 2),
}
# bits a second on the wire by mode, with the byte of a frame's table of contents
MODE_RATES: dict[str, tuple[int, ...]] = {
    "AMR": (5_600, 6_000, 6_800, 7_200, 8_000, 8_400, 10_800, 12_800),
    "AMR-WB": (7_200, 9_600, 13_600, 14_800, 16_400, 18_800, 20_400, 23_600, 24_400),
}
FIXED_RATES: dict[str, int] = {"PCMU": 64_000, "PCMA": 64_000, "G722": 64_000, "L16": 256_000, "G729": 8_000}
NARROWER = ("OPUS", "AMR", "G729", "AMR-WB")  # what to ask for instead, best first


class Sight(NamedTuple):
    """What a report says about what we send. loss: share lost or discarded, 0..1. burst: mean run of losses
    over that of random ones, 1 when not known. rtt_ms, jitter_ms. kbps: what the path carries (TWCC), None
    when nobody knows.
    """

    loss: float
    burst: float = 1.0
    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    kbps: float | None = None


@dataclass(frozen=True, slots=True)
class Link:
    """What does not change by reports. codec: that is sent; agreed: all that the far end takes, by name.
    headers: bytes a packet of IP, UDP, RTP and a tag. red: copies were agreed on. ptime: ms that the far end
    wants at least.
    """

    profile: Profile = "standard"
    codec: str = "OPUS"
    agreed: tuple[str, ...] = ()
    headers: int = HEADERS
    red: bool = False
    ptime: int = 20


@dataclass(frozen=True, slots=True)
class Choice:
    """How to code from now on. mode: of AMR, else None; bitrate: of Opus, else None."""

    bitrate: int | None
    fec: int
    ptime: int
    copies: int
    mode: int | None = None


@dataclass(frozen=True, slots=True)
class State:
    """One leg's adaptation. better, calm: good and clean reports in a row. cap: kb/s of the whole stream.
    least_rtt: ms. left: codec that was given up for a narrower one. wish: codec to ask for now, "" for none.
    """

    cap: float
    grade: Grade = Grade.CLEAN
    bursty: bool = False
    loss: float = 0.0
    burst: float = 1.0
    better: int = 0
    calm: int = 0
    least_rtt: float = 0.0
    left: str = ""
    wish: str = ""
    choice: Choice = field(default=Choice(None, 0, 20, 0))


def begin(link: Link) -> State:
    """The state before the first report."""
    state = State(cap=bounds(link)[1])
    return replace(state, choice=choose(link, state))


def decide(link: Link, state: State, seen: Sight) -> State:
    """The state after a report; `choice` and `wish` are what to do now."""
    loss = state.loss + SMOOTH * (min(max(seen.loss, 0.0), 1.0) - state.loss)
    burst = state.burst + (SMOOTH * (seen.burst - state.burst) if seen.loss > 0 else 0.0)
    grade = _grade(state.grade, loss)
    better = 0 if grade >= state.grade else state.better + 1
    if grade < state.grade:
        grade = grade if better >= PATIENCE else state.grade
    if grade != state.grade:
        better = 0
    bursty = burst >= (SINGLE if state.bursty else BURSTY)
    least = min(state.least_rtt or seen.rtt_ms, seen.rtt_ms or state.least_rtt)
    calm = state.calm + 1 if grade is Grade.CLEAN and seen.loss < LOSS[Grade.LIGHT][0] else 0
    state = replace(
        state,
        grade=grade,
        bursty=bursty,
        loss=loss,
        burst=burst,
        better=better,
        calm=calm,
        least_rtt=least,
        cap=_cap(link, state, seen, least, calm),
    )
    return _wished(link, replace(state, choice=choose(link, state)))


def bounds(link: Link) -> tuple[float, float]:
    """The least and the most that the cap may be, kb/s. A wide network is not made narrow by an agreed codec
    that costs more: only congestion tells.
    """
    most, least = CAPS[link.profile]
    if link.profile in ("standard", "hd") and link.codec.upper() in FIXED_RATES:
        most = max(most, cost(link, Choice(None, 0, link.ptime, 0)))
    return least, most


def _grade(now: Grade, loss: float) -> Grade:
    """Where the loss belongs, seen from the grade that it is in."""
    held = [grade for grade, (enter, leave) in LOSS.items() if loss >= (leave if now >= grade else enter)]
    return max(held, default=Grade.CLEAN)


def _cap(link: Link, state: State, seen: Sight, least_rtt: float, calm: int) -> float:
    """What the whole stream may cost, kb/s: down at once on congestion, up in steps when it is calm."""
    floor, most = bounds(link)
    queued = seen.rtt_ms > least_rtt + QUEUE_MS
    congested = seen.loss >= LOSS[Grade.LOSSY][0] and (queued or seen.jitter_ms > SHAKY_MS)
    cap = state.cap
    if congested or seen.loss >= FLOODED:
        cap = min(cap, cost(link, state.choice)) * min(SHRINK, 1.0 - seen.loss)
    elif calm >= PATIENCE and not queued:
        cap *= GROW
    if seen.kbps is not None:
        cap = min(cap, 0.9 * seen.kbps)
    return min(max(cap, floor), most)


def choose(link: Link, state: State) -> Choice:
    """The table's row for the state, made to fit under the cap."""
    codec = link.codec.upper()
    copies = 0
    if codec == "OPUS":
        row = SPEECH[link.profile, state.grade, state.bursty]
        choice = Choice(row.bitrate, row.fec, max(row.ptime, link.ptime), row.copies if link.red else 0)
    elif codec in MODE_RATES:
        mode, copies = MODES[codec, state.grade]
        choice = Choice(None, 0, link.ptime, copies if link.red else 0, mode)
    else:
        choice = Choice(None, 0, link.ptime, 0)
    return fitted(link, choice, state.cap)


def fitted(link: Link, choice: Choice, cap: float) -> Choice:
    """The choice with as much given up as the cap wants: copies, packets a second, bits; in that order."""
    while choice.copies and cost(link, choice) > cap:
        choice = replace(choice, copies=choice.copies - 1)
    for ptime in PTIMES:
        longer = replace(choice, ptime=ptime)
        fits = cost(link, longer) * ptime / 8.0 <= LARGEST
        if ptime > choice.ptime and cost(link, choice) > cap and fits:
            choice = longer
    if choice.bitrate is not None and cost(link, choice) > cap:
        room = int(cap * 1000) - overhead(link, choice)
        choice = replace(choice, bitrate=min(max(room, LEAST_OPUS), choice.bitrate))
    while choice.mode and cost(link, choice) > cap:
        choice = replace(choice, mode=choice.mode - 1)
    return choice


def overhead(link: Link, choice: Choice) -> int:
    """Headers, b/s."""
    return (link.headers + RED_HEADERS[choice.copies]) * 8_000 // choice.ptime


def cost(link: Link, choice: Choice) -> float:
    """The whole stream with headers and copies, kb/s."""
    codec = link.codec.upper()
    if choice.bitrate is not None:
        speech = choice.bitrate
    elif choice.mode is not None:
        speech = MODE_RATES[codec][choice.mode]
    else:
        speech = FIXED_RATES.get(codec, 64_000)
    return (speech * (1 + choice.copies) + overhead(link, choice)) / 1000.0


def _wished(link: Link, state: State) -> State:
    """Whether another codec would help: a narrower one where the least is too much, the old one when all is
    well again.
    """
    codec = link.codec.upper()
    agreed = [name.upper() for name in link.agreed]
    if cost(link, state.choice) > state.cap:
        for name in NARROWER:
            if name in agreed and name != codec and least_cost(link, name) < cost(link, state.choice):
                return replace(state, wish=name, left=state.left or codec)
    if state.left and state.calm >= CALM and state.left in agreed and state.left != codec:
        back = replace(link, codec=state.left)
        if cost(back, choose(back, state)) <= state.cap:
            return replace(state, wish=state.left, left="", calm=0)
    return replace(state, wish="")


def least_cost(link: Link, codec: str) -> float:
    """What a codec costs at least, kb/s of the whole stream."""
    slow = Choice(
        LEAST_OPUS if codec == "OPUS" else None, 0, PTIMES[-1], 0, 0 if codec in MODE_RATES else None
    )
    return cost(replace(link, codec=codec), slow)
