"""A real, small DNS server on the loopback, whose zone is a dictionary."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from tests.sip.io.peers import LOCAL

SOA = "ns.example. admin.example. 1 3600 600 86400 60"


class Server(asyncio.DatagramProtocol):
    """Answers from a zone; counts what it was asked; can be told to fall silent or to fail.

    zone: kind and name -> values, parted by `|`.
    """

    def __init__(self, zone: Mapping[tuple[str, str], str]) -> None:
        self.zone = dict(zone)
        self.ttl = 300
        self.asked: list[tuple[str, str]] = []
        self.questioned = asyncio.Event()
        self.mode = "answer"
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def __aenter__(self) -> Server:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(LOCAL, 0))
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._transport is not None
        self._transport.close()

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        assert self._transport is not None
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), question.to_text().split()[-1]
        self.asked.append((kind, name))
        self.questioned.set()
        if self.mode == "silent":
            return
        response: dns.message.Message = dns.message.make_response(query)
        response.flags |= dns.flags.AA | dns.flags.RA
        if self.mode == "fail":
            response.set_rcode(dns.rcode.SERVFAIL)
        elif (kind, name) in self.zone:
            values = self.zone[kind, name].split("|")
            response.answer.append(dns.rrset.from_text(name, self.ttl, "IN", kind, *values))
        else:
            if not any(name == known for _, known in self.zone):
                response.set_rcode(dns.rcode.NXDOMAIN)
            response.authority.append(dns.rrset.from_text("example.", 60, "IN", "SOA", SOA))
        if self.mode == "rubbish":
            self._transport.sendto(b"\xff" * 40, address)
        self._transport.sendto(response.to_wire(), address)


class ServerThread:
    """One in a thread of its own, for tests that have no event loop."""

    def __init__(self, zone: Mapping[tuple[str, str], str]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = Server(zone)
        asyncio.run_coroutine_threadsafe(self._server.__aenter__(), self._loop).result(5)
        self.port = self._server.port

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._server.__aexit__(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()
