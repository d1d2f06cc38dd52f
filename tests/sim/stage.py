"""A house on a quiet network, with phones that do as they are told and can be heard."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from engine.call import Call
from engine.events import CallRecord
from sip import events
from sip.session import Session
from tests.sim.house import House
from tests.sim.phones import AgentPhone, Phone
from tests.sim.world import Weather, World

PCMA = 8
RTP_PORT = 4000  # of every simulated phone
SECOND_OF_SOUND = 8000  # in RTP timestamps


class Voice(Phone):
    """Answers after a second if it `answers`, and while it `speaks` sends a packet every `pace_s`."""

    def __init__(self, stage: Stage, address: str, *more: Any) -> None:
        super().__init__(stage.world, address, Random(address), *more)
        self.stage = stage
        self.speaks = True
        self.sound = bytes(160)
        self.pace_s = 1.0
        self.answers = True
        self.refuses = 0  # the status that it refuses every re-INVITE with
        self.direction = "sendrecv"
        self.asked = 0  # so many re-INVITEs to which it had to say something
        self.session: Session | None = None
        self.shown: list[str] = []  # the callers' names on its display
        self.callers: list[str] = []  # and numbers
        self._port = 0
        self.towards = ""  # the address that it was told to send sound to
        self._sent = self._stamp = 0
        self.world.after(1.0, self._speak)

    def rung(self, event: events.IncomingCall) -> None:
        self.shown.append(event.request.from_.display)
        self.callers.append(event.request.from_.uri.user)
        self._take(event.session, event.offer)
        event.session.ring(now=self.world.now)
        if self.answers:
            self.later(1.0, event.session, self.pick_up)

    def pick_up(self, session: Session) -> None:
        session.answer(self.sdp(), now=self.world.now)

    def happened(self, event: object) -> None:
        if isinstance(event, events.Reoffered):
            self._reply(event)
            return
        if isinstance(event, events.Answered):
            self._take(event.session, event.sdp)
        super().happened(event)

    def vanish(self) -> None:
        """The battery is empty."""
        self.speaks = self.host.up = False

    def _reply(self, event: events.Reoffered) -> None:
        self.asked += 1
        if self.refuses:
            event.session.refuse(self.refuses, now=self.world.now)
        else:
            event.session.accept(self.sdp(self.direction), now=self.world.now)
            self._take(event.session, event.sdp or b"", self._port)

    def hold(self) -> None:
        self._ask("sendonly")

    def take_back(self) -> None:
        self._ask("sendrecv")

    def press(self, digit: str) -> None:
        """Tell a key in SIP INFO."""
        assert self.session is not None
        self.session.info_dtmf(digit, now=self.world.now)
        self.host.pump()

    def _ask(self, direction: str) -> None:
        assert self.session is not None
        self.direction = direction
        self.session.reoffer(self.sdp(direction), now=self.world.now)
        self.host.pump()

    def _take(self, session: Session, body: bytes | None, port: int = 0) -> None:
        self.session = session
        found = re.search(rb"m=audio (\d+)", body or b"")
        self._port = int(found[1]) if found else port
        at = re.search(rb"c=IN IP4 (\S+)", body or b"")
        self.towards = at[1].decode() if at else self.towards

    def _speak(self) -> None:
        self.world.after(self.pace_s, self._speak)
        if self.speaks and self.session is not None and self.session.id in self.live:
            self.say(round(self.pace_s * SECOND_OF_SOUND), self.sound)

    def say(self, span: int, sound: bytes = bytes(160)) -> None:
        """Send a packet, `span` timestamps after the last."""
        self._sent += 1
        self._stamp += span
        head = struct.pack("!BBHII", 0x80, PCMA, self._sent, self._stamp, id(self) & 0xFFFF)
        self.stage.house.hear(head + sound, (self.address, RTP_PORT), self._port)


class AgentVoice(Voice, AgentPhone):
    """An agent's phone that does as it is told."""


class Stage:
    """A house, its clock, and its agents' phones, registered. settings: as of House."""

    def __init__(self, folder: Path, agents: int = 1, **settings: Any) -> None:
        self.world = World(1, Weather(delay=0.01, jitter=0.0))
        self.house = House(self.world, folder, agents, **settings)
        self.agents = [AgentVoice(self, f"10.2.0.{n + 1}", f"agent{n}", []) for n in range(agents)]
        for agent in self.agents:
            agent.register()
        self.run(1.0)

    @property
    def agent(self) -> AgentVoice:
        """The first of them."""
        return self.agents[0]

    def run(self, seconds: float) -> None:
        self.world.run(self.world.now + seconds)

    def customer(self, number: str = "+4930100", headers: Sequence[tuple[str, str]] = ()) -> Voice:
        """Somebody who calls over the carrier's line; +4930100 is the queue `support`."""
        phone = Voice(self, f"10.1.0.{1 + len(self.world.hosts)}")
        phone.call(number, "+491701234", headers=headers)
        return phone

    @property
    def call(self) -> Call:
        """The only call."""
        (call,) = self.house.switch.calls.values()
        return call

    @property
    def records(self) -> list[CallRecord]:
        return list(self.house.ledger.records.values())

    @property
    def calls(self) -> Mapping[str, Call]:
        return self.house.switch.calls
