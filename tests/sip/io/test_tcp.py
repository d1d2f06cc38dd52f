"""SIP over TCP, on real sockets of the loopback."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time

import pytest

from sip.hop import Hop
from sip.io.connection import StreamLimits
from sip.io.tcp import leaving_from
from sip.message import parse
from tests.sip.io.peers import LOCAL, Node, request, unused_port


class Phone:
    """A plain stream to a node."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @staticmethod
    async def connect(node: Node) -> Phone:
        return Phone(*await asyncio.open_connection(LOCAL, node.hop("tcp").port))

    async def say(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def hear(self):
        """One message."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5.0)
        return parse(head)

    async def is_hung_up_on(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(), 5.0) is not None
        except ConnectionError:
            return True
        finally:
            self.close()

    def close(self) -> None:
        self.writer.transport.abort()


@pytest.mark.parametrize(
    ("listening", "peer", "leaves"),
    [
        (["192.0.2.10"], "198.51.100.4", ("192.0.2.10", 0)),
        (["0.0.0.0", "192.0.2.10"], "198.51.100.4", ("192.0.2.10", 0)),
        (["2001:db8::10", "192.0.2.10"], "198.51.100.4", ("192.0.2.10", 0)),
        (["2001:db8::10", "192.0.2.10"], "2001:db8::99", ("2001:db8::10", 0)),
        (["0.0.0.0", "::"], "198.51.100.4", None),
        (["127.0.0.1"], "198.51.100.4", None),
        (["127.0.0.7"], "127.0.0.1", ("127.0.0.7", 0)),
        ([], "198.51.100.4", None),
    ],
)
def test_a_connection_leaves_from_where_we_are_known(listening, peer, leaves):
    assert leaving_from(listening, peer) == leaves


def test_the_peer_sees_the_address_that_we_listen_at(run):
    async def scenario():
        async with Node("tcp") as other, Node("tcp", host="127.0.0.7") as node:
            node.send(request("8", transport="TCP"), other.hop("tcp"))
            await other.until(lambda: other.agent.requests)
            assert other.agent.requests[0][1].host == "127.0.0.7"

    run(scenario())


def test_a_request_is_answered_over_its_own_connection(run):
    async def scenario():
        async with Node("tcp") as node:
            phone = await Phone.connect(node)
            await phone.say(request("7", transport="TCP"))
            assert (await phone.hear()).call_id == "7"
            hop = node.agent.requests[0][1]
            assert (hop.transport, hop.host) == ("tcp", LOCAL)
            assert hop.connection > 0
            phone.close()

    run(scenario())


def test_a_message_in_pieces_and_many_in_one_piece_are_told_apart(run):
    async def scenario():
        async with Node("tcp") as node:
            phone = await Phone.connect(node)
            data = request("1", transport="TCP", size=10)
            for piece in (data[:5], data[5:60], data[60:-3], data[-3:] + b"".join(map(_numbered, "234"))):
                await phone.say(piece)
            await node.until(lambda: len(node.agent.requests) == 4)
            assert [message.call_id for message, _ in node.agent.requests] == ["1", "2", "3", "4"]
            phone.close()

    run(scenario())


def _numbered(call_id):
    return request(call_id, transport="TCP", size=3)


def test_a_ping_is_answered_by_a_pong(run):
    async def scenario():
        async with Node("tcp") as node:
            phone = await Phone.connect(node)
            await phone.say(b"\r\n\r\n")
            assert await asyncio.wait_for(phone.reader.readexactly(2), 5.0) == b"\r\n"
            assert node.seen == []
            phone.close()

    run(scenario())


def test_a_malformed_message_reaches_the_agent_and_the_connection_lives_on(run):
    async def scenario():
        async with Node("tcp") as node:
            phone = await Phone.connect(node)
            await phone.say(request("1", transport="TCP").replace(b"CSeq: 1 OPTIONS", b"CSeq: one"))
            await phone.say(request("2", transport="TCP"))
            await node.until(lambda: node.agent.requests)
            assert len(node.agent.malformed) == 1
            phone.close()

    run(scenario())


@pytest.mark.parametrize(
    "rubbish", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"x" * 200_000], ids=["http", "endless"]
)
def test_a_stream_that_is_not_sip_is_hung_up_on(run, rubbish):
    async def scenario():
        async with Node("tcp") as node:
            phone = await Phone.connect(node)
            phone.writer.write(rubbish)
            assert await phone.is_hung_up_on()
            await node.until(lambda: node.agent.failures)
            assert node.shell.counts()["stream broken"] == 1
            assert node.shell.counts()["connections"] == 0

    run(scenario())


def test_requests_to_one_peer_share_a_connection_that_is_opened_for_the_first(run):
    async def scenario():
        async with Node("tcp") as node, Node("tcp") as far:
            for call_id in "123":
                node.agent.send(request(call_id, transport="TCP"), far.hop("tcp"))
            node.shell.flush()
            await node.until(lambda: len(node.agent.responses) == 3)
            assert len({hop.connection for _, hop in far.agent.requests}) == 1
            assert node.shell.counts()["stream opened"] == 1

    run(scenario())


def test_a_request_to_a_phone_goes_over_the_connection_the_phone_opened(run):
    async def scenario():
        async with Node("tcp") as node:
            phone = await Phone.connect(node)
            await phone.say(request("1", transport="TCP"))
            await phone.hear()
            node.send(request("call", transport="TCP"), node.agent.requests[0][1])
            assert (await phone.hear()).call_id == "call"
            phone.close()

    run(scenario())


def test_a_request_over_a_connection_that_closed_goes_over_a_new_one(run):
    async def scenario():
        async with Node("tcp") as node, Node("tcp") as far:
            hop = far.hop("tcp")
            node.send(request("1", transport="TCP"), Hop("tcp", hop.host, hop.port, connection=99))
            await far.until(lambda: far.agent.requests)

    run(scenario())


def test_a_peer_that_refuses_is_reported(run):
    async def scenario():
        async with Node("tcp") as node:
            nobody = Hop("tcp", LOCAL, unused_port())
            for _ in range(2):
                node.agent.send(request(transport="TCP"), nobody)
            node.shell.flush()
            await node.until(lambda: len(node.agent.failures) == 2)
            assert {hop for hop, _ in node.agent.failures} == {nobody}
            assert "refused" in node.agent.failures[0][1].lower()
            assert node.shell.counts()["connections"] == 0

    run(scenario())


def test_a_peer_that_never_answers_the_connection_is_given_up(run):
    async def scenario():
        limits = StreamLimits(connect=0.05)
        async with Node("tcp", limits=limits) as node:
            with contextlib.ExitStack() as sockets:
                # A listener whose backlog is full lets connections hang.
                full = sockets.enter_context(socket.socket())
                full.bind((LOCAL, 0))
                full.listen(0)
                for _ in range(4):
                    filler = sockets.enter_context(socket.socket())
                    filler.setblocking(False)
                    filler.connect_ex(full.getsockname())
                node.send(request(transport="TCP"), Hop("tcp", *full.getsockname()))
                await node.until(lambda: node.agent.failures)
                assert node.agent.failures[0][1] == "connecting took too long"

    run(scenario())


def test_a_connection_that_closes_is_reported_with_its_number(run):
    async def scenario():
        async with Node("tcp") as node:
            phone = await Phone.connect(node)
            await phone.say(request("1", transport="TCP"))
            await phone.hear()
            phone.writer.close()
            await node.until(lambda: node.agent.failures)
            assert node.agent.failures == [(node.agent.requests[0][1], "closed by peer")]

    run(scenario())


def test_a_body_over_the_limit_is_not_read_and_the_connection_ends(run):
    async def scenario():
        async with Node("tcp", limits=StreamLimits(body=1000)) as node:
            phone = await Phone.connect(node)
            await phone.say(request("1", transport="TCP", size=1000))
            assert (await phone.hear()).status == 200
            await phone.say(request("2", transport="TCP", size=1001))
            assert await phone.is_hung_up_on()
            assert [malformed.status for malformed, _ in node.agent.malformed] == [513]

    run(scenario())


def test_a_source_may_open_so_many_connections_and_no_more(run):
    async def scenario():
        async with Node("tcp", limits=StreamLimits(per_source=3)) as node:
            phones = [await Phone.connect(node) for _ in range(5)]
            for phone in phones[3:]:
                assert await phone.is_hung_up_on()
            await phones[0].say(request("1", transport="TCP"))
            assert (await phones[0].hear()).status == 200
            assert node.shell.counts()["stream refused"] == 2
            phones[0].close()
            await node.until(lambda: node.agent.failures)
            again = await Phone.connect(node)
            await again.say(request("2", transport="TCP"))
            assert (await again.hear()).status == 200
            for phone in (*phones, again):
                phone.close()

    run(scenario())


def test_a_node_takes_so_many_connections_and_opens_none_beyond(run):
    async def scenario():
        async with Node("tcp", limits=StreamLimits(connections=1)) as node, Node("tcp") as far:
            phone = await Phone.connect(node)
            await phone.say(request("1", transport="TCP"))
            await phone.hear()
            assert await (await Phone.connect(node)).is_hung_up_on()
            node.send(request("2", transport="TCP"), far.hop("tcp"))
            assert node.agent.failures == [(far.hop("tcp"), "too many connections")]
            phone.close()

    run(scenario())


def test_a_blocked_source_is_not_let_in(run):
    async def scenario():
        async with Node("tcp", drops=lambda hop, now: True) as node:
            assert await (await Phone.connect(node)).is_hung_up_on()

    run(scenario())


def test_who_connects_and_says_nothing_is_hung_up_on(run):
    async def scenario():
        async with Node("tcp", limits=StreamLimits(first_message=0.05)) as node:
            silent, slow = await Phone.connect(node), await Phone.connect(node)
            await slow.say(request(transport="TCP")[:30])
            assert await silent.is_hung_up_on()
            assert await slow.is_hung_up_on()
            assert node.shell.counts()["connections"] == 0

    run(scenario())


def test_a_connection_is_kept_while_it_is_heard_of_and_closed_when_it_is_idle(run):
    async def scenario():
        start = time.monotonic()
        skew = 0.0
        async with Node("tcp", limits=StreamLimits(idle=100.0), clock=lambda: start + skew) as node:
            quiet, lively = await Phone.connect(node), await Phone.connect(node)
            for phone in (quiet, lively):
                await phone.say(request(transport="TCP"))
                await phone.hear()
            skew = 99.0
            await lively.say(b"\r\n\r\n")
            await lively.reader.readexactly(2)
            skew = 101.0
            node.agent.due = start  # any wake-up will do: the clock leapt where timers cannot see it
            node.shell.flush()
            assert await quiet.is_hung_up_on()
            await lively.say(request("2", transport="TCP"))
            assert (await lively.hear()).call_id == "2"
            lively.close()

    run(scenario())


def test_a_peer_that_does_not_read_is_hung_up_on_and_memory_stays_bounded(run):
    async def scenario():
        async with Node("tcp", limits=StreamLimits(unsent=200_000)) as node:
            phone = await Phone.connect(node)
            phone.writer.transport.pause_reading()
            await phone.say(request("1", transport="TCP"))
            await node.until(lambda: node.agent.requests)
            hop = node.agent.requests[0][1]
            for _ in range(1000):
                node.send(request("big", transport="TCP", size=50_000), hop)
                if node.agent.failures:
                    break
            assert node.agent.failures[0][1] == "the peer does not read"
            await node.until(lambda: node.shell.counts()["connections"] == 0)
            phone.close()

    run(scenario())


def test_too_many_messages_for_a_connection_not_yet_open_are_turned_away(run):
    async def scenario():
        async with Node("tcp", limits=StreamLimits(waiting=5)) as node, Node("tcp") as far:
            for number in range(8):
                node.agent.send(request(str(number), transport="TCP"), far.hop("tcp"))
            node.shell.flush()
            assert len(node.agent.failures) == 3
            await far.until(lambda: len(far.agent.requests) == 5)

    run(scenario())


def test_closing_the_shell_hangs_up_on_everybody(run):
    async def scenario():
        node = Node("tcp")
        async with node:
            phone = await Phone.connect(node)
            await phone.say(request(transport="TCP"))
            await phone.hear()
        assert await phone.is_hung_up_on()

    run(scenario())


def test_an_answer_to_our_ping_is_told_to_the_agent(run):
    async def scenario():
        async with Node("tcp") as near:
            reader, writer = await asyncio.open_connection(LOCAL, near.hop("tcp").port)
            writer.write(request("7", transport="TCP"))
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\r\n")
            await near.until(lambda: near.agent.pongs)
            assert near.agent.pongs == [near.agent.requests[0][1]]
            writer.close()

    run(scenario())
