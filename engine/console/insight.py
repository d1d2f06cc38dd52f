"""What a call's page shows of its inside: SIP, quality over time, and what went wrong. Values, and a protocol
for whoever gathers them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from engine.api.deps import EngineView


class Weight(StrEnum):
    """How much a finding matters."""

    FAULT = "fault"  # this is why the call was bad
    LIKELY = "likely"  # it probably is
    NOTE = "note"  # worth knowing


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A SIP message of a call. at: epoch s. source, target: parties, as `parties` of Ladder names them.
    label: method or status line. cseq: as on the wire. text: the whole message. again: it was sent before.
    """

    at: float
    source: str
    target: str
    label: str
    cseq: str = ""
    text: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One end of messages. id: as Message has it. kind: customer, node or agent, whose side it is on.
    name: what people call it, "" for whom nobody knows. way: the line by which a customer came.
    address: of its socket.
    """

    id: str
    kind: str
    name: str = ""
    way: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """parties: from left to right."""

    parties: tuple[Party, ...] = ()
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A leg's sound in some seconds. mos 1 to 5, loss a share, jitter and delay ms; None: not measured."""

    at: float
    mos: float | None = None
    loss: float | None = None
    jitter_ms: float | None = None
    delay_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegQuality:
    """leg: its number. side: customer or agent."""

    leg: int
    side: str
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that went wrong. kind: to program against. what: in plain words. remedy: what to do.
    evidence: what it is seen by, in words.
    """

    kind: str
    weight: Weight
    what: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()


class Insight(Protocol):
    """Of one call. All of it blocks, is called from a worker thread, and raises StoreUnavailable. None:
    nothing is known of the call.
    """

    def ladder(self) -> Ladder | None: ...
    def quality(self) -> Sequence[LegQuality] | None: ...
    def findings(self) -> Sequence[Finding] | None: ...


# the node as somebody sees it, a call, a language, epoch s; made on the event loop
Insights = Callable[["EngineView", str, str, float], Insight]
