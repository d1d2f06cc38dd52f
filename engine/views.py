"""What the outside may see of a node: frozen values, made afresh for each look, safe to hand to a thread.

Times (`since`) are epoch seconds; durations seconds, jitter milliseconds, loss a share 0–1, MOS 1–5.
Every word of state is the engine's own (engine/states.py, routing/agent.py), so that the API, the metrics and
the journal never disagree on a name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from engine.guest_views import GuestView
from engine.ice import Told
from engine.recent_views import RecentView
from engine.speech_views import SpeechView
from engine.supervision_views import SupervisorView
from routing.select import Reasons


class LegSide(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"


class Health(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"  # calls go on, something wants a look
    FAILING = "failing"  # new calls should go elsewhere


class AgentAsk(StrEnum):
    """What may be asked of an agent's state from outside; the rest follows from calls."""

    AVAILABLE = "available"
    PAUSED = "paused"
    LOGGED_OUT = "logged_out"
    WRAP_UP_OVER = "wrap_up_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubleView:
    """What is wrong with a leg's sound: `kind` to program against, `cause` and remedy in plain words."""

    kind: str
    cause: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LegView:
    """One phone of a call. `remote` is the far end's media address, "" before there is one.

    `role`: customer, agent, guest or supervisor. `concealed_ms` is sound that was made up for what was
    missing. `mos` is of the whole call, `mos_now` of the last seconds, `mos_there` what the phone says it
    hears. `encryption` is the SRTP suite, "" for plain RTP.
    """

    id: int
    side: LegSide
    remote: str
    codec: str
    state: str
    loss: float | None = None
    jitter_ms: float | None = None
    mos: float | None = None
    mos_now: float | None = None
    mos_there: float | None = None
    concealed_ms: int | None = None
    troubles: tuple[TroubleView, ...] = ()
    encryption: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallView:
    """waiting_position: from 1, None outside a queue. announced: whether the two are told of supervisors."""

    id: str
    contact: str
    customer: str
    number: str
    market: str
    region: str
    language: str
    state: str
    queue: str
    agent: str
    since: float
    waiting_position: int | None = None
    legs: tuple[LegView, ...] = ()
    supervisors: tuple[SupervisorView, ...] = ()
    announced: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceView:
    """How a caller waits. position: from 1, 0 while she is greeted. agent: picked for her by hand, "" for
    whoever is next. offered_to: whose phone rings for her, "" for nobody's.
    """

    queue: str
    position: int
    waited_s: float
    priority: int
    agent: str
    offered_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueView:
    """A queue now, and its day so far. `service_level` is the share of the calls offered that were answered
    within `service_threshold_s`; None before the first."""

    name: str
    waiting: int
    agents_available: int
    agents_busy: int
    longest_wait_s: float
    answered: int
    abandoned: int
    service_level: float | None = None
    service_threshold_s: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentView:
    """An agent now. `state` is one of routing.agent.AgentState; `call` is "" when she has none."""

    name: str
    state: str
    since: float
    reason: str
    registered: bool
    queues: tuple[str, ...]
    misses: int
    call: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCall:
    """A call that an agent is in, or that is offered to her, as her page shows it.

    who, name: the other one's number or address, and what she is called where that is known. outgoing: the
    agent dialled. waited_s: in a queue; None for a call of none. why: of the offer, routing.select.Reasons.
    held_by: sides. recording: "on", "paused" or "". speech: while it is put into words.
    guest: a third whom the agent asked in; person: whether its queue names one who interprets. supervisors:
    of whom she is told. pop: a page about the call, "" for none.
    """

    id: str
    state: str
    outgoing: bool
    who: str
    name: str
    number: str
    queue: str
    title: str
    language: str
    market: str
    since: float
    connected: float | None
    waited_s: float | None
    why: Reasons | None
    misses: int
    held_by: tuple[str, ...]
    recording: str
    legs: tuple[LegView, ...]
    speech: SpeechView | None = None
    guest: GuestView | None = None
    person: bool = False
    pop: str = ""
    supervisors: tuple[SupervisorView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskQueue:
    """A queue of the agent's. oldest: since when the one who waits longest does; None for nobody."""

    name: str
    title: str
    waiting: int
    oldest: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A call that an agent talked in: what her page may write about."""

    call: str
    who: str
    name: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskView:
    """All of an agent's page. until: when the state ends by itself, as an offer and a wrap-up do; None when
    it does not. pending: the state that comes after the call, "" for none. last: the call to wrap up.
    """

    agent: str
    name: str
    state: str
    since: float
    until: float | None
    reason: str
    pending: str
    registered: bool
    misses: int
    calls: tuple[DeskCall, ...]
    last: Served | None
    queues: tuple[DeskQueue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What somebody says to an agent, a supervisor say, in writing."""

    by: str
    text: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What one side of a call said, as text, in its own language and in the reader's.

    line: the same for all versions of one sentence, each of which takes the place of the one before; `final`
    is the last. translation, to: empty where none is needed. guess, guess_translated: how many characters at
    the end of the one and the other may still change; all before them stands. by, translated_by: who
    recognised and translated it, empty for people. low_accuracy, gist: of the one and the other, to be shown.
    marks: what is missing: a translation (no_pair), some of it (failed), an interpreter's voice (shed;
    unspoken, where it was made and came too late or was broken off).
    """

    call: str
    side: LegSide
    line: int
    at: float
    text: str
    language: str
    translation: str = ""
    to: str = ""
    final: bool = False
    guess: int = 0
    guess_translated: int = 0
    by: str = ""
    translated_by: str = ""
    low_accuracy: bool = False
    gist: bool = False
    marks: tuple[str, ...] = ()

    def wait(self, waiting: deque[Any]) -> None:
        """Go to the end of what waits for a page; a version that waits there still gives its place up."""
        for at, each in enumerate(waiting):
            if isinstance(each, Caption) and (each.call, each.side, each.line) == (
                self.call,
                self.side,
                self.line,
            ):
                waiting[at] = self
                return
        waiting.append(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A call as its caller is told of it. state: engine/states.py. position: from 1, None where she does not
    wait; wait_s: until somebody is there, by half minutes. talk_s: since somebody was.
    voice, fault: of an interpreter, as SpeechView has them.
    """

    call: str
    state: str
    position: int | None
    wait_s: float | None
    held: bool
    talk_s: float
    voice: str = "off"
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneTerms:
    """What an agent's page needs to be a phone. scheme, port: of the node's WebSockets for SIP; "" and 0
    where it has none.
    """

    domain: str
    scheme: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IceTerms:
    """How an agent's page finds its way, as RTCPeerConnection takes it. renewed_s: after which there are new
    passwords, long before these expire.
    """

    servers: tuple[Told, ...]
    policy: str
    renewed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationView:
    """One contact that a phone registered for an address of record."""

    aor: str
    contact: str
    transport: str
    expires_in_s: float
    user_agent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part's health; `detail` says what was seen, in words fit for an operator."""

    name: str
    status: Health
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthView:
    status: Health
    node: str
    version: str
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """A media worker; `load` is the share of its tick that work takes, 1.0 being all of it."""

    name: str
    load: float
    legs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LineLoadView:
    """A line that calls go out over. share: of its calls that it is given now, 0 where it takes none."""

    name: str
    share: float
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView:
    """What metrics are scraped from beside calls, queues and agents. sip_messages: since start, by (direction
    "in" | "out", method or status class such as "2xx").
    """

    legs: int = 0
    registrations: int = 0
    sip_messages: Mapping[tuple[str, str], int] = field(default_factory=dict)
    workers: tuple[WorkerView, ...] = ()
    lines: tuple[LineLoadView, ...] = ()
    journal_lag_s: float = 0.0
    journal_waiting: int = 0
    journal_spilled: int = 0
    journal_lost: int = 0
    turned_away: Mapping[str, int] = field(default_factory=dict)  # sources, by how
    recent: tuple[RecentView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundView:
    """A recording's sound as it is read. file, type: name and media type. size: bytes, None: not known."""

    file: str
    type: str
    pieces: Iterator[bytes]
    size: int | None = None


def worst(checks: tuple[Check, ...]) -> Health:
    """The status of a whole: that of its worst part."""
    order = list(Health)
    return max((check.status for check in checks), key=order.index, default=Health.OK)


class UnknownCall(LookupError):
    """No call of that id is in progress here."""


class UnknownAgent(LookupError):
    """No agent of that name is configured."""


class IllegalState(ValueError):
    """What was asked cannot be as things are; the message says what to do instead."""
