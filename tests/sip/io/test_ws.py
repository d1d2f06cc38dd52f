"""SIP over WebSockets (RFC 7118): handshakes, frames, clients that vanish; the peer is a real library."""

from __future__ import annotations

import asyncio
import ssl

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Opcode

from sip.hop import Hop
from sip.io import certificate
from sip.io.connection import StreamLimits
from sip.io.tls import TlsContexts, TlsSettings
from sip.message import parse
from tests.sip.io.peers import LOCAL, Node, request

HEAD = (
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)
SIP = "Sec-WebSocket-Protocol: sip\r\n"


def node(**limits) -> Node:
    return Node("ws", limits=StreamLimits(**limits))


def url(near: Node, scheme: str = "ws") -> str:
    return f"{scheme}://{LOCAL}:{near.hop(scheme).port}/"


def phone(near: Node, **options):
    options = {"subprotocols": ["sip"], "compression": None, "proxy": None, "open_timeout": 5.0} | options
    return connect(url(near), **options)


async def status_of(near: Node, head: str) -> int:
    """What an HTTP request is answered; 0 for nothing."""
    reader, writer = await asyncio.open_connection(LOCAL, near.hop("ws").port)
    writer.write(head.encode())
    line = await asyncio.wait_for(reader.readline(), 5.0)
    writer.transport.abort()
    return int(line.split()[1]) if line else 0


async def close_code(client) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(client.recv(), 5.0)
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code


@pytest.mark.parametrize("kind", ["text", "binary"])
def test_a_message_comes_in_a_frame_of_either_kind_and_is_answered_in_text(run, kind):
    async def scenario():
        async with node() as near, phone(near) as client:
            await client.send(request("7", transport="WS"), text=kind == "text")
            answer = await client.recv()
            assert isinstance(answer, str)
            assert parse(answer.encode()).call_id == "7"
            assert near.agent.requests[0][1].transport == "ws"

    run(scenario())


def test_what_is_no_text_is_sent_in_a_binary_frame(run):
    async def scenario():
        async with node() as near, phone(near) as client:
            await client.send(request("7", transport="WS"))
            await client.recv()
            hop = near.agent.requests[0][1]
            near.send(request("8", "MESSAGE", "WS") + b"\xff\x00", hop)
            assert isinstance(await client.recv(), bytes)

    run(scenario())


def test_a_message_in_many_frames_is_one_message(run):
    async def scenario():
        async with node() as near, phone(near) as client:
            whole = request("7", transport="WS", size=5000)
            await client.send(whole[at : at + 700] for at in range(0, len(whole), 700))
            await near.until(lambda: near.agent.requests)
            assert len(near.agent.requests[0][0].body) == 5000

    run(scenario())


def test_two_messages_in_one_frame_are_the_first_alone(run):
    async def scenario():
        async with node() as near, phone(near) as client:
            await client.send(request("7", transport="WS") + request("8", transport="WS"), text=True)
            await client.recv()
            assert [each.call_id for each, _ in near.agent.requests] == ["7"]

    run(scenario())


def test_a_message_without_content_length_is_as_long_as_its_frame(run):
    async def scenario():
        async with node() as near, phone(near) as client:
            await client.send(request("7", transport="WS").replace(b"Content-Length: 0\r\n", b""))
            assert parse((await client.recv()).encode()).status == 200

    run(scenario())


def test_double_crlf_in_a_frame_is_answered_with_crlf_in_a_frame(run):
    async def scenario():
        async with node() as near, phone(near) as client:
            await client.send("\r\n\r\n")
            assert await client.recv() == "\r\n"
            assert near.agent.requests == near.agent.malformed == []

    run(scenario())


def test_a_ping_is_answered(run):
    async def scenario():
        async with node() as near, phone(near) as client:
            await asyncio.wait_for(await client.ping(), 5.0)

    run(scenario())


def test_over_tls_it_is_wss(run, tmp_path):
    async def scenario():
        pem, key = certificate.ensure(tmp_path, [LOCAL])
        contexts = TlsContexts(TlsSettings(pem, key))
        trust = ssl.create_default_context(cafile=pem)
        async with (
            Node("wss", tls=contexts) as near,
            connect(url(near, "wss"), subprotocols=["sip"], ssl=trust, proxy=None) as client,
        ):
            await client.send(request("7", transport="WSS"), text=True)
            assert parse((await client.recv()).encode()).call_id == "7"
            assert near.agent.requests[0][1].transport == "wss"

    run(scenario())


def test_without_a_certificate_wss_does_not_begin(run):
    async def scenario():
        with pytest.raises(OSError, match="TLS"):
            await Node("wss").shell.start()

    run(scenario())


# ------------------------------------------------------------------------------------------------ handshakes


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (HEAD + SIP, 101),
        (HEAD, 400),  # no sub-protocol
        (HEAD + "Sec-WebSocket-Protocol: chat\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: x\r\n", 426),  # a browser's address line
        (HEAD.replace("13", "8") + SIP, 400),
        (HEAD.replace("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=") + SIP, 400),
        (HEAD.replace("HTTP/1.1", "HTTP/1.0") + SIP, 505),
        (HEAD.replace("GET", "POST") + SIP, 405),
        ("SSH-2.0-OpenSSH\r\n", 400),
        (HEAD + SIP + f"X: {'y' * 9000}\r\n", 431),
        (HEAD + SIP + "X: y\r\n" * 200, 431),
    ],
)
def test_a_handshake_is_answered_by_what_is_wrong_with_it(run, head, status):
    async def scenario():
        async with node() as near:
            assert await status_of(near, head + "\r\n") == status

    run(scenario())


def test_a_handshake_without_end_is_cut_off(run):
    async def scenario():
        async with node() as near:
            assert await status_of(near, HEAD + "X: " + "y" * 20_000) == 431

    run(scenario())


@pytest.mark.parametrize(
    ("origins", "origin", "status"),
    [
        ((), None, 101),  # no browser
        ((), "https://127.0.0.1", 101),  # a page of the very host
        ((), "https://127.0.0.1:8443", 101),
        ((), "https://evil.example", 403),
        ((), "null", 403),  # a page from a file, or in a sandbox
        ((), "http://[", 403),
        (("https://www.example.com",), "https://WWW.example.com", 101),
        (("https://www.example.com",), "http://www.example.com", 403),
        (("*",), "null", 101),
    ],
)
def test_pages_of_strangers_may_not_connect(run, origins, origin, status):
    async def scenario():
        async with node(origins=frozenset(origins)) as near:
            said = "" if origin is None else f"Origin: {origin}\r\n"
            assert await status_of(near, HEAD + SIP + said + "\r\n") == status

    run(scenario())


def test_a_refused_client_is_hung_up_on_and_told_why(run):
    async def scenario():
        async with node() as near:
            with pytest.raises(InvalidStatus) as refused:
                await phone(near, subprotocols=None)
            assert "subprotocol" in refused.value.response.body.decode()
            await near.until(lambda: near.agent.failures)
            assert near.agent.failures[0][1] == "handshake refused: 400"
            assert near.shell.counts()["connections"] == 0

    run(scenario())


def test_a_client_that_never_shakes_hands_is_hung_up_on(run):
    async def scenario():
        async with node(first_message=0.1) as near:
            assert await status_of(near, HEAD) == 0
            assert near.shell.counts()["stream silent"] == 1

    run(scenario())


def test_a_client_that_shook_hands_may_say_nothing_for_a_while(run):
    async def scenario():
        async with node(first_message=0.1, idle=0.3) as near, phone(near) as client:
            assert await close_code(client) == 1001
            assert client.close_reason == "silent for too long"

    run(scenario())


@pytest.mark.parametrize("limits", [{"connections": 1}, {"per_source": 1}])
def test_more_clients_than_allowed_are_refused(run, limits):
    async def scenario():
        async with node(**limits) as near, phone(near):
            assert await status_of(near, HEAD + SIP + "\r\n") == 0
            assert near.shell.counts()["stream refused"] == 1

    run(scenario())


# ---------------------------------------------------------------------------------------------------- frames


async def send_raw(client, *frames: tuple[bool, Opcode, bytes]) -> None:
    """Frames as they are, masked; the library would not send some of them."""
    out = bytearray()
    for fin, opcode, data in frames:
        out += bytes([fin << 7 | opcode])
        size = len(data)
        out += bytes([0x80 | size]) if size < 126 else b"\xfe" + size.to_bytes(2, "big")
        out += bytes(4) + data  # a mask of zeros
    client.transport.write(bytes(out))


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(True, Opcode.TEXT, b"\xff\xfe")], 1007),
        ([(True, Opcode.CONT, b"x")], 1002),
        ([(False, Opcode.TEXT, b"x"), (True, Opcode.TEXT, b"y")], 1002),
        ([(False, Opcode.PING, b"")], 1002),
        ([(True, Opcode.PING, b"")] * 2000, 1008),
        ([(False, Opcode.TEXT, b"")] + [(False, Opcode.CONT, b"")] * 2000, 1008),
    ],
)
def test_frames_that_break_the_protocol_end_it_with_a_code(run, frames, code):
    async def scenario():
        async with node() as near, phone(near) as client:
            await send_raw(client, *frames)
            assert await close_code(client) == code
            await near.until(lambda: near.agent.failures)

    run(scenario())


def test_a_message_longer_than_any_of_sip_ends_it(run):
    async def scenario():
        async with node(body=10_000) as near, phone(near) as client:
            await client.send(request(transport="WS", size=60_000), text=True)
            assert await close_code(client) == 1009

    run(scenario())


def test_rubbish_in_a_frame_is_reported_and_the_next_message_read(run):
    async def scenario():
        async with node() as near, phone(near) as client:
            await client.send("hello")
            await client.send(request("7", transport="WS"), text=True)
            await client.recv()
            assert len(near.agent.malformed) == 1

    run(scenario())


# ------------------------------------------------------------------------------------------------- life, end


def test_a_client_that_leaves_is_told_to_the_agent_with_its_code(run):
    async def scenario():
        async with node() as near:
            async with phone(near) as client:
                await client.send(request(transport="WS"), text=True)
                await client.recv()
            await near.until(lambda: near.agent.failures)
            hop, reason = near.agent.failures[0]
            assert hop == near.agent.requests[0][1] and reason == "closed by peer: 1000"

    run(scenario())


def test_a_client_that_answers_no_ping_is_taken_for_gone(run):
    async def scenario():
        async with node(ping=0.05) as near, phone(near) as client:
            client.transport.pause_reading()
            await near.until(lambda: near.agent.failures)
            assert near.agent.failures[0][1] == "no answer to a ping"
            client.transport.abort()

    run(scenario())


def test_a_client_that_answers_pings_stays(run):
    async def scenario():
        async with node(ping=0.05, idle=0.3) as near, phone(near) as client:
            loop = asyncio.get_running_loop()
            enough = loop.create_future()
            loop.call_later(0.45, enough.set_result, None)
            await enough
            await client.send(request("7", transport="WS"), text=True)
            assert parse((await client.recv()).encode()).call_id == "7"

    run(scenario())


def test_a_client_that_does_not_read_is_hung_up_on(run):
    async def scenario():
        async with node(unsent=100_000) as near, phone(near) as client:
            await client.send(request(transport="WS"), text=True)
            await client.recv()
            client.transport.pause_reading()
            hop = near.agent.requests[0][1]
            while not near.agent.failures:
                near.send(request("8", "MESSAGE", "WS", size=50_000), hop)
                await asyncio.sleep(0)  # a turn of the loop, for the socket to take what it does
            assert near.agent.failures[0][1] == "the peer does not read"
            client.transport.abort()

    run(scenario())


def test_nothing_is_sent_to_a_client_that_left_nor_to_the_next_at_its_address(run):
    async def scenario():
        async with node() as near:
            async with phone(near) as client:
                await client.send(request(transport="WS"), text=True)
                await client.recv()
            await near.until(lambda: near.agent.failures)
            gone = near.agent.requests[0][1]
            async with phone(near) as other:
                await other.send(request("2", transport="WS"), text=True)
                await other.recv()
                taken = near.agent.requests[1][1]
                near.send(request("9", "MESSAGE", "WS"), Hop("ws", taken.host, taken.port, gone.connection))
                assert near.agent.failures[-1][1] == "the connection that led there is closed"
                near.send(request("10", "MESSAGE", "WS"), taken)
                assert parse((await other.recv()).encode()).call_id == "10"

    run(scenario())


def test_a_node_that_ends_says_that_it_goes_away(run):
    async def scenario():
        near = node()
        await near.shell.start()
        async with phone(near) as client:
            await client.send(request(transport="WS"), text=True)
            await client.recv()
            await near.shell.close()
            assert await close_code(client) == 1001

    run(scenario())
