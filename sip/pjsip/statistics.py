"""What a phone can say about a call's media: counts of RTP packets and the listening quality they allow."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Quality:
    """Media of one call, summed over its streams (every re-INVITE may start a new stream).

    received, sent, lost, discarded, duplicate, reordered: RTP packets; lost and discarded are the phone's own
    view of what it receives. remote_lost: the far end's view of what the phone sent (RTCP). jitter_ms: mean
    interarrival jitter (RFC 3550 section 6.4.1). rtt_ms: mean, None before the first RTCP round. buffer_ms:
    mean delay in the phone's jitter buffer.
    """

    codec: str = ""
    sent: int = 0
    received: int = 0
    lost: int = 0
    discarded: int = 0
    duplicate: int = 0
    reordered: int = 0
    remote_lost: int = 0
    jitter_ms: float = 0.0
    rtt_ms: float | None = None
    buffer_ms: float = 0.0

    def plus(self, later: Quality) -> Quality:
        """Both streams together; the later one speaks for jitter and delay once it has received anything."""
        newest = later if later.received else self
        return replace(
            newest,
            codec=later.codec or self.codec,
            sent=self.sent + later.sent,
            received=self.received + later.received,
            lost=self.lost + later.lost,
            discarded=self.discarded + later.discarded,
            duplicate=self.duplicate + later.duplicate,
            reordered=self.reordered + later.reordered,
            remote_lost=self.remote_lost + later.remote_lost,
        )

    @property
    def loss(self) -> float:
        """Share of packets that could not be played, 0–1: lost on the way or too late for the buffer."""
        expected = self.received + self.lost
        return (self.lost + self.discarded) / expected if expected else 0.0

    @property
    def mos(self) -> float | None:
        """Estimated listening quality, 1–4.4; None when nothing was received."""
        if not self.received:
            return None
        delay = (self.rtt_ms or 0.0) / 2 + self.buffer_ms
        return mean_opinion(self.loss, delay)

    def data(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        mos = self.mos
        return asdict(self) | {"loss": round(self.loss, 5), "mos": None if mos is None else round(mos, 2)}


def mean_opinion(loss: float, delay_ms: float) -> float:
    """Mean opinion score by the E-model (ITU-T G.107) for G.711 with concealment.

    loss: share 0–1, random. delay_ms: one way. Bpl = 25.1 and Ie = 0 are of G.113 Appendix I for G.711 with
    PLC; the delay term is the usual two-slope approximation of Idd.
    """
    percent = 100 * min(max(loss, 0.0), 1.0)
    equipment = 95 * percent / (percent + 25.1)
    delay = 0.024 * delay_ms + 0.11 * max(0.0, delay_ms - 177.3)
    rating = min(max(93.2 - equipment - delay, 0.0), 100.0)
    return 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating)
