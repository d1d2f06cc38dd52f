"""Carriers' gateways in the simulation, and lines that lead to them."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from config.carrier import AddressSettings
from config.line import LineSettings
from config.routing import RoutingSettings
from routing.number import LineTarget, Rule
from sip import events
from sip.admission import Admission
from sip.agent import UserAgent
from sip.challenge import DigestPolicy, DigestServer
from sip.digest import Secret
from sip.guard import Guard, GuardPolicy
from sip.message import Request
from sip.registrar import Registrar, RegistrarPolicy
from sip.session import Session
from sip.settings import AgentSettings
from tests.sim.phones import OpenDoor
from tests.sim.stage import Stage, Voice


class Gateway(Voice):
    """Takes calls as a carrier does. `manner`: "answers", "rings" (and no more), "trying" (and no more),
    "redirects" to `elsewhere`, or the status with which it refuses; `before`: a status that it says first.
    """

    def __init__(self, stage: Stage, address: str) -> None:
        super().__init__(stage, address)
        self.manner: str | int = "answers"
        self.before = 0
        self.later_s = 0.3
        self.thinks_s = 0.0  # before it does anything but say 100
        self.elsewhere = ""
        self.called: list[Request] = []
        self.taken: list[Session] = []

    def rung(self, event: events.IncomingCall) -> None:
        self.called.append(event.request)
        if self.thinks_s:
            self.later(self.thinks_s, event.session, lambda session: self._do(event))
        else:
            self._do(event)

    def _do(self, event: events.IncomingCall) -> None:
        session, now = event.session, self.world.now
        if self.before:
            session.progress(None, self.before, now=now)
        if isinstance(self.manner, int):
            session.reject(self.manner, now=now)
        elif self.manner == "redirects":
            session.redirect([event.request.uri.sip(self.elsewhere, "elsewhere.example")], now=now)
        elif self.manner == "answers":
            self._take(session, event.offer)
            session.ring(now=now)
            self.later(self.later_s, session, self.pick_up)
        elif self.manner == "rings":
            session.ring(now=now)

    def challenges(self, user: str, password: str, *, registers: bool = False) -> None:
        """It wants to know who calls. registers: or registers with it."""
        rng = Random(self.address)
        digest = DigestServer(
            DigestPolicy(realm="carrier.example"),
            lambda name, realm: Secret(password) if name == user else None,
            key=rng.randbytes(32),
            rng=rng,
        )
        self.agent = UserAgent(
            AgentSettings(addresses={"udp": (self.address, 5060)}),
            rng=rng,
            admission=Admission(digest, Guard(GuardPolicy()), may_use=lambda user, claimed: True),
            registrar=Registrar(RegistrarPolicy(self.address)) if registers else None,
        )
        self._plug()

    def pick_up(self, session: Session) -> None:
        self.taken.append(session)
        super().pick_up(session)

    def forget(self) -> None:
        """It was restarted, and knows of no call."""
        self.agent = UserAgent(
            AgentSettings(addresses={"udp": (self.address, 5060)}), rng=Random(1), admission=OpenDoor()
        )
        self._plug()
        self.live.clear()

    def _plug(self) -> None:
        """Connect the user agent to the network."""
        host = self.host
        host.agent, host.deadline, host.expire = self.agent, self.agent.next_timeout, self.agent.timeout

    @property
    def numbers(self) -> list[str]:
        """That were called, as it read them."""
        return [request.uri.user for request in self.called]


class Lines:
    """A stage's lines, a gateway each; +… leads out over any of them."""

    def __init__(self, stage: Stage, **routing: Any) -> None:
        self.stage = stage
        self.gateways: dict[str, Gateway] = {}
        switch = stage.house.switch
        switch.config = replace(switch.config, routing=RoutingSettings(**routing))
        self.leads("+", LineTarget())

    def add(self, name: str, *addresses: str, there: bool = False, **settings: Any) -> Gateway:
        """A line whose gateway, the first of several, is at `addresses`. there: it is already."""
        switch = self.stage.house.switch
        given = {"country": "DE", **settings}
        hosts = tuple(AddressSettings(host=each, port=5060) for each in addresses)
        line = LineSettings(name=name, addresses=hosts, **given)
        lines = {**switch.config.lines, name: line}
        specs = {each: settings.spec() for each, settings in lines.items()}
        switch.config = replace(switch.config, lines=lines, specs=specs)
        for address in () if there else addresses:
            self.gateways[address] = Gateway(self.stage, address)
        switch.trunks.reconfigured(self.stage.world.now)
        self.stage.house.host.pump()
        return self.gateways[addresses[0]]

    def leads(self, pattern: str, target: LineTarget) -> None:
        """A number or a prefix that anyone may dial."""
        switch = self.stage.house.switch
        rule, plan = Rule(pattern, target), switch.plan
        if pattern.startswith("+"):
            switch.plan = replace(plan, prefixes=(*plan.prefixes, rule))
        else:
            switch.plan = replace(plan, exact={**plan.exact, pattern: rule})

    def dial(self, number: str = "+34910601234") -> Session:
        """The agent calls a number outside."""
        agent = self.stage.agent
        return agent.call(number, agent.name, agent.credentials)
