"""A WebSocket over TLS on one blocking socket, by the core of `websockets`.

Its own synchronous client reads and writes one TLS connection from two threads, which now and then loses the
handshake: seen in one connection of twenty, and in none of a thousand by its client for asyncio.
"""

from __future__ import annotations

import socket
import ssl

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import OPEN
from websockets.typing import Origin, Subprotocol
from websockets.uri import parse_uri

PATIENCE_S = 10.0


class WebSocket:
    """One connection to a node, of a page at `origin`; the node's own page when it is not said.

    Raises ConnectionError when it is refused or over.
    """

    def __init__(self, host: str, port: int, origin: str = "") -> None:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        self._wire = trust.wrap_socket(socket.create_connection((host, port), PATIENCE_S))
        self._protocol = ClientProtocol(
            parse_uri(f"wss://{host}:{port}/"),
            origin=Origin(origin or f"https://{host}"),
            subprotocols=[Subprotocol("sip")],
        )
        self._messages: list[bytes] = []
        self._protocol.send_request(self._protocol.connect())
        while not self._read():
            pass
        if self._protocol.handshake_exc is not None:
            raise ConnectionError(str(self._protocol.handshake_exc))

    def send(self, message: bytes) -> None:
        self._protocol.send_text(message)
        self._flush()

    def receive(self) -> bytes:
        while not self._messages:
            self._read()
        return self._messages.pop(0)

    def close(self) -> None:
        """With a goodbye."""
        if self._protocol.state is OPEN and self._wire.fileno() >= 0:
            self._protocol.send_close(1000)
            self._flush()
        self._wire.close()

    def cut(self) -> None:
        """Without one."""
        self._wire.close()

    def _read(self) -> bool:
        """Take what comes next; whether the answer to the handshake was in it."""
        self._flush()
        data = self._wire.recv(65536)
        if not data:
            raise ConnectionError("the node hung up")
        self._protocol.receive_data(data)
        answered = False
        for event in self._protocol.events_received():
            answered = answered or isinstance(event, Response)
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                self._messages.append(bytes(event.data))
        self._flush()
        return answered

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._wire.sendall(data)
