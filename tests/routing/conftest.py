"""People and queues that most specs of routing need."""

from __future__ import annotations

import pytest

from routing.agent import Agent, AgentEvent, Offer, apply


@pytest.fixture
def alice() -> Agent:
    """Logged in with a phone since second 0."""
    agent = apply(Agent("alice", ("support",)), AgentEvent.REGISTERED, 0.0)
    return apply(agent, AgentEvent.LOGIN, 0.0)


@pytest.fixture
def offer() -> Offer:
    return Offer("call-1", "support", ring_timeout_s=20.0, wrap_up_s=10.0, max_misses=2)


@pytest.fixture
def talking(alice: Agent, offer: Offer) -> Agent:
    """Alice, in a queue's call since second 105."""
    return apply(apply(alice, AgentEvent.OFFER, 100.0, offer=offer), AgentEvent.ACCEPT, 105.0)
