"""Agents prove at their page that they know their SIP password, without sending it: digest, as on the phone.

The arithmetic is that of RFC 7616 with SHA-256 over a nonce that is used once. Who guesses is slowed and
blocked by the same guard as one who guesses over SIP, so that one does not give another try to the other.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from random import Random

from config.people import AgentSettings
from sip.digest import Exchange, make_ha1
from sip.guard import Guard

ALGORITHM = "SHA-256"
METHOD, URI = "SIGNIN", "/v1/desk"
COUNT = "00000001"  # a nonce is good once


class SignIn:
    """realm: what passwords are hashed with, that of SIP. Times are seconds of the guard's clock."""

    def __init__(self, agents: Mapping[str, AgentSettings], realm: str, guard: Guard, rng: Random) -> None:
        self.realm = realm
        self.agents = agents
        self._guard = guard
        self._rng = rng
        self._nobody = f"{rng.getrandbits(128):032x}"

    def nonce(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    def blocked(self, host: str, now: float) -> bool:
        return self._guard.blocks(host, now)

    def delay(self, host: str, now: float) -> float:
        """Seconds that a refusal has to wait."""
        return self._guard.delay(host, now)

    def proves(self, agent: str, nonce: str, cnonce: str, response: str, host: str, now: float) -> bool:
        """Whether somebody at `host` knows the password. As long to say no of nobody as of an agent."""
        held = self.agents.get(agent)
        password = held.password.reveal() if held is not None else self._nobody
        exchange = Exchange(ALGORITHM, False, nonce, URI, METHOD, "auth", COUNT, cnonce)
        expected = exchange.response(make_ha1(ALGORITHM, agent, self.realm, password))
        proved = hmac.compare_digest(expected, response) and held is not None
        if proved:
            self._guard.succeeded(host, now)
        else:
            self._guard.failed(host, agent, now)
        return proved
