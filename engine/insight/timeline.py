"""What happened to a call, in one list: states, legs, decisions with their reasons, troubles.

Made of the journal, and of what the ladder says of legs. Who somebody is does not stand here: the journal
keeps that apart, and so does this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.insight.facts import Dialogue, Facts, Seen
from engine.store.rows import Entry

# The state that an event begins (engine/states.py).
STATES: Mapping[str, str] = {
    "call.arrived": "arrived",
    "call.taken": "arrived",
    "call.crossed": "crossed",
    "call.queued": "queued",
    "call.offered": "offered",
    "call.connected": "talking",
    "call.held": "held",
    "call.resumed": "talking",
    "call.transferred": "transferring",
    "call.ended": "ended",
}
# Where an event is drawn, by the first words of its kind that are here.
LANES: tuple[tuple[str, str], ...] = (
    ("call.queue", "queue"),
    ("call.offer", "queue"),
    ("call.line", "line"),
    ("line.", "line"),
    ("leg.", "media"),
    ("call.digit", "media"),
    ("recording.", "recording"),
    ("call.guest", "guest"),
    ("call.interpret", "speech"),
    ("call.mood", "speech"),
    ("call.urgent", "speech"),
    ("call.", "call"),
)
REASONS = ("why", "cause", "words", "reason", "outcome", "what")  # fields that say why something happened


@dataclass(frozen=True, slots=True)
class Moment:
    """at: epoch seconds; t: s since the call arrived. lane: call, queue, line, leg, media, recording, guest
    or speech. state: that it begins, "" for none. why: reasons, as they were told. index: the journal's
    number, or of legs that of the message in the ladder. data: the rest of what is known.
    """

    at: float
    t: float
    lane: str
    kind: str
    side: str
    state: str
    why: str
    index: int
    data: Mapping[str, Any]


def timeline(facts: Facts) -> list[Moment]:
    """Everything, in the order of time."""
    began = facts.case.began
    moments = [_of_entry(entry, began) for entry in facts.case.events]
    moments += [moment for dialogue in facts.dialogues for moment in _of_dialogue(dialogue, began)]
    return sorted(moments, key=lambda each: each.at)


def _of_entry(entry: Entry, began: float) -> Moment:
    data = dict(entry.data)
    why = next((str(data.pop(name)) for name in REASONS if data.get(name)), "")
    side = str(data.pop("side", "") or data.get("by", ""))
    lane = next(lane for start, lane in (*LANES, ("", "call")) if entry.kind.startswith(start))
    return Moment(
        entry.at, round(entry.at - began, 3), lane, entry.kind, side if side in ("customer", "agent") else "",
        STATES.get(entry.kind, ""), why, entry.seq, data,
    )  # fmt: skip


def _of_dialogue(dialogue: Dialogue, began: float) -> Iterator[Moment]:
    """A leg's first INVITE, first ringing and end of ringing, and who hung up."""
    invites = dialogue.requests("INVITE")
    if invites:
        yield _moment("leg.invited", dialogue, invites[0], began)
    rung = next((each for each in dialogue.responses("INVITE") if 180 <= each.status < 200), None)
    if rung is not None:
        yield _moment("leg.rang", dialogue, rung, began)
    final = dialogue.final
    if final is not None:
        kind = "leg.answered" if final.status < 300 else "leg.refused"
        yield _moment(kind, dialogue, final, began)
    for bye in dialogue.requests("BYE")[:1]:
        yield _moment("leg.hung_up", dialogue, bye, began)


def _moment(kind: str, dialogue: Dialogue, seen: Seen, began: float) -> Moment:
    message = seen.message
    remote = f"{message.host}:{message.port}"
    data = {
        "leg": dialogue.leg,
        "inward": seen.inward,
        "remote": remote,
        "transport": message.transport,
    }
    why = seen.header("Reason") or (seen.line.partition(" ")[2] if seen.status >= 300 else "")
    return Moment(
        seen.at, round(seen.at - began, 3), "leg", kind, dialogue.side, "", why, seen.index, data
    )  # fmt: skip
