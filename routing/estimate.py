"""How long a caller still has to wait, from what the queue saw lately.

The caller at position p is answered at the p-th moment from now at which one of the m working agents comes
free. An agent is busy h seconds with a call (talk and wrap-up), so with all of them busy one comes free every
h / m seconds:

    wait = p * h / m

h is an average in which what happened `half_life_s` ago counts half, so a quiet night does not answer for a
busy morning. Before any call was served the decaying average of waits stands in for it, and without either,
or without agents, there is no estimate: None, and nothing is announced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

LONGEST_SAMPLE_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class Average:
    """A mean whose samples lose half their weight every `half_life_s` seconds."""

    half_life_s: float = 1800.0
    weight: float = 0.0
    mean: float = 0.0
    at: float = 0.0

    def with_sample(self, value: float, now: float) -> Average:
        old = self.weight_at(now)
        weight = old + 1.0
        return replace(self, weight=weight, mean=self.mean + (value - self.mean) / weight, at=now)

    def weight_at(self, now: float) -> float:
        """How many fresh samples the average is worth."""
        return self.weight * math.exp2(-max(0.0, now - self.at) / self.half_life_s)


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one queue has learnt: seconds agents are busy with a call, and seconds callers waited."""

    service: Average = Average()
    waits: Average = Average()

    def served(self, busy_s: float, now: float) -> Estimate:
        """An agent is done with a call of this queue after `busy_s` seconds of talk and wrap-up."""
        return replace(self, service=self.service.with_sample(_sane(busy_s), now))

    def answered(self, waited_s: float, now: float) -> Estimate:
        """A caller was answered after `waited_s` seconds."""
        return replace(self, waits=self.waits.with_sample(_sane(waited_s), now))

    def wait_s(self, position: int, working: float, now: float) -> float | None:
        """Seconds until the caller at `position` (1 is the head) is answered; None when nobody can say.

        working: agents who take calls of this queue now; one who also works for others may count by her
        share.
        """
        if position < 1 or working <= 0:
            return None
        if self.service.weight_at(now) > 0:
            return position * self.service.mean / working
        return self.waits.mean if self.waits.weight_at(now) > 0 else None


def _sane(seconds: float) -> float:
    return min(max(0.0, seconds), LONGEST_SAMPLE_S)
