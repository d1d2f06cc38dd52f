"""Signs in the journal: queues, agents, lines and the node itself."""

from __future__ import annotations

from collections.abc import Iterator

from engine.insight.facts import Facts
from engine.insight.faults import Evidence, Found, join, least
from engine.store.rows import Entry

LONG_WAIT_S = 20.0  # from which nobody wonders that a caller hangs up
MISSED_WORDS = ("no_answer", "refused", "busy")


def lines(facts: Facts) -> Iterator[Found]:
    """A call could not be sent over a line."""
    for entry in facts.events("call.line_unreached"):
        data = entry.data
        fault = "line_dns" if data.get("cause") == "dns" else "line_down"
        variant = "unregistered" if data.get("cause") == "unregistered" else ""
        values = {"line": str(data.get("line", "")), "what": str(data.get("what", ""))}
        sure = 0.45 if facts.connected else 0.95
        yield Found(fault, sure, "", variant, values, (_event(entry),))


def agents(facts: Facts) -> Iterator[Found]:
    """Phones were rung and nobody took the call."""
    missed = facts.events("call.offer_missed")
    if not missed:
        return
    names = join([str(entry.data.get("agent", "")) for entry in missed])
    values = {"agents": names, "times": str(len(missed)), "outcome": str(missed[-1].data.get("outcome", ""))}
    sure = 0.4 if facts.connected else 0.93
    yield Found("no_agent_answered", sure, "agent", "", values, tuple(map(_event, missed[:5])))


def queues(facts: Facts) -> Iterator[Found]:
    """The caller waited too long, or was not let wait at all."""
    record, left = facts.case.record, facts.events("call.queue_left")
    waited = next((entry for entry in left if entry.data.get("why") == "maximum wait"), None)
    queue = record.queue if record is not None else ""
    seconds = {"queue": queue, "seconds": f"{record.wait_s:.0f}" if record is not None else "0"}
    if facts.connected or record is None:
        return
    if facts.reason == "closed":
        yield Found("queue_closed", 0.95, "", "", seconds)
    elif facts.reason == "overflow_failed" or waited is not None:
        variant = "" if facts.events("call.queued") else "full"
        yield Found("queue_overflow", 0.92, "", variant, seconds, tuple(map(_event, left[-1:])))
    elif facts.reason == "abandoned" and record.queue and record.wait_s >= LONG_WAIT_S:
        sure = least(0.6 + record.wait_s / 600.0, 0.9)
        yield Found("waited_too_long", sure, "customer", "", seconds, _first(facts, "call.queued"))


def node(facts: Facts) -> Iterator[Found]:
    """What the node did not have, or lost."""
    record = facts.case.record
    number = {"number": record.number if record is not None else ""}
    if facts.reason == "unknown_number":
        yield Found("unknown_number", 0.95, "customer", "", number)
    elif facts.reason == "overload":
        yield Found("overload", 0.95, "", "", number)
    elif facts.reason in ("media_lost", "node_lost", "fault"):
        yield Found("node_fault", 0.85, "", facts.reason, {"what": facts.reason})


def browsers(facts: Facts) -> Iterator[Found]:
    """A page lost its way and did not come back, or only after a while."""
    gone = {str(entry.data.get("side", "")): entry for entry in facts.events("leg.gone")}
    for entry in facts.events("leg.returned"):
        gone.pop(str(entry.data.get("side", "")), None)
    for side, entry in gone.items():
        sure = 0.93 if facts.reason in ("not_resumed", "media_lost") else 0.6
        yield Found(
            "browser_lost", sure, side, "", {"seconds": f"{facts.until - entry.at:.0f}"}, (_event(entry),)
        )


def speech(facts: Facts) -> Iterator[Found]:
    """Words, translation or an interpreter's voice were left out."""
    for entry in facts.events("call.interpreter"):
        fault = str(entry.data.get("fault", ""))
        if fault:
            side = str(entry.data.get("side", ""))
            yield Found("speech_shed", 0.7, side, "", {"what": fault}, (_event(entry),))


def _event(entry: Entry) -> Evidence:
    return Evidence("event", entry.seq, entry.at, entry.kind)


def _first(facts: Facts, kind: str) -> tuple[Evidence, ...]:
    return tuple(_event(entry) for entry in facts.events(kind)[:1])


SIGNS = (lines, agents, queues, node, browsers, speech)
