"""SIP over UDP, on real sockets of the loopback."""

from __future__ import annotations

import logging
import socket
import time

import pytest

from sip.hop import Hop
from sip.io.shell import Listener
from sip.io.udp import BATCH
from sip.message import parse
from tests.sip.io.peers import LOCAL, Node, receive, request, udp_socket


@pytest.mark.parametrize("host", [LOCAL, "::1"])
def test_a_request_is_answered_to_where_it_came_from(run, host):
    async def scenario():
        async with Node("udp", host=host) as node:
            with udp_socket(host) as phone:
                phone.sendto(request("7"), (host, node.hop("udp").port))
                response = parse(await receive(phone))
                assert (response.status, response.call_id) == (200, "7")
                assert node.agent.requests[0][1] == Hop("udp", host, phone.getsockname()[1])

    run(scenario())


def test_a_burst_of_more_than_a_batch_arrives_whole_and_in_order(run):
    async def scenario():
        async with Node("udp") as node:
            with udp_socket() as phone:
                for number in range(3 * BATCH):
                    phone.sendto(request(str(number)), (LOCAL, node.hop("udp").port))
                await node.until(lambda: len(node.agent.requests) == 3 * BATCH)
                assert [message.call_id for message, _ in node.agent.requests] == [
                    str(number) for number in range(3 * BATCH)
                ]
                assert node.shell.counts()["udp received"] == 3 * BATCH

    run(scenario())


@pytest.mark.parametrize("noise", [b"\r\n\r\n", b"\0", b"jaK", b"", b"\0\1\0\0!\x12\xa4B" + b"\0" * 12])
def test_keep_alives_and_stun_do_not_reach_the_agent(run, noise):
    async def scenario():
        async with Node("udp") as node:
            with udp_socket() as phone:
                phone.sendto(noise, (LOCAL, node.hop("udp").port))
                phone.sendto(request("after"), (LOCAL, node.hop("udp").port))
                await node.until(lambda: node.seen)
                assert node.seen == ["request after"]

    run(scenario())


def test_what_an_event_leads_to_is_sent_in_the_same_drain(run):
    async def scenario():
        async with Node("udp") as node:
            node.agent.answers = False
            with udp_socket() as phone:
                to = Hop("udp", LOCAL, phone.getsockname()[1])
                node.on_event = lambda event: node.send(request("reaction"), to)
                phone.sendto(request("cause"), (LOCAL, node.hop("udp").port))
                assert parse(await receive(phone)).call_id == "reaction"

    run(scenario())


def test_a_fault_over_one_message_does_not_take_the_next_one_along(run, caplog):
    async def scenario():
        async with Node("udp") as node:
            with udp_socket() as phone:
                phone.sendto(request("poison"), (LOCAL, node.hop("udp").port))
                phone.sendto(request("after"), (LOCAL, node.hop("udp").port))
                await node.until(lambda: "request after" in node.seen)
                assert node.shell.counts()["faults"] == 1

    with caplog.at_level(logging.ERROR):
        run(scenario())
    assert "a fault of the agent" in caplog.text


def test_a_blocked_source_is_not_even_read(run):
    async def scenario():
        blocked = set()
        async with Node("udp", drops=lambda hop, now: hop.port in blocked) as node:
            with udp_socket() as thief, udp_socket() as phone:
                blocked.add(thief.getsockname()[1])
                thief.sendto(request("thief"), (LOCAL, node.hop("udp").port))
                phone.sendto(request("phone"), (LOCAL, node.hop("udp").port))
                await node.until(lambda: node.seen)
                assert node.seen == ["request phone"]
                assert node.shell.counts()["dropped"] == 1

    run(scenario())


@pytest.mark.skipif(not hasattr(socket, "MSG_ERRQUEUE"), reason="ICMP errors are told by Linux alone")
@pytest.mark.parametrize("host", [LOCAL, "::1"])
def test_a_peer_that_is_gone_is_told_by_icmp_and_the_socket_lives_on(run, host):
    async def scenario():
        async with Node("udp", host=host) as node:
            with udp_socket(host) as gone:
                dead = Hop("udp", host, gone.getsockname()[1])
            for number in range(3):
                node.send(request(), dead)
                await node.until(lambda: len(node.agent.failures) > number)  # noqa: B023 - awaited in the loop
            assert {hop for hop, _ in node.agent.failures} == {dead}
            with udp_socket(host) as phone:
                phone.sendto(request("alive"), (host, node.hop("udp").port))
                assert parse(await receive(phone)).call_id == "alive"

    run(scenario())


@pytest.mark.parametrize(
    ("hop", "reason"),
    [
        (Hop("udp", "host.example", 5060), "numeric"),
        (Hop("udp", "::1", 5060), "address family"),
        (Hop("sctp", LOCAL, 5060), "no such transport"),
        (Hop("udp", "255.255.255.255", 5060), ""),
    ],
)
def test_what_cannot_be_sent_is_reported_and_not_raised(run, hop, reason):
    async def scenario():
        async with Node("udp") as node:
            node.send(request(), hop)
            ((failed, why),) = node.agent.failures
            assert failed == hop
            assert reason in why

    run(scenario())


def test_the_agent_is_woken_at_its_time_and_not_before(run):
    async def scenario():
        async with Node("udp") as node:
            due = time.monotonic() + 0.02
            node.agent.due = due
            node.shell.flush()
            await node.until(lambda: node.agent.fired)
            assert node.agent.fired[0] >= due

    run(scenario())


def test_a_later_time_is_put_off_for_an_earlier_one(run):
    async def scenario():
        async with Node("udp") as node:
            for seconds in (3600.0, 0.01):
                node.agent.due = time.monotonic() + seconds
                node.shell.flush()
            await node.until(lambda: node.agent.fired)

    run(scenario())


def test_each_of_several_addresses_answers_for_itself(run):
    async def scenario():
        second = Listener("udp", LOCAL, 0).open()
        async with Node("udp", more=[second]):
            with udp_socket() as phone:
                phone.connect((LOCAL, second.port))  # hears that address alone
                phone.send(request("7"))
                assert parse(await receive(phone)).call_id == "7"

    run(scenario())


def test_an_address_that_is_taken_is_told_at_the_start(run):
    async def scenario():
        async with Node("udp") as node:
            other = Node("udp", more=[Listener("udp", LOCAL, node.hop("udp").port)])
            with pytest.raises(OSError, match="in use"):
                await other.shell.start()
            assert all(listener.sock is None for listener in other.shell.listeners)

    run(scenario())


def test_a_closed_shell_gives_its_address_back(run):
    async def scenario():
        node = Node("udp")
        async with node:
            pass
        Listener("udp", LOCAL, node.hop("udp").port).open().close()

    run(scenario())


# --------------------------------------------------------------------------------- too large for a datagram


def to(node: Node) -> Hop:
    """The node as DNS would have found it: with a name, so that TCP may be tried."""
    return Hop("udp", LOCAL, node.hop("udp").port, name="node.example")


async def twin() -> Node:
    """A node that listens at one port over UDP and TCP."""
    while True:
        stream = Listener("tcp", LOCAL, 0).open()
        try:
            datagrams = Listener("udp", LOCAL, stream.port).open()
        except OSError:
            stream.close()
            continue
        return Node(more=[datagrams, stream])


def test_a_large_request_goes_over_tcp_with_its_ack_and_comes_back(run):
    async def scenario():
        async with Node("udp", "tcp") as node, await twin() as far:
            node.send(request("big", "INVITE", size=2000), to(far))
            await node.until(lambda: node.agent.responses)
            node.send(request("big", "ACK"), to(far))
            await far.until(lambda: len(far.agent.requests) == 2)
            for message, hop in far.agent.requests:
                assert (hop.transport, message.top_via.transport) == ("tcp", "TCP")
            assert node.agent.responses[0][1].transport == "tcp"

    run(scenario())


def test_retransmissions_of_what_tcp_carries_are_kept_back(run):
    async def scenario():
        async with Node("udp", "tcp") as node, await twin() as far:
            for _ in range(3):
                node.send(request("big", size=2000), to(far))
            node.send(request("next", size=2000), to(far))
            await far.until(lambda: len(far.agent.requests) == 2)
            assert [message.call_id for message, _ in far.agent.requests] == ["big", "next"]

    run(scenario())


def test_a_large_request_falls_back_to_udp_where_nobody_listens_on_tcp(run):
    async def scenario():
        async with Node("udp", "tcp") as node, Node("udp") as far:
            for call_id in ("big", "bigger"):
                node.send(request(call_id, size=2000), to(far))
            await far.until(lambda: len(far.agent.requests) == 2)
            node.send(request("later", size=2000), to(far))
            await far.until(lambda: len(far.agent.requests) == 3)
            assert {message.top_via.transport for message, _ in far.agent.requests} == {"UDP"}
            assert node.shell.counts()["moved to tcp"] == 2  # after that the peer is known
            assert node.agent.failures == []

    run(scenario())


@pytest.mark.parametrize("phone", [True, False], ids=["to a phone behind a nat", "a response"])
def test_what_may_not_change_its_transport_stays_with_udp(run, phone):
    async def scenario():
        async with Node("udp", "tcp") as node, await twin() as far:
            data, hop = request("big", size=2000), to(far)
            if phone:
                hop = Hop("udp", LOCAL, hop.port)
            else:
                data = parse(data).respond(200, body=b"x" * 2000).encode()
            node.send(data, hop)
            await far.until(lambda: far.seen)
            seen = far.agent.requests or far.agent.responses
            assert seen[0][1].transport == "udp"

    run(scenario())
