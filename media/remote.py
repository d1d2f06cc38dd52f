"""What the far end tells in its reports: how our stream fares there, the round trip, and its own clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.clock import ntp_middle
from media.rtcp import Block, Report
from media.twcc import Path
from media.xr import Extended, LastReceived, VoipMetrics

MAX_RTT = 30.0  # s; a longer round trip is a lie
SINCE = 1000  # packets, the newest that were sent, of which a report must have seen one to tell how they fare
BLIND = 50  # packets sent between two reports of which it must have seen some


@dataclass(slots=True)
class RemoteView:
    """rtt: s. lost: of ours, in all; fraction: share since the report before; jitter: in timestamp units; at:
    when it said so, s. unheard: it gets nothing of what we send. metrics: of its newest extended report.

    path: what its feedback on single packets says. lsr, lrr: middle 32 bits of its NTP time in its sender
    report, in its reference time report.
    """

    rtt: float | None = None
    lost: int | None = None
    fraction: float = 0.0
    jitter: int = 0
    at: float | None = None
    unheard: bool = False
    metrics: VoipMetrics | None = None
    lsr: int = 0
    lsr_at: float = 0.0
    lrr: int = 0
    lrr_at: float = 0.0
    path: Path = field(default_factory=Path)
    _ssrc: int = 0
    _highest: int | None = None
    _sent: int = 0
    _sends: bool = False

    def take(
        self, report: Report, ours: int, theirs: int, sent: int, newest: int, now: float, epoch: float
    ) -> None:
        """A report that came now.

        ours, theirs: SSRCs of the two streams. sent: our packets, in all; newest: extended sequence number of
        the last. epoch: seconds since 1970 at now = 0.
        """
        if report.sender is not None and report.ssrc == theirs:
            self.lsr = report.sender.ntp >> 16 & 0xFFFF_FFFF
            self.lsr_at = now
        about = next((block for block in report.blocks if block.ssrc == ours), None)
        if about is not None and _seen(about.highest, newest):
            self._note(about, now, epoch)
        if report.ssrc == theirs or about is not None:
            self._judge(about, report.sender is not None, sent)

    def _note(self, block: Block, now: float, epoch: float) -> None:
        self.lost, self.fraction, self.jitter, self.at = (
            max(block.lost, 0),
            block.fraction / 256.0,
            block.jitter,
            now,
        )
        self._clock(block.lsr, block.dlsr, now, epoch)

    def _judge(self, block: Block | None, sends: bool, sent: int) -> None:
        """It hears nothing of us when much was sent since its newest packet was a newer one than before.

        That there is no block tells it too (RFC 3550 section 6.4: one for each source heard since the report
        before), but only among reports of the kind that had one: browsers report what they send and what
        they hear one apart from the other. A far end that sends no blocks at all does not tell. sends: the
        report is a sender's.
        """
        if block is not None and block.highest != self._highest:
            self._highest, self._sent, self.unheard = block.highest, sent, False
        elif self._highest is not None and sent - self._sent >= BLIND:
            self.unheard |= block is not None or sends == self._sends
        if block is not None:
            self._sends = sends

    def begin_anew(self) -> None:
        """We begin to send, or stop: reports are compared with those from now on. One that paused with us
        tells nothing of the packets before the pause, as browsers do, which forget the stream.
        """
        self._highest, self.unheard = None, False

    def take_extended(self, report: Extended, ours: int, now: float, epoch: float) -> None:
        """An extended report that came now."""
        if report.reference:
            self.lrr, self.lrr_at, self._ssrc = report.reference >> 16 & 0xFFFF_FFFF, now, report.ssrc
        for times in report.received:
            if times.ssrc == ours:
                self._clock(times.lrr, times.dlrr, now, epoch)
        for metrics in report.metrics:
            if metrics.ssrc == ours:
                self.metrics = metrics

    def _clock(self, last: int, held: int, now: float, epoch: float) -> None:
        """Round trip by our time `last` that came back after being held, both 1/65536 s."""
        if last:
            passed = (ntp_middle(epoch + now) - last - held & 0xFFFF_FFFF) / 65536.0
            if passed <= MAX_RTT:
                self.rtt = passed

    def dlsr(self, now: float) -> int:
        """Delay since the last sender report, 1/65536 s; 0 before the first."""
        return min(int((now - self.lsr_at) * 65536), 0xFFFF_FFFF) if self.lsr else 0

    def dlrr(self, now: float) -> LastReceived | None:
        """Answer to the far end's reference time report, once each."""
        if not self.lrr:
            return None
        held = min(int((now - self.lrr_at) * 65536), 0xFFFF_FFFF)
        answer, self.lrr = LastReceived(self._ssrc, self.lrr, held), 0
        return answer


def _seen(highest: int, newest: int) -> bool:
    """Whether what a report calls the newest packet of ours may be that: else it is not by who hears us.

    Both extended by the turns of the numbering: who began to listen late counts fewer of them.
    """
    return highest >> 16 <= newest >> 16 and newest - highest & 0xFFFF < SINCE
