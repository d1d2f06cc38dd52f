"""A call's life as a table: what may happen in which state, what follows, and what is done about it.

The table is the specification: `Call.fire` only looks things up. A trigger that has no row in a state is
ignored there (a late ring tone after the hang-up, say). docs/call-states.md is drawn from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import crossed, crossing, dialling, echo, guest, steering, talking, transfer, waiting
from engine.states import State, Trigger
from engine.trunk import rescue

if TYPE_CHECKING:
    from engine.call import Call

Action = Callable[["Call", float, Any], None]
Table = Mapping[tuple[State, Trigger], tuple[State, tuple[Action, ...]]]


def _rows() -> dict[tuple[State, Trigger], tuple[State, tuple[Action, ...]]]:
    s, t = State, Trigger
    rows: dict[tuple[State, Trigger], tuple[State, tuple[Action, ...]]] = {
        (s.ARRIVED, t.TO_QUEUE): (s.GREETING, (talking.answer_customer, waiting.welcome)),
        (s.ARRIVED, t.TO_PARTY): (s.DIALLING, (dialling.dial,)),
        (s.ARRIVED, t.TO_ANNOUNCE): (s.LEAVING, (talking.answer_customer, waiting.announce)),
        (s.ARRIVED, t.TO_ECHO): (s.ECHOING, (talking.answer_customer, echo.loop_back)),
        (s.ARRIVED, t.CROSSED): (s.CROSSED, (crossed.ring,)),
        (s.CROSSED, t.PROGRESS): (s.CROSSED, (dialling.pass_progress,)),
        (s.CROSSED, t.ANSWERED): (s.TALKING, (crossed.answered, talking.connect)),
        (s.CROSSED, t.FAILED): (s.CROSSED, (crossed.missed,)),
        (s.GREETING, t.PLAYED): (s.QUEUED, (waiting.enqueue,)),
        (s.QUEUED, t.ASSIGNED): (s.OFFERED, (waiting.offer,)),
        (s.QUEUED, t.TELL): (s.QUEUED, (waiting.tell_position,)),
        (s.QUEUED, t.PLAYED): (s.QUEUED, (waiting.play_music,)),
        (s.QUEUED, t.MAX_WAIT): (s.QUEUED, (waiting.overflow,)),
        (s.OFFERED, t.PLAYED): (s.OFFERED, (waiting.play_music,)),
        (s.OFFERED, t.ANSWERED): (s.TALKING, (waiting.offer_answered, talking.connect)),
        (s.OFFERED, t.FAILED): (s.QUEUED, (waiting.offer_missed, waiting.requeue)),
        (s.DIALLING, t.PROGRESS): (s.DIALLING, (dialling.pass_progress,)),
        (s.DIALLING, t.ANSWERED): (s.TALKING, (talking.connect,)),
        (s.DIALLING, t.FAILED): (s.DIALLING, (dialling.dial_failed,)),
        (s.DIALLING, t.TO_ANNOUNCE): (s.LEAVING, (waiting.announce,)),
        (s.TALKING, t.HOLD): (s.HELD, (talking.hold,)),
        (s.HELD, t.HOLD): (s.HELD, (talking.hold,)),
        (s.HELD, t.RESUME): (s.TALKING, (talking.resume,)),
        (s.TRANSFERRING, t.PROGRESS): (s.TRANSFERRING, (transfer.tell_progress,)),
        (s.TRANSFERRING, t.ANSWERED): (s.TALKING, (transfer.hand_over, talking.connect)),
        (s.TRANSFERRING, t.FAILED): (s.TRANSFERRING, (transfer.fall_back,)),
        (s.TRANSFERRING, t.RECALL): (s.TALKING, (talking.resume,)),
        (s.TRANSFERRING, t.TO_QUEUE): (s.QUEUED, (transfer.hand_over, waiting.enqueue)),
        (s.TRANSFERRING, t.TO_ANNOUNCE): (s.LEAVING, (waiting.announce,)),
        (s.TRANSFERRING, t.PARTY_LEFT): (s.TRANSFERRING, (transfer.forget_transferor,)),
        (s.LEAVING, t.PLAYED): (s.LEAVING, (waiting.said_goodbye,)),
        (s.ENDING, t.CLOSED): (s.ENDED, (talking.write_record,)),
    }
    for waits in (s.GREETING, s.QUEUED, s.OFFERED):
        rows[waits, t.MOVED] = (s.GREETING if waits is s.GREETING else s.QUEUED, (steering.moved,))
        rows[waits, t.LEAVE_KEY] = (waits, (waiting.leave_on_key,))
        rows[waits, t.TO_ANNOUNCE] = (s.LEAVING, (waiting.leave_queue, waiting.announce))
        rows[waits, t.TO_ECHO] = (s.ECHOING, (waiting.leave_queue, echo.loop_back))
        rows[waits, t.TO_PARTY] = (s.DIALLING, (waiting.leave_queue, dialling.dial))
    for waits in (s.QUEUED, s.OFFERED):
        rows[waits, t.TO_QUEUE] = (s.QUEUED, (waiting.leave_queue, waiting.enqueue))
    for talks in (s.TALKING, s.HELD):
        rows[talks, t.REFERRED] = (s.TRANSFERRING, (transfer.begin,))
        rows[talks, t.ANSWERED] = (s.TALKING, (rescue.taken,))
        rows[talks, t.FAILED] = (talks, (rescue.not_taken,))
        rows[talks, t.TAKEN] = (s.TALKING, (talking.connect,))
        rows[talks, t.PARTY_LEFT] = (talks, (talking.party_left,))
        rows[talks, t.GUEST_ASKED] = (talks, (guest.ring,))
        rows[talks, t.GUEST_CAME] = (talks, (guest.came,))
        rows[talks, t.GUEST_MISSED] = (talks, (guest.missed,))
        rows[talks, t.GUEST_LEFT] = (talks, (guest.hung_up,))
        rows[talks, t.GUEST_SENT_OFF] = (talks, (guest.sent_off,))
        rows[talks, t.AGENT_LOST] = (s.QUEUED, (crossing.agent_lost,))
    for alive in State:
        if alive not in (s.ENDING, s.ENDED):
            rows[alive, t.END] = (s.ENDING, (talking.wind_up,))
    return rows


TABLE: Table = _rows()


def as_markdown() -> str:
    """docs/call-states.md: the table as a Mermaid diagram; END, possible everywhere, is drawn once."""
    lines = ["stateDiagram-v2", "    [*] --> arrived"]
    for (state, trigger), (after, actions) in TABLE.items():
        if trigger is not Trigger.END:
            doing = ", ".join(action.__name__.replace("_", " ") for action in actions)
            lines.append(f"    {state} --> {after}: {trigger} / {doing}")
    lines += ["    any --> ending: end / wind up", "    ended --> [*]"]
    diagram = "\n".join(lines)
    return f"""# The states of a call

Drawn from the table in `engine/transitions.py` by `python -m engine.transitions`; a test holds the two
together. What a call does on a transition stands behind the slash.

```mermaid
{diagram}
```
"""


if __name__ == "__main__":
    (Path(__file__).resolve().parent.parent / "docs" / "call-states.md").write_text(as_markdown())
