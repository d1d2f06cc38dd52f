"""SIP over TLS: our own certificate, who is believed, and what old clients are told."""

from __future__ import annotations

import asyncio
import ssl
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from sip.hop import Hop
from sip.io import certificate
from sip.io.connection import StreamLimits
from sip.io.shell import Listener
from sip.io.tls import TlsContexts, TlsSettings
from sip.message import parse
from tests.sip.io.peers import LOCAL, Node, request

NAMES = ("node.example", LOCAL)


@pytest.fixture
def ours(tmp_path):
    pem, key = certificate.ensure(tmp_path / "ours", NAMES)
    return TlsSettings(pem, key, ca=pem)


@pytest.fixture
def stranger(tmp_path):
    pem, key = certificate.ensure(tmp_path / "stranger", NAMES)
    return TlsSettings(pem, key, ca=pem)


def node(settings: TlsSettings, names=str, **limits) -> Node:
    return Node("tls", tls=TlsContexts(settings), limits=StreamLimits(**limits), names=names)


def far(node: Node, name: str = "") -> Hop:
    return Hop("tls", LOCAL, node.hop("tls").port, name=name)


@pytest.mark.parametrize("name", ["", "node.example"])
def test_two_nodes_that_trust_one_another_talk(run, ours, name):
    async def scenario():
        async with node(ours) as near, node(ours) as other:
            near.send(request("7", transport="TLS"), far(other, name))
            await near.until(lambda: near.agent.responses)
            assert near.agent.responses[0][0].call_id == "7"
            assert other.agent.requests[0][1].transport == "tls"

    run(scenario())


def test_a_server_with_somebody_elses_name_is_not_believed(run, ours):
    async def scenario():
        async with node(ours) as near, node(ours) as other:
            near.send(request(transport="TLS"), far(other, "bank.example"))
            await near.until(lambda: near.agent.failures)
            assert "bank.example" in near.agent.failures[0][1]

    run(scenario())


@pytest.mark.parametrize("called", ["", LOCAL])
@pytest.mark.parametrize(("wanted", "believed"), [("node.example", True), ("bank.example", False)])
def test_an_address_may_have_to_show_a_name(run, ours, wanted, believed, called):
    async def scenario():
        async with node(ours, lambda host: wanted) as near, node(ours) as other:
            near.send(request(transport="TLS"), far(other, called))
            await near.until(lambda: near.agent.responses if believed else near.agent.failures)

    run(scenario())


def test_what_the_system_vouches_for_is_believed_beside_an_authority_of_our_own(ours):
    alone = TlsContexts(ours).client.cert_store_stats()["x509"]
    both = TlsContexts(replace(ours, known=True)).client.cert_store_stats()["x509"]
    assert (alone, both > alone) == (1, ssl.create_default_context().cert_store_stats()["x509"] > 0)


def test_a_server_nobody_vouches_for_is_not_believed(run, ours, stranger):
    async def scenario():
        async with node(ours) as near, node(stranger) as other:
            near.send(request(transport="TLS"), far(other))
            await near.until(lambda: near.agent.failures)
            assert near.agent.failures[0][1].startswith("certificate: ")

    run(scenario())


def test_in_a_closed_network_any_server_can_be_believed(run, ours, stranger):
    async def scenario():
        trusting = TlsSettings(ours.certificate, ours.key, ca=ours.ca, verify_servers=False)
        async with node(trusting) as near, node(stranger) as other:
            near.send(request(transport="TLS"), far(other, "bank.example"))
            await near.until(lambda: near.agent.responses)

    run(scenario())


def test_a_client_without_the_certificate_that_is_required_gets_nowhere(run, ours):
    async def scenario():
        strict = TlsSettings(ours.certificate, ours.key, ca=ours.ca, verify_clients="required")
        async with node(strict) as near:
            context = ssl.create_default_context(cafile=ours.certificate)
            port = near.hop("tls").port
            reader, writer = await asyncio.open_connection(LOCAL, port, ssl=context, server_hostname=LOCAL)
            writer.write(request(transport="TLS"))
            with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.transport.abort()
            assert near.agent.requests == []

    run(scenario())


def test_a_client_with_the_certificate_that_is_required_is_served(run, ours):
    async def scenario():
        strict = TlsSettings(ours.certificate, ours.key, ca=ours.ca, verify_clients="required")
        async with node(ours) as near, node(strict) as other:
            near.send(request(transport="TLS"), far(other))
            await near.until(lambda: near.agent.responses)

    run(scenario())


def test_nothing_older_than_tls_1_2_is_spoken(ours):
    contexts = TlsContexts(ours)
    assert contexts.server.minimum_version == contexts.client.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_client_that_speaks_no_tls_is_hung_up_on(run, ours):
    async def scenario():
        async with node(ours) as near:
            reader, writer = await asyncio.open_connection(LOCAL, near.hop("tls").port)
            writer.write(request(transport="TLS"))
            assert await _is_closed(reader)
            writer.transport.abort()

    run(scenario())


def test_a_client_that_never_shakes_hands_is_hung_up_on_and_counted_meanwhile(run, ours):
    async def scenario():
        async with node(ours, first_message=0.1, per_source=1) as near:
            first, opened = await asyncio.open_connection(LOCAL, near.hop("tls").port)
            second, refused = await asyncio.open_connection(LOCAL, near.hop("tls").port)
            assert await _is_closed(second)
            assert near.shell.counts()["stream refused"] == 1
            assert await _is_closed(first)
            opened.transport.abort()
            refused.transport.abort()

    run(scenario())


async def _is_closed(reader):
    try:
        await asyncio.wait_for(reader.read(), 5.0)
    except ConnectionError:
        pass
    return True


def test_without_a_certificate_tls_is_refused_and_not_attempted(run):
    async def scenario():
        listener = Listener("tls", LOCAL, 0)
        bare = Node("udp", more=[listener])
        with pytest.raises(OSError, match="TLS"):
            await bare.shell.start()
        assert listener.sock is None
        async with Node("tcp") as near:
            near.send(request(transport="TLS"), Hop("tls", LOCAL, 5061))
            assert near.agent.failures[0][1] == "TLS is not set up"

    run(scenario())


def test_a_renewed_certificate_serves_the_next_connection(run, ours):
    async def scenario():
        contexts = TlsContexts(ours)
        async with Node("tls", tls=contexts) as near:
            pem, key = certificate.self_signed(["renewed.example"], datetime.now(UTC))
            ours.certificate.write_bytes(pem)
            ours.key.write_bytes(key)
            contexts.reload()
            trust = ssl.create_default_context(cadata=pem.decode())
            reader, writer = await asyncio.open_connection(
                LOCAL, near.hop("tls").port, ssl=trust, server_hostname="renewed.example"
            )
            writer.write(request("7", transport="TLS"))
            assert parse(await reader.readuntil(b"\r\n\r\n")).call_id == "7"
            writer.transport.abort()

    run(scenario())


# --------------------------------------------------------------------------------------- our own certificate


def test_a_certificate_is_for_every_name_and_address_it_was_made_for(ours):
    made = x509.load_pem_x509_certificate(ours.certificate.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["node.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == [LOCAL]


def test_the_key_is_readable_by_its_owner_alone(ours):
    assert stat.S_IMODE(ours.key.stat().st_mode) == 0o600


def test_a_certificate_that_serves_is_kept(tmp_path):
    pem, _ = certificate.ensure(tmp_path, NAMES)
    before = pem.read_bytes()
    certificate.ensure(tmp_path, NAMES[:1])
    assert pem.read_bytes() == before


@pytest.mark.parametrize("case", ["another name", "soon to expire", "unreadable", "no key"])
def test_a_certificate_that_does_not_serve_is_made_anew(tmp_path, case):
    pem, key = certificate.ensure(tmp_path, NAMES)
    before = pem.read_bytes()
    names, now = NAMES, datetime.now(UTC)
    if case == "another name":
        names = (*NAMES, "other.example")
    elif case == "soon to expire":
        now += certificate.LIFE - timedelta(days=10)
    elif case == "unreadable":
        pem.write_bytes(b"rubbish")
    else:
        key.unlink()
    certificate.ensure(tmp_path, names, now)
    assert pem.read_bytes() != before
    TlsContexts(TlsSettings(pem, key))


def test_a_certificate_needs_a_name():
    with pytest.raises(ValueError, match="name"):
        certificate.self_signed([], datetime.now(UTC))
