"""What happened to lines and over them, as values (engine/events.py)."""

from __future__ import annotations

from dataclasses import dataclass

from engine.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChosen(Event):
    """A call goes out over a line to `target`, its so many-th; `why` gives the reasons of the choice."""

    kind = "call.line_chosen"
    line: str
    target: str
    serial: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUnreached(Event):
    """A call could not even be sent over a line. cause: `dns`, no address of it is known; `down`, it answers
    nothing; `unregistered`, its carrier does not know us. what: the names that were looked up, or words.
    """

    kind = "call.line_unreached"
    line: str
    cause: str
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineChanged(Event):
    """Calls can go out over a line again, or cannot: `why`."""

    kind = "line.changed"
    line: str
    fit: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineUsed(Event):
    """A call's way over a line is over, whether it came to an answer or not.

    direction: out or in. region: of the call. destination: calling code of the country that was called.
    began: epoch seconds. status: what the line said last, or what stands for its silence. blame: what that
    says of the line (routing.response.Blame); words: the same in words. dropped: it was answered and broke.
    pdd_s, setup_s: from the call to the first sign of ringing, and to the answer. Of the line's sound, None
    where there was none: mos 1 to 5, loss a share, jitter_ms, rtt_ms.
    """

    kind = "line.used"
    line: str
    direction: str
    region: str
    destination: str
    began: float
    status: int
    blame: str
    words: str
    answered: bool
    dropped: bool = False
    pdd_s: float | None = None
    setup_s: float | None = None
    talk_s: float = 0.0
    mos: float | None = None
    loss: float | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProbed(Event):
    """A call was placed over a line to see how it does; see engine.probe.result, whose figures these are.

    by: who asked, `schedule` or an API token's name. fault: what is wrong, "" where it passed.
    """

    kind = "line.probed"
    line: str
    region: str
    number: str
    by: str
    passed: bool
    fault: str
    words: str
    pdd_s: float | None = None
    setup_s: float | None = None
    delay_ms: float | None = None
    delay_p95_ms: float | None = None
    drift_ms_per_min: float | None = None
    loss: float | None = None
    jitter_ms: float | None = None
    rtt_ms: float | None = None
    mos: float | None = None
    digits: float | None = None
    caller_id: str = ""
    codec: str = ""
