"""Our registrations with other registrars, and other phones' with ours, through user agents that talk."""

from __future__ import annotations

from typing import Any

import pytest

from sip.digest import Credentials
from sip.events import IncomingCall
from sip.hop import Hop
from sip.message import NameAddr
from sip.registrar import Registered, Registrar, RegistrarPolicy, Unregistered
from sip.registration import LineDown, LineLeft, LineUp, RegistrationSettings
from tests.sip.network import Network, Node, drained


class House:
    """A registrar at 10.0.0.9 and a phone at 10.0.0.1."""

    def __init__(self, admission: Any = None) -> None:
        self.network = Network()
        self.registrar = Registrar(RegistrarPolicy("example.com"))
        self.node = self.network.add("10.0.0.9", registrar=self.registrar, admission=admission)
        self.phone = self.network.add("10.0.0.1")

    def register(self, *hosts: str, credentials: Credentials | None = None, transport: str = "udp") -> Any:
        settings = RegistrationSettings(
            line="line",
            registrar=NameAddr.parse("<sip:example.com>").uri,
            account=NameAddr.parse("<sip:alice@example.com>"),
            contact=lambda hop: self.phone.agent.contact("alice", hop),
            credentials=credentials,
            expires=300,
        )
        hops = [Hop(transport, host, 5060) for host in hosts or (self.node.host,)]
        registration = self.phone.agent.register(settings, hops, now=self.network.now)
        self.network.flush(self.phone)
        return registration


def test_a_phone_registers_stays_registered_and_leaves():
    house = House()
    registration = house.register()
    house.network.run(1)
    assert house.phone.last(LineUp).expires == 300
    (binding,) = house.registrar.lookup("sip:alice@example.com", house.network.now)
    assert binding.contact.host == house.phone.host
    assert [event.fresh for event in house.node.told(Registered)] == [True]
    house.network.run(1000)
    assert house.registrar.lookup("sip:alice@example.com", house.network.now)
    assert len(house.node.told(Registered)) >= 4
    house.phone.agent.unregister(registration, now=house.network.now)
    house.network.settle()
    assert house.phone.told(LineLeft)
    assert house.node.told(Unregistered)
    assert drained(house.network.counts())


def test_a_registered_phone_is_called_where_its_binding_says():
    house = House()
    house.register(transport="tcp")
    house.network.run(1)
    (binding,) = house.registrar.lookup("sip:alice@example.com", house.network.now)
    house.node.call(house.phone, target=binding.contact, hops=(binding.hop,))
    house.network.run(0.05)
    assert house.phone.told(IncomingCall)
    assert house.network.trace[-1].message.top_via.transport == "TCP"


@pytest.mark.parametrize("lost", ["REGISTER", "200 REGISTER"])
def test_a_registration_survives_a_lost_message(lost: str):
    house = House()
    drops = iter([True, False])
    house.network.drop = lambda seen: seen.what == lost and next(drops, False)
    house.register()
    house.network.run(2)
    assert house.phone.told(LineUp)
    assert len(house.node.told(Registered)) == 1


def test_a_registrar_that_is_unreachable_is_told_and_tried_again():
    house = House()
    house.network.unreachable.add(house.node.host)
    house.register()
    house.network.run(1)
    assert house.phone.last(LineDown).status == 503
    house.network.unreachable.clear()
    house.network.run(200)
    assert house.phone.told(LineUp)


def test_the_second_registrar_takes_over_from_one_that_is_down():
    house = House()
    down: Node = house.network.add("10.0.0.8")
    house.network.unreachable.add(down.host)
    house.register(down.host, house.node.host)
    house.network.run(1)
    assert house.phone.last(LineUp).hop.host == house.node.host


def test_a_broken_connection_takes_its_binding_with_it():
    house = House()
    house.phone.agent.settings.addresses = {"tcp": ("192.168.1.5", 5060)}
    house.register(transport="tcp")
    house.network.run(1)
    (binding,) = house.registrar.lookup("sip:alice@example.com", house.network.now)
    house.node.agent.transport_failed(binding.hop, "closed", house.network.now)
    house.network.flush(house.node)
    assert house.node.last(Unregistered).why == "flow lost"


def test_a_line_that_was_looked_up_after_it_was_begun_registers_at_once():
    house = House()
    settings = RegistrationSettings(
        line="line",
        registrar=NameAddr.parse("<sip:example.com>").uri,
        account=NameAddr.parse("<sip:alice@example.com>"),
        contact=lambda hop: house.phone.agent.contact("alice", hop),
    )
    registration = house.phone.agent.register(settings, (), now=house.network.now)
    house.network.run(0.5)
    assert house.phone.last(LineDown).reason == "No Hop"
    registration.use((Hop("udp", house.node.host, 5060),))
    house.network.run(0.5)
    assert house.phone.last(LineUp).hop.host == house.node.host
    registration.use((Hop("udp", "10.0.0.77", 5060),))  # other hops later change nothing before they are due
    house.network.run(10)
    assert len(house.node.told(Registered)) == 1
