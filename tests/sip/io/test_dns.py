"""Names to hops through a real, small DNS server on the loopback."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from sip.io.dns import DnsSettings, Resolver, read_hosts
from sip.uri import Uri
from tests.sip.io.names import Server
from tests.sip.io.peers import LOCAL

ZONE = {
    ("NAPTR", "carrier.example."): '50 50 "s" "SIP+D2U" "" _sip._udp.carrier.example.',
    ("SRV", "_sip._udp.carrier.example."): "10 1 5060 one.carrier.example.|20 1 5080 two.carrier.example.",
    ("A", "one.carrier.example."): "192.0.2.1",
    ("AAAA", "one.carrier.example."): "2001:db8::1",
    ("A", "two.carrier.example."): "192.0.2.2",
    ("A", "host.example."): "192.0.2.9",
    ("CNAME", "alias.example."): "host.example.",
    ("A", "alias.example."): "192.0.2.9",
}


class Desk:
    """A server and a resolver that asks it, on a clock that can be put forward."""

    def __init__(self, **settings):
        self.now = 0.0
        self.server = Server(ZONE)
        self._settings = {"timeout": 0.2, "lifetime": 0.3} | settings
        self.resolver = None

    async def __aenter__(self):
        await self.server.__aenter__()
        settings = DnsSettings(nameservers=(LOCAL,), port=self.server.port, **self._settings)
        self.resolver = Resolver(
            settings, rng=Random(1), hosts={"pbx": ("10.0.0.5",)}, clock=lambda: self.now
        )
        return self

    async def __aexit__(self, *error):
        await self.resolver.close()
        await self.server.__aexit__()

    async def hops(self, uri):
        return [str(hop) for hop in await self.resolver.resolve(Uri.parse(uri))]

    def known(self, uri):
        return [str(hop) for hop in self.resolver.known(Uri.parse(uri))]


CARRIER = ["udp:192.0.2.1:5060", "udp:[2001:db8::1]:5060", "udp:192.0.2.2:5080"]


def test_a_zone_is_followed_from_naptr_to_addresses(run):
    async def scenario():
        async with Desk() as desk:
            assert await desk.hops("sip:4930@carrier.example") == CARRIER
            assert desk.server.asked[:2] == [
                ("NAPTR", "carrier.example."),
                ("SRV", "_sip._udp.carrier.example."),
            ]

    run(scenario())


def test_a_zone_without_services_is_a_host_also_through_an_alias(run):
    async def scenario():
        async with Desk() as desk:
            assert await desk.hops("sip:a@host.example") == ["udp:192.0.2.9:5060"]
            assert await desk.hops("sip:a@alias.example:5070") == ["udp:192.0.2.9:5070"]

    run(scenario())


def test_nothing_is_asked_twice_within_its_time_to_live(run):
    async def scenario():
        async with Desk() as desk:
            await desk.hops("sip:4930@carrier.example")
            asked = len(desk.server.asked)
            assert await desk.hops("sip:4930@carrier.example") == CARRIER
            assert len(desk.server.asked) == asked
            desk.now = 301.0
            assert await desk.hops("sip:4930@carrier.example") == CARRIER
            assert len(desk.server.asked) == 2 * asked

    run(scenario())


def test_a_name_that_does_not_exist_is_remembered_for_as_long_as_its_zone_says(run):
    async def scenario():
        async with Desk() as desk:
            for now, asked in ((0.0, 2), (59.0, 2), (61.0, 4)):
                desk.now = now
                assert await desk.hops("sip:a@nowhere.example:5060") == []
                assert len(desk.server.asked) == asked

    run(scenario())


def test_many_who_ask_at_once_cost_one_question(run):
    async def scenario():
        async with Desk() as desk:
            found = await asyncio.gather(*(desk.hops("sip:a@host.example:5060") for _ in range(20)))
            assert found == [["udp:192.0.2.9:5060"]] * 20
            assert len(desk.server.asked) == 2

    run(scenario())


def test_one_who_loses_patience_does_not_take_the_answer_from_the_others(run):
    async def scenario():
        async with Desk() as desk:
            hasty = asyncio.create_task(desk.hops("sip:a@host.example:5060"))
            patient = asyncio.create_task(desk.hops("sip:a@host.example:5060"))
            await desk.server.questioned.wait()
            hasty.cancel()
            assert await patient == ["udp:192.0.2.9:5060"]

    run(scenario())


@pytest.mark.parametrize("mode", ["silent", "fail"])
def test_while_no_server_answers_the_last_answer_serves_on(run, mode):
    async def scenario():
        async with Desk() as desk:
            await desk.hops("sip:a@host.example:5060")
            desk.server.mode, desk.now = mode, 400.0
            assert await desk.hops("sip:a@host.example:5060") == ["udp:192.0.2.9:5060"]
            asked = len(desk.server.asked)
            assert await desk.hops("sip:a@host.example:5060") == ["udp:192.0.2.9:5060"]
            assert len(desk.server.asked) == asked  # and the servers are left in peace for some seconds
            desk.now = 5000.0
            assert await desk.hops("sip:a@host.example:5060") == []

    run(scenario())


@pytest.mark.parametrize("mode", ["silent", "fail"])
def test_a_server_that_does_not_answer_is_no_way_and_no_error(run, mode):
    async def scenario():
        async with Desk() as desk:
            desk.server.mode = mode
            assert await desk.hops("sip:a@host.example:5060") == []
            desk.server.mode, desk.now = "answer", 6.0
            assert await desk.hops("sip:a@host.example:5060") == ["udp:192.0.2.9:5060"]

    run(scenario())


def test_forged_rubbish_before_the_answer_does_no_harm(run):
    async def scenario():
        async with Desk() as desk:
            desk.server.mode = "rubbish"
            assert await desk.hops("sip:a@host.example:5060") in (["udp:192.0.2.9:5060"], [])

    run(scenario())


def test_the_cache_is_bounded(run):
    async def scenario():
        async with Desk(max_entries=8) as desk:
            for number in range(50):
                await desk.hops(f"sip:a@n{number}.example:5060")
            assert len(desk.resolver) == 8

    run(scenario())


def test_hosts_and_numbers_need_no_server(run):
    async def scenario():
        async with Desk() as desk:
            assert desk.known("sip:a@pbx") == ["udp:10.0.0.5:5060"]
            assert desk.known("sip:a@localhost:5070") == ["udp:127.0.0.1:5070", "udp:[::1]:5070"]
            assert desk.known("sip:a@192.0.2.77;transport=tcp") == ["tcp:192.0.2.77:5060"]
            assert await desk.hops("sip:a@pbx") == ["udp:10.0.0.5:5060"]
            assert desk.server.asked == []

    run(scenario())


def test_what_is_known_is_told_at_once_and_nothing_else(run):
    async def scenario():
        async with Desk() as desk:
            assert desk.known("sip:4930@carrier.example") == []
            await desk.hops("sip:4930@carrier.example")
            assert desk.known("sip:4930@carrier.example") == CARRIER

    run(scenario())


@pytest.mark.parametrize("uri", ["sip:a@" + "x" * 70 + ".example", "sip:a@a..b", "tel:+4930"])
def test_names_that_cannot_be_asked_for_lead_nowhere(run, uri):
    async def scenario():
        async with Desk() as desk:
            assert await desk.hops(uri) == []

    run(scenario())


def test_a_hosts_file_is_read_whatever_stands_in_it(tmp_path):
    path = tmp_path / "hosts"
    good = b"# comment\n10.0.0.5 PBX pbx.example # the old one\n::1 pbx\n"
    path.write_bytes(good + b"\nlonely\n\xff\xfe bad\nnonsense worse\n")
    hosts = read_hosts(path)
    assert hosts["pbx"] == ("10.0.0.5", "::1")
    assert hosts["pbx.example"] == ("10.0.0.5",)
    assert "bad" not in hosts
    assert "worse" not in hosts
    assert read_hosts(tmp_path / "none") == {}
