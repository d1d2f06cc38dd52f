"""What is kept of one call: its SIP messages and its quality over time, as values and as bytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from engine.insight.pcap import Address, Frame
from engine.insight.series import Sample
from sip.hop import Hop
from sip.ladder import Rung
from sip.redaction import redact

APART = 1_000_000  # between the numbers of legs of one node and of the next
LEVEL = 1  # of zlib: SIP repeats itself so much that higher ones gain a tenth and cost twice
MOST_BYTES = 64 << 20  # of what is unpacked: no row is believed


class Message(msgspec.Struct, frozen=True, array_like=True):
    """One SIP message. at: epoch seconds. inward: the far end, at `host` and `port`, sent it; own_host,
    own_port: our side. side, leg: whose dialog it belongs to. data: without secrets. fault: why it did not
    go; of one whose data is empty, what was heard of the way. who: the name of the line, agent or account
    that the far end is, "" where it has none.
    """

    at: float
    inward: bool
    transport: str
    host: str
    port: int
    own_host: str
    own_port: int
    side: str
    leg: int
    data: bytes
    fault: str = ""
    who: str = ""

    @property
    def text(self) -> str:
        """To be read; what is no text stands as such."""
        return self.data.decode("utf-8", "replace")

    def frame(self) -> Frame:
        """As a packet."""
        far, own = (self.host, self.port), (self.own_host, self.own_port)
        source, target = (far, own) if self.inward else (own, far)
        return Frame(self.at, source, target, not self.inward, self.data)


class LegQuality(msgspec.Struct, frozen=True, array_like=True):
    """One leg's samples, the oldest first."""

    leg: int
    side: str
    samples: list[Sample]


class Trace(msgspec.Struct, frozen=True):
    """A call. began: epoch seconds. omitted: messages that were left out, for there were too many."""

    call: str
    began: float
    messages: list[Message]
    quality: list[LegQuality]
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Rungs:
    """Messages of one dialog as they were noted, with their secrets; `messages` makes them fit to be seen."""

    side: str
    leg: int
    rungs: Sequence[Rung]
    omitted: int
    who: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What is known of a call at an instant, cheap to take: what can wait for a thread is done by `trace`.

    epoch: what is to be added to the times of rungs. own: our address towards a hop. troubled: it did not go
    as it should have. ended: None while it goes on.
    """

    call: str
    began: float
    ended: float | None
    epoch: float
    dialogs: Sequence[Rungs]
    quality: Sequence[LegQuality]
    own: Callable[[Hop], Address]
    troubled: bool = False

    def trace(self) -> Trace:
        """All of it, without secrets; for a thread beside the loop."""
        seen = [self._message(each, rung) for each in self.dialogs for rung in each.rungs]
        seen.sort(key=lambda message: message.at)
        omitted = sum(each.omitted for each in self.dialogs)
        return Trace(self.call, self.began, seen, list(self.quality), omitted)

    def _message(self, dialog: Rungs, rung: Rung) -> Message:
        hop, (host, port) = rung.hop, self.own(rung.hop)
        at = round(self.epoch + rung.at, 6)
        data = redact(rung.data)
        return Message(
            at, rung.inward, hop.transport, hop.host, hop.port, host, port, dialog.side, dialog.leg, data,
            rung.fault, dialog.who,
        )  # fmt: skip


def joined(traces: Sequence[Trace]) -> Trace | None:
    """What several nodes saw of a call that went from one to the next; None where nobody saw any. Their legs
    are numbered apart.
    """
    if len(traces) <= 1:
        return traces[0] if traces else None
    messages, quality = [], []
    for at, trace in enumerate(traces):
        apart = at * APART
        messages += [replace(each, leg=each.leg + apart) for each in trace.messages]
        later = trace.began - traces[0].began
        for leg in trace.quality:
            samples = [each._replace(at=round(each.at + later, 2)) for each in leg.samples]
            quality.append(LegQuality(leg.leg + apart, leg.side, samples))
    messages.sort(key=lambda message: message.at)
    first = traces[0]
    return Trace(first.call, first.began, messages, quality, sum(each.omitted for each in traces))


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Trace)


def pack(trace: Trace) -> bytes:
    """As it is kept."""
    return zlib.compress(_encoder.encode(trace), LEVEL)


def unpack(data: bytes) -> Trace:
    """Raises ValueError for what is none."""
    try:
        unpacker = zlib.decompressobj()
        plain = unpacker.decompress(data, MOST_BYTES)
        if not unpacker.eof:
            raise ValueError("cut short, or too large")
        return _decoder.decode(plain)
    except (zlib.error, msgspec.DecodeError) as error:
        raise ValueError(str(error)) from error
