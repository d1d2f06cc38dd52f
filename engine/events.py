"""What happened, as values: every transition of a call, a leg or an agent is one of these, once.

Events are what the journal keeps and what records, dashboards and crash recovery read. `at` is seconds since
the epoch, because a reader may live in another process or another year; durations inside the engine are
taken from the monotonic clock. A call belongs to a contact, a customer, a market and a region from its first
event on.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, ClassVar

from engine.latency import Latencies


class Side(StrEnum):
    """Who ended a call."""

    CUSTOMER = "customer"
    AGENT = "agent"
    ENGINE = "engine"


class EndReason(StrEnum):
    """Why a call ended: the closed vocabulary of the call detail record."""

    COMPLETED = "completed"  # talked, then one side hung up
    ABANDONED = "abandoned"  # the customer hung up before anyone answered
    LEFT_QUEUE = "left_queue"  # the customer pressed the key to leave and nothing followed
    OVERFLOW_FAILED = "overflow_failed"  # maximum wait passed and no overflow target answered
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REFUSED = "refused"  # the far end declined
    UNREACHABLE = "unreachable"  # no route, transport failure or nothing registered
    UNKNOWN_NUMBER = "unknown_number"
    NOT_ACCEPTABLE = "not_acceptable"  # no codec in common, or a malformed offer
    CLOSED = "closed"  # the queue does not take calls now
    OVERLOAD = "overload"  # refused to protect the calls in progress
    SIGNALLING_LOST = "signalling_lost"  # no answer, no ACK, session timer ran out, or the transport died
    MEDIA_LOST = "media_lost"  # the media worker or the gate died, or a browser was reached no more
    NOT_RESUMED = "not_resumed"  # a browser was out of reach and did not come back in time
    NOT_RESCUED = "not_rescued"  # its line died in the middle of it, and no other took it over in time
    NODE_LOST = "node_lost"  # the node died; closed at its restart
    TOO_LONG = "too_long"  # the node's longest call was reached
    SHUTDOWN = "shutdown"  # the node was stopped on purpose
    TRANSFERRED = "transferred"  # handed to a far end outside this node
    FAULT = "fault"  # an engine fault; the log of the same instant says which


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened; `kind` names it on the wire and in the journal."""

    kind: ClassVar[str] = "event"
    at: float
    call: str = ""

    def data(self) -> dict[str, Any]:
        """The event's own fields, ready for JSON; `at` and `call` have columns of their own."""
        fields = asdict(self)
        del fields["at"], fields["call"]
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStarted(Event):
    kind = "node.started"
    node: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeStopped(Event):
    kind = "node.stopped"
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost(Event):
    kind = "worker.lost"
    worker: int
    calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallArrived(Event):
    """The first event of every call: it was admitted, by whatever way it came."""

    kind = "call.arrived"
    contact: str
    customer: str
    market: str
    region: str
    number: str
    language: str
    source: str
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTaken(Event):
    """The call of a node that was lost goes on at this one, from `state`. began: when it arrived there.
    recording: files that other nodes recorded of it (CallRecord.recording).
    """

    kind = "call.taken"
    contact: str
    customer: str
    market: str
    region: str
    number: str
    language: str
    source: str
    node: str
    taken_from: str
    state: str
    began: float
    recording: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHandedOver(Event):
    """Another node has the call, and writes its record: the last event of it here."""

    kind = "call.handed_over"
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCrossed(Event):
    """The first event of a call of another node that comes here for its agent. Its record is that of the
    call `origin` of `node`; this one has none.
    """

    kind = "call.crossed"
    contact: str
    customer: str
    node: str
    origin: str
    agent: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAnswered(Event):
    """The engine answered the customer's leg (2xx sent)."""

    kind = "call.answered"
    codec: str
    encryption: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallQueued(Event):
    kind = "call.queued"
    queue: str
    position: int
    at_head: bool = False
    returned: bool = False  # a place had been kept for her


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOffered(Event):
    """An agent's phone was asked to ring; `why` gives the reasons of the choice."""

    kind = "call.offered"
    queue: str
    agent: str
    why: str
    node: str = ""  # the other node where she is


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferMissed(Event):
    kind = "call.offer_missed"
    agent: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallConnected(Event):
    """Two people can talk: customer and `party` are bridged."""

    kind = "call.connected"
    party: str
    agent: str
    codec: str
    encryption: str = ""
    node: str = ""  # the other node where she is


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHeld(Event):
    kind = "call.held"
    by: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class CallResumed(Event):
    kind = "call.resumed"
    by: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTransferred(Event):
    kind = "call.transferred"
    by: str
    target: str
    attended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLeft(Event):
    kind = "call.queue_left"
    queue: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitPressed(Event):
    """A DTMF digit; which digit is kept out of the journal, since callers key in cards and PINs."""

    kind = "call.digit"
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTroubled(Event):
    """Something is wrong with a leg's sound, or is no more (over). trouble: media.messages.TroubleKind.

    cause: what, why probably and what to do, in plain words. since: when it began or ended.
    """

    kind = "leg.troubled"
    leg: int
    side: Side
    trouble: str
    cause: str
    since: float
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LegGone(Event):
    """A browser is out of reach; its place in the call is kept for a while, and the other side is told."""

    kind = "leg.gone"
    leg: int
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class LegReturned(Event):
    """It is there again: found on the way it had, on another one, or come back as another leg."""

    kind = "leg.returned"
    leg: int
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class CodecWished(Event):
    """A phone is asked to change to another codec, for the sake of its network."""

    kind = "leg.codec_wished"
    leg: int
    side: Side
    codec: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingBegan(Event):
    """The first sound is in; `file` is below the folder that recordings of the call's queue are in."""

    kind = "recording.began"
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPaused(Event):
    """Silence is written from now on; `by` is an agent's name or an API token's."""

    kind = "recording.paused"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResumed(Event):
    kind = "recording.resumed"
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFault(Event):
    """The file cannot be written (or, `over`, can be again): what, and what to do. The call goes on."""

    kind = "recording.fault"
    file: str
    what: str
    remedy: str
    over: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEnded(Event):
    """The file is closed. A disk that hangs lets it come after the call's record; `call` is empty then.

    lost_s: silence where sound could not be written. complete: the file has its end.
    """

    kind = "recording.ended"
    file: str
    seconds: float
    size: int
    lost_s: float
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEnded(Event):
    """The end of every call, written together with its record; only what people say of it comes later."""

    kind = "call.ended"
    by: Side
    reason: EndReason


@dataclass(frozen=True, slots=True, kw_only=True)
class CallWrappedUp(Event):
    """What an agent wrote about a call of hers, during it or after its end; the newest one counts."""

    kind = "call.wrapped_up"
    agent: str
    outcome: str
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRated(Event):
    """What the customer thinks of the call, mostly after its end. stars: 1 to 5, best is most."""

    kind = "call.rated"
    stars: int
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChanged(Event):
    kind = "agent.changed"
    agent: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call's detail record (CDR). Times in epoch seconds, durations in seconds, loss as a share 0–1."""

    call: str
    contact: str
    customer: str
    market: str
    region: str
    node: str
    number: str
    source: str
    language: str
    queue: str
    agent: str
    offered_at: float
    answered_at: float | None
    connected_at: float | None
    ended_at: float
    ended_by: Side
    reason: EndReason
    wait_s: float
    talk_s: float
    hold_s: float
    post_dial_delay_s: float | None
    customer_codec: str
    agent_codec: str
    customer_encryption: str = ""
    agent_encryption: str = ""
    customer_loss: float | None
    agent_loss: float | None
    customer_jitter_ms: float | None
    agent_jitter_ms: float | None
    customer_mos: float | None
    agent_mos: float | None
    customer_concealed_ms: int | None = None
    agent_concealed_ms: int | None = None
    asr_latency: Latencies | None = None  # engine/speech/latency.py
    mt_latency: Latencies | None = None
    misses: int
    transfers: int
    recording: str = ""  # files, separated by spaces; NODE: before those on another node's disk
