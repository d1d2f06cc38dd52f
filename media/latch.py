"""Which source a leg's packets may come from: symmetric RTP that a third party cannot steal.

Far ends behind NAT send from elsewhere than their SDP says, so a leg answers to where packets really come
from. That opens the door to whoever sends to the port first; hence:

- The address in the SDP is taken at once, whatever was before.
- Another source must show `proof` packets of one SSRC in sequence, and only while the trusted source is
  silent: none has sent, or nothing for `silence` s. If it goes on with the trusted stream's SSRC and
  sequence, two packets do.
- Once a source is certain, the port is connected to it, so that the kernel drops all others: at once for the
  SDP's address, after `watch` s without a packet of the SDP's address for another source.
- A connected source that is silent for `silence` s opens the port again, with the rules above.
- When the far end announces a new address, its former source is shunned for `shun` s.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from media.messages import Address

MAX_CANDIDATES = 8
CONTINUES = 3000  # packets that a stream may go on by and still be the same


@dataclass(frozen=True, slots=True)
class LatchPolicy:
    """strangers: whether sources other than the SDP's may be taken at all. Times in seconds, proof in
    packets.
    """

    strangers: bool = True
    proof: int = 4
    silence: float = 2.0
    watch: float = 2.0
    shun: float = 2.0


@dataclass(slots=True)
class _Candidate:
    ssrc: int
    sequence: int
    count: int


class Latch:
    """One leg's source. `source` is where packets are accepted from, None before the first."""

    __slots__ = (
        *("connected", "expected", "source"),
        *("_candidates", "_last", "_policy", "_sequence", "_shunned", "_shunned_until", "_since", "_ssrc"),
    )

    def __init__(self, policy: LatchPolicy) -> None:
        self._policy = policy
        self._candidates: OrderedDict[Address, _Candidate] = OrderedDict()
        self._shunned: Address | None = None
        self._shunned_until = 0.0
        self._since = 0.0
        self._last = 0.0
        self._ssrc = -1
        self._sequence = 0
        self.expected: Address | None = None
        self.source: Address | None = None
        self.connected = False

    @property
    def target(self) -> Address | None:
        """Where to send."""
        return self.source or self.expected

    def expect(self, address: Address | None, now: float) -> bool:
        """The far end's SDP names `address`; whether that begins latching anew."""
        if address == self.expected:
            return False
        if self.source is not None:
            self._shunned = self.source if self.source != address else None
            self._shunned_until = now + self._policy.shun
        self.expected = address
        self.source = None
        self.connected = False
        self._ssrc = -1
        self._candidates.clear()
        return True

    def judge(self, source: Address, ssrc: int, sequence: int, now: float) -> bool:
        """Whether to take a valid RTP packet from `source`."""
        if source != self.source:
            if source != self.expected and not self._proven(source, ssrc, sequence, now):
                return False
            self.source = source
            self._since = now
            self._candidates.clear()
        self._ssrc, self._sequence, self._last = ssrc, sequence, now
        return True

    def _proven(self, source: Address, ssrc: int, sequence: int, now: float) -> bool:
        """Whether a source that the SDP does not name may take the leg."""
        policy = self._policy
        if not policy.strangers or self.expected is None:
            return False
        if source == self._shunned and now < self._shunned_until:
            return False
        if self.source is not None and now - self._last < policy.silence:
            self._candidates.clear()
            return False
        candidate = self._candidates.get(source)
        if candidate is None or candidate.ssrc != ssrc or sequence != candidate.sequence + 1 & 0xFFFF:
            if candidate is None and len(self._candidates) >= MAX_CANDIDATES:
                self._candidates.popitem(last=False)
            self._candidates[source] = candidate = _Candidate(ssrc, sequence, 0)
        candidate.sequence = sequence
        candidate.count += 1
        continues = ssrc == self._ssrc and 0 < (sequence - self._sequence & 0xFFFF) < CONTINUES
        return candidate.count >= (min(2, policy.proof) if continues else policy.proof)

    def certain(self, now: float) -> bool:
        """Whether the port can be connected to the source now."""
        if self.source is None or self.connected:
            return False
        return self.source == self.expected or now - self._since >= self._policy.watch

    def reopened(self, ssrc: int, sequence: int, last: float) -> None:
        """The connected source was silent and the port is open again; what its stream last was."""
        self.connected = False
        self._ssrc, self._sequence, self._last = ssrc, sequence, last

    @property
    def silence(self) -> float:
        """Seconds without a packet after which a connected port opens again."""
        return self._policy.silence
