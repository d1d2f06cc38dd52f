"""Which calls in progress somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass

from engine.access.principal import EVERYTHING, Reach


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """Which calls in progress; None asks nothing."""

    queue: str | None = None
    agent: str | None = None
    market: str | None = None
    state: str | None = None
    reach: Reach = EVERYTHING

    def wants(self, market: str, queue: str, agent: str, state: str) -> bool:
        """Whether a call of these is one."""
        return (
            (self.queue is None or queue == self.queue)
            and (self.agent is None or agent == self.agent)
            and (self.market is None or market == self.market)
            and (self.state is None or state == self.state)
            and self.reach.sees_call(market, queue, agent)
        )


ALL_CALLS = CallFilter()
