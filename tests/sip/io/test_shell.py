"""Whole user agents over real sockets: the same call over UDP, TCP and TLS, on both event loops."""

from __future__ import annotations

import asyncio
import time
from random import Random

import pytest

from sip.admission import Admission, Identity
from sip.agent import UserAgent
from sip.challenge import DigestPolicy, DigestServer
from sip.digest import Credentials, Secret
from sip.events import Acknowledged, Answered, Ended, IncomingCall, Rejected
from sip.guard import Guard
from sip.io import certificate
from sip.io.shell import Listener, SipShell
from sip.io.tls import TlsContexts, TlsSettings
from sip.ladder import Ladders
from sip.message import NameAddr, Uri
from sip.registrar import Registered, Registrar, RegistrarPolicy, Unregistered
from sip.settings import AgentSettings
from tests.sip.io.peers import LOCAL

OFFER = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
TRANSPORTS = ("udp", "tcp", "tls")


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    pem, key = certificate.ensure(tmp_path_factory.mktemp("tls"), [LOCAL])
    return TlsSettings(pem, key, ca=pem)


class Party:
    """A user agent with sockets, and what it was told."""

    def __init__(self, name: str, tls: TlsSettings, seed: int) -> None:
        self.name = name
        self.listeners = [Listener(transport, LOCAL, 0).open() for transport in TRANSPORTS]
        self.addresses = {listener.transport: (LOCAL, listener.port) for listener in self.listeners}
        digest = DigestServer(
            DigestPolicy("node.example"),
            lambda user, realm: Secret(password="pw") if user == "1001" else None,
            key=bytes(16),
            rng=Random(seed),
        )
        self.guard = Guard()
        self.registrar = Registrar(RegistrarPolicy("node.example"))
        self.agent = UserAgent(
            AgentSettings(self.addresses),
            rng=Random(seed),
            admission=Admission(digest, self.guard),
            registrar=self.registrar,
        )
        self.events = []
        self.ladders = Ladders()
        self._changed = asyncio.Event()
        self.shell = SipShell(
            self.agent,
            self.listeners,
            self._on_events,
            tls=TlsContexts(tls),
            drops=self._drops,
            tap=self.ladders,
        )

    async def __aenter__(self) -> Party:
        await self.shell.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.shell.close()

    def _drops(self, hop, now):
        return self.guard.blocks(hop.host, now)

    def _on_events(self, events):
        self.events += events
        self._changed.set()
        for event in events:
            if isinstance(event, IncomingCall):
                event.session.ring(now=time.monotonic())
                event.session.answer(OFFER, now=time.monotonic())

    async def told(self, kind):
        """The first event of a kind, once it is there."""
        async with asyncio.timeout(5.0):
            while True:
                for event in self.events:
                    if isinstance(event, kind):
                        return event
                self._changed.clear()
                await self._changed.wait()

    def at(self, other: Party, transport: str, user: str = "") -> Uri:
        host, port = other.addresses[transport]
        return Uri.sip(user, host, port, transport=transport)

    def call(self, other: Party, transport: str, password: str = "pw", user: str = "1001"):
        us = NameAddr("", Uri.sip(user, "node.example"))
        target = self.at(other, transport, "support")
        session = self.agent.invite(
            target,
            (),
            from_=us,
            to=NameAddr("", target),
            offer=OFFER,
            credentials=Credentials(user, password),
            now=time.monotonic(),
        )
        self.shell.flush()
        return session

    def register(self, other: Party, transport: str, expires: int) -> list[int]:
        us = NameAddr("", Uri.sip("1001", "node.example"))
        statuses = []
        self.agent.request(
            "REGISTER",
            self.at(other, transport),
            (),
            from_=us,
            to=us,
            final=lambda outgoing, response, now: statuses.append(response.status),
            headers=[("Contact", f"<{self.at(self, transport, '1001')}>"), ("Expires", str(expires))],
            credentials=Credentials("1001", "pw"),
            now=time.monotonic(),
        )
        self.shell.flush()
        return statuses


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_call_is_challenged_answered_and_hung_up(run, tls, transport):
    async def scenario():
        async with Party("phone", tls, 1) as phone, Party("node", tls, 2) as node:
            session = phone.call(node, transport)
            assert (await node.told(IncomingCall)).identity == Identity("user", "1001")
            assert (await phone.told(Answered)).sdp == OFFER
            await node.told(Acknowledged)
            session.hangup(now=time.monotonic())
            phone.shell.flush()
            assert (await node.told(Ended)).cause == "bye"
            assert (await phone.told(Ended)).cause == "hangup"
            assert node.shell.counts().get("faults", 0) == phone.shell.counts().get("faults", 0) == 0

    run(scenario())


def heard(party: Party, call_id: str) -> list[tuple[bool, str]]:
    """What the tap of a party was shown of a call: which way, and the method or status."""
    rungs = party.ladders.find(call_id).rungs()
    words = [(each.inward, each.data.split(b" ", 2)[:2]) for each in rungs]
    return [(inward, (b if a == b"SIP/2.0" else a).decode()) for inward, (a, b) in words]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_tap_of_either_side_sees_all_that_is_said(run, tls, transport):
    async def scenario():
        async with Party("phone", tls, 1) as phone, Party("node", tls, 2) as node:
            session = phone.call(node, transport)
            await node.told(Acknowledged)
            session.hangup(now=time.monotonic())
            phone.shell.flush()
            await node.told(Ended)
            async with asyncio.timeout(5.0):
                while len(heard(phone, session.call_id)) < 9:
                    await asyncio.sleep(0)
            theirs, ours = heard(phone, session.call_id), heard(node, session.call_id)
            assert ours == [(not inward, what) for inward, what in theirs]
            assert [what for _, what in ours] == [
                "INVITE", "401", "ACK", "INVITE", "180", "200", "ACK", "BYE", "200",
            ]  # fmt: skip
            first = next(node.ladders.find(session.call_id).rungs())
            begins = phone.shell.local(next(phone.ladders.find(session.call_id).rungs()).hop)
            expected = (first.hop.host, first.hop.port) if transport != "udp" else None
            assert begins == expected, "where our connection begins is what the peer sees"

    run(scenario())


def test_what_did_not_go_is_shown_with_the_reason(run, tls, tmp_path):
    async def scenario():
        pem, key = certificate.ensure(tmp_path / "theirs", [LOCAL])
        strange = TlsSettings(pem, key, ca=pem)
        async with Party("phone", tls, 1) as phone, Party("node", strange, 2) as node:
            session = phone.call(node, "tls")
            await phone.told(Rejected)
            fault = [each.fault for each in phone.ladders.find(session.call_id).rungs() if each.fault]
            assert fault[0].startswith("certificate: ")
            return phone.ladders.find(session.call_id)

    dialog = run(scenario())
    if dialog is not None:
        assert not any(each.inward for each in dialog.rungs())


def test_a_port_where_nobody_listens_is_shown(run, tls):
    async def scenario():
        async with Party("phone", tls, 1) as phone:
            async with Party("node", tls, 2) as node:
                pass
            for transport in TRANSPORTS:
                phone.events.clear()
                session = phone.call(node, transport)
                phone.ladders.bind(session.call_id)
                await phone.told(Rejected)
                faults = [each.fault for each in phone.ladders.find(session.call_id).rungs() if each.fault]
                assert faults, transport

    run(scenario())


@pytest.mark.parametrize("user", ["1001", "9999"])
def test_a_wrong_password_is_rejected_like_an_unknown_user(run, tls, user):
    async def scenario():
        async with Party("phone", tls, 1) as phone, Party("node", tls, 2) as node:
            phone.call(node, "udp", password="guess", user=user)
            assert (await phone.told(Rejected)).status == 401
            assert node.events == []

    run(scenario())


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_phone_registers_and_is_found(run, tls, transport):
    async def scenario():
        async with Party("phone", tls, 1) as phone, Party("node", tls, 2) as node:
            phone.register(node, transport, 600)
            registered = await node.told(Registered)
            (binding,) = node.registrar.lookup("sip:1001@node.example", time.monotonic())
            assert registered.binding == binding
            assert (binding.hop.transport, binding.hop.host) == (transport, LOCAL)
            phone.register(node, transport, 0)
            assert (await node.told(Unregistered)).why == "removed"

    run(scenario())


def test_a_call_to_a_peer_that_is_not_there_fails_at_once(run, tls):
    async def scenario():
        async with Party("phone", tls, 1) as phone:
            async with Party("node", tls, 2) as node:
                pass
            for transport in TRANSPORTS:
                phone.events.clear()
                phone.call(node, transport)
                rejected = await phone.told(Rejected)
                assert (rejected.status, rejected.cause) == (503, "transport")

    run(scenario())
