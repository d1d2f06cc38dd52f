"""A softphone in a browser and the user agent (RFC 7118): nothing leads to it but its own connection."""

from __future__ import annotations

from random import Random

from sip.agent import UserAgent
from sip.events import IncomingCall, Rejected
from sip.hop import Hop
from sip.message import NameAddr, Request, Response, parse
from sip.registrar import Registered, Registrar, RegistrarPolicy, Unregistered
from sip.renegotiation import FLOW_S
from sip.settings import AgentSettings
from sip.uri import Uri
from tests.sip.network import Open

DOMAIN = "node.example"
AOR = Uri.parse(f"sip:anna@{DOMAIN}")
CONTACT = "sip:h7df@k2j4.invalid;transport=ws"
FLOW, NEW_FLOW = Hop("wss", "203.0.113.9", 40001, 7), Hop("wss", "203.0.113.9", 40002, 8)


class Tab:
    """A node, and what a softphone in a browser says to it and hears."""

    def __init__(self) -> None:
        self.now = 100.0
        self.registrar = Registrar(RegistrarPolicy(DOMAIN))
        self.agent = UserAgent(
            AgentSettings({"udp": ("192.0.2.1", 5060), "wss": (DOMAIN, 7443)}),
            rng=Random(1),
            admission=Open(),
            registrar=self.registrar,
        )
        self.events = []
        self._number = 0

    def say(self, data: str, hop: Hop = FLOW, body: str = "") -> list[tuple[Request | Response, Hop]]:
        whole = f"{data}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        self.agent.receive(whole, hop, self.now)
        return self.heard()

    def heard(self) -> list[tuple[Request | Response, Hop]]:
        self.events += self.agent.events()
        return [(parse(data), hop) for data, hop in self.agent.outgoing()]

    def request(self, method: str, hop: Hop = FLOW, to: str = str(AOR), extra: str = "", **dialog: str):
        self._number += 1
        uri = dialog.get("uri", f"sip:{DOMAIN}")
        head = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/WSS k2j4.invalid;branch=z9hG4bK{self._number}\r\n"
            f"From: <{AOR}>;tag={dialog.get('tag', 't1')}\r\nTo: <{to}>{dialog.get('to_tag', '')}\r\n"
            f"Call-ID: {dialog.get('call_id', 'reg')}\r\nCSeq: {self._number} {method}\r\n"
            f"Contact: <{CONTACT}>{dialog.get('params', '')}\r\n{extra}"
        )
        return self.say(head, hop, dialog.get("body", ""))

    def register(self, hop: Hop = FLOW):
        params = ';reg-id=1;+sip.instance="<urn:uuid:1>";expires=600'
        return self.request("REGISTER", hop, extra="Supported: path, gruu, outbound\r\n", params=params)

    def ring(self) -> tuple[object, Request]:
        (target,) = self.registrar.targets(AOR.aor, self.now)
        us = NameAddr("", Uri.sip("desk", DOMAIN))
        session = self.agent.invite(
            target.contact, target.hops, from_=us, to=NameAddr("", AOR), offer=b"v=0 offer", now=self.now
        )
        ((invite, hop),) = self.heard()
        assert hop == FLOW and isinstance(invite, Request)
        return session, invite

    def answer(self, invite: Request) -> Request:
        """Take the call; the ACK."""
        extra = [("Contact", f"<{CONTACT}>"), ("Content-Type", "application/sdp")]
        answer = invite.respond(200, headers=extra, body=b"v=0 answer", tag="b7")
        self.agent.receive(answer.encode(), FLOW, self.now)
        return next(each for each, _ in self.heard() if isinstance(each, Request))


def test_a_browser_registers_and_is_answered_over_its_connection():
    tab = Tab()
    ((response, hop),) = tab.register()
    assert isinstance(response, Response)
    assert (response.status, hop) == (200, FLOW)
    assert response.headers.get("Require") == "outbound"
    assert isinstance(tab.events[0], Registered)


def test_it_is_called_over_its_connection_by_its_name_that_nobody_can_look_up():
    tab = Tab()
    tab.register()
    _, invite = tab.ring()
    assert str(invite.uri) == CONTACT
    assert invite.top_via.transport == "WSS"
    assert invite.contacts[0].uri.host == DOMAIN
    assert invite.contacts[0].uri.param("transport") == "ws"  # of TLS, too: RFC 7118 section 5.3


def test_requests_within_the_call_take_its_connection_too():
    tab = Tab()
    tab.register()
    session, invite = tab.ring()
    ack = tab.answer(invite)
    assert (ack.method, str(ack.uri)) == ("ACK", CONTACT)
    session.hangup(None, now=tab.now)
    ((bye, hop),) = tab.heard()
    assert (bye.method, hop) == ("BYE", FLOW)


def test_a_call_goes_on_over_the_connection_that_the_phone_has_registered_since():
    tab = Tab()
    tab.register()
    session, invite = tab.ring()
    tab.answer(invite)
    tab.agent.transport_failed(FLOW, "closed by peer", tab.now)
    assert [event.why for event in tab.agent.events() if isinstance(event, Unregistered)] == ["flow lost"]
    assert session.state == "connected"
    tab.now += 3.0
    tab.register(NEW_FLOW)
    session.hangup(None, now=tab.now)
    ((bye, hop),) = tab.heard()
    assert (bye.method, hop) == ("BYE", NEW_FLOW)


def asked_again(tab: Tab) -> tuple[Request, Hop]:
    """Its re-INVITE, which is due by now."""
    tab.agent.timeout(tab.now)
    ((invite, hop),) = tab.heard()
    assert isinstance(invite, Request) and invite.method == "INVITE"
    return invite, hop


def test_what_is_asked_within_a_call_waits_for_the_next_connection_and_ends_nothing():
    tab = Tab()
    tab.register()
    session, invite = tab.ring()
    tab.answer(invite)
    session.reoffer(b"v=0 more", now=tab.now)
    tab.heard()
    tab.agent.transport_failed(FLOW, "closed by peer", tab.now)
    for _ in range(12):
        tab.now += FLOW_S
        _, hop = asked_again(tab)
        assert hop == FLOW
        tab.agent.transport_failed(FLOW, "no such connection", tab.now)
    tab.register(NEW_FLOW)
    tab.now += FLOW_S
    again, hop = asked_again(tab)
    assert (again.body, hop, session.state) == (b"v=0 more", NEW_FLOW, "connected")


def test_what_got_lost_on_a_connection_that_was_dead_is_asked_again_over_the_next_one():
    tab = Tab()
    tab.register()
    session, invite = tab.ring()
    tab.answer(invite)
    session.reoffer(b"v=0 more", now=tab.now)
    tab.heard()
    tab.register(NEW_FLOW)
    tab.now += 32.1
    tab.agent.timeout(tab.now)
    tab.now += FLOW_S
    again, hop = asked_again(tab)
    assert (again.body, hop, session.state) == (b"v=0 more", NEW_FLOW, "connected")


def test_a_call_from_a_browser_is_answered_over_the_connection_it_came_by():
    tab = Tab()
    tab.request("INVITE", to=f"sip:desk@{DOMAIN}", uri=f"sip:desk@{DOMAIN}", call_id="c1")
    (call,) = [event for event in tab.events if isinstance(event, IncomingCall)]
    call.session.reject(486, now=tab.now)
    ((busy, hop),) = tab.heard()
    assert (busy.status, hop) == (486, FLOW)


def test_a_browser_that_is_gone_while_it_rings_has_not_answered():
    tab = Tab()
    tab.register()
    tab.ring()
    tab.agent.transport_failed(FLOW, "closed by peer", tab.now)
    assert tab.registrar.targets(AOR.aor, tab.now) == []
    tab.heard()
    assert [event.cause for event in tab.events if isinstance(event, Rejected)] == ["transport"]


def test_a_name_of_a_browser_is_never_looked_up():
    asked = []

    def resolve(uri: Uri):
        asked.append(uri)
        return ()

    tab = Tab()
    tab.agent._stack._resolve = resolve
    tab.register()
    session, invite = tab.ring()
    tab.answer(invite)
    session.hangup(None, now=tab.now)
    tab.heard()
    assert asked == []
