"""RFC 5626 as a user agent: a line registers its connection, keeps it alive, and takes another in time."""

from __future__ import annotations

from random import Random

import pytest

from sip.agent import UserAgent
from sip.hop import Hop
from sip.keeper import PING, PONG_WAIT
from sip.message import NameAddr, Request, Uri, parse
from sip.registration import KEEP_ALIVE, LineDown, LineLeft, LineUp, RegistrationSettings
from sip.settings import AgentSettings
from tests.sip.network import Open

FIRST, SECOND = Hop("tls", "192.0.2.10", 5061), Hop("tls", "192.0.2.11", 5061)
REGISTRAR = Uri.parse("sip:carrier.example")
INSTANCE = "urn:uuid:00000000-0000-1000-8000-000a95a0e128"


class Line:
    """An agent with one registration, and the registrar it speaks to, by hand."""

    def __init__(self, *hops: Hop, instance: str = INSTANCE) -> None:
        self.now = 10.0
        addresses = {"tls": ("192.0.2.1", 5061), "udp": ("192.0.2.1", 5060)}
        self.agent = UserAgent(AgentSettings(addresses), rng=Random(3), admission=Open())
        settings = RegistrationSettings(
            line="berlin",
            registrar=REGISTRAR,
            account=NameAddr("", Uri.parse("sip:acme@carrier.example")),
            contact=lambda hop: self.agent.contact("acme", hop),
            instance=instance,
        )
        self.registration = self.agent.register(settings, hops or (FIRST,), now=self.now)

    def sent(self) -> list[tuple[bytes, Hop]]:
        return self.agent.outgoing()

    def asked(self) -> tuple[Request, Hop]:
        ((data, hop),) = self.sent()
        request = parse(data)
        assert isinstance(request, Request)
        return request, hop

    def answer(self, status: int = 200, *headers: tuple[str, str]) -> Request:
        request, hop = self.asked()
        told = [("Contact", str(request.contacts[0])), *headers] if status == 200 else list(headers)
        response = request.respond(status, headers=told, tag="r")
        self.agent.receive(response.encode(), hop, self.now)
        return request

    def confirm(self, timer: str = "60") -> Request:
        return self.answer(200, ("Require", "outbound"), ("Flow-Timer", timer))

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (due := self.agent.next_timeout()) is not None and due <= end:
            self.now = due
            self.agent.timeout(due)
            if self.agent._stack.outgoing:
                return
        self.now = end

    def told(self, kind: type) -> list[object]:
        return [event for event in self.agent.events() if isinstance(event, kind)]


def test_a_line_names_its_device_and_its_connection():
    request = Line().confirm()
    (contact,) = request.contacts
    assert (contact.param("reg-id"), contact.param("+sip.instance")) == ("1", f"<{INSTANCE}>")
    assert "outbound" in request.headers.tokens("Supported")


def test_a_line_without_an_instance_registers_its_address():
    request, _ = Line(instance="").asked()
    assert request.contacts[0].param("reg-id") is None
    assert "Supported" not in request.headers


def test_over_datagrams_an_address_is_registered():
    request, _ = Line(Hop("udp", "192.0.2.10", 5060)).asked()
    assert request.contacts[0].param("reg-id") is None


def test_a_first_hop_that_keeps_no_connections_gets_an_address():
    line = Line()
    line.answer(439)
    request = line.answer()
    assert request.contacts[0].param("reg-id") is None
    assert len(line.told(LineUp)) == 1
    line.wait(KEEP_ALIVE + 1.0)
    assert line.sent() == []  # nothing is kept alive


@pytest.mark.parametrize(("timer", "least", "most"), [("60", 48, 60), ("9999", 96, 120), ("x", 96, 120)])
def test_it_is_pinged_within_the_time_the_registrar_says(timer, least, most):
    line = Line()
    line.confirm(timer)
    begin = line.now
    line.wait(200.0)
    assert line.sent() == [(PING, FIRST)]
    assert least <= line.now - begin <= most


def test_an_answered_ping_is_followed_by_the_next():
    line = Line()
    line.confirm()
    for _ in range(3):
        line.wait(60.0)
        assert line.sent() == [(PING, FIRST)]
        line.now += 0.1
        line.agent.ponged(Hop("tls", FIRST.host, FIRST.port, 5), line.now)
    assert line.told(LineDown) == []


def test_an_unanswered_ping_gives_the_connection_up_for_the_next_hop():
    line = Line(FIRST, SECOND)
    line.confirm()
    line.wait(60.0)
    line.sent()
    line.agent.ponged(SECOND, line.now)  # of another connection
    line.wait(PONG_WAIT)
    request, hop = line.asked()
    assert (request.method, hop) == ("REGISTER", SECOND)


def test_a_broken_connection_is_replaced_at_once_where_there_is_another():
    line = Line(FIRST, SECOND)
    line.confirm()
    line.agent.transport_failed(Hop("tls", FIRST.host, FIRST.port, 5), "reset", line.now)
    line.confirm()
    assert [event.hop for event in line.told(LineUp)] == [FIRST, SECOND]


def test_the_only_one_is_tried_again_after_a_while():
    line = Line()
    line.confirm()
    line.agent.transport_failed(FIRST, "reset", line.now)
    (down,) = line.told(LineDown)
    assert (down.status, down.reason) == (430, "Flow Failed")
    line.wait(down.retry_in + 0.1)
    line.confirm()
    assert len(line.told(LineUp)) == 1


def test_somebody_elses_broken_connection_is_none_of_its_business():
    line = Line()
    line.confirm()
    line.agent.transport_failed(SECOND, "reset", line.now)
    assert line.told(LineDown) == []


def test_after_the_end_nothing_is_pinged():
    line = Line()
    line.confirm()
    line.agent.unregister(line.registration, now=line.now)
    line.answer()
    assert len(line.told(LineLeft)) == 1
    line.wait(100.0)
    assert line.sent() == []
    assert line.agent.counts()["timers"] == 0
