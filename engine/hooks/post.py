"""One event posted to one target: the name resolved once, the address looked at, no redirect followed, the
answer bounded in size and time.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import h11

from engine.hooks.target import Forbidden, allowed

MOST_BYTES = 64 * 1024  # of an answer, head and body
PIECE = 16 * 1024

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """status: of HTTP, None where none came; why: what kept it from being taken, "" for nothing."""

    status: int | None
    why: str = ""

    @property
    def taken(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def its_own(self) -> bool:
        """Whether the event was refused, rather than the target being out of order."""
        return self.status is not None and 300 <= self.status < 500 and self.status not in (408, 425, 429)


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system knows them."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Post:
    """resolver, context: of names and of TLS, the system's when left out."""

    def __init__(self, resolver: Resolve = resolve, context: ssl.SSLContext | None = None) -> None:
        self._resolve = resolver
        self._context = context or ssl.create_default_context()

    async def send(
        self, url: str, headers: Mapping[str, str], body: bytes, *, private: bool, timeout_s: float
    ) -> Outcome:
        """Never raises for what the target or its name does."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._send(url, headers, body, private)
        except TimeoutError:
            return Outcome(None, f"no answer within {timeout_s:g} s")
        except Forbidden as forbidden:
            return Outcome(None, str(forbidden))
        except (OSError, h11.RemoteProtocolError, UnicodeError, EOFError) as error:
            return Outcome(None, f"{type(error).__name__}: {error}"[:200])

    async def _send(self, url: str, headers: Mapping[str, str], body: bytes, private: bool) -> Outcome:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise Forbidden("hooks are told by http and https, at a host without a name before it")
        host, secure = parts.hostname, parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        address = allowed(await self._resolve(host, port), private=private)[0]
        reader, writer = await asyncio.open_connection(
            address,
            port,
            ssl=self._context if secure else None,
            server_hostname=host if secure else None,
        )
        try:
            path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            length = {"Host": parts.netloc, "Content-Length": str(len(body)), "Connection": "close"}
            connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MOST_BYTES)
            request = h11.Request(method="POST", target=path, headers=[*(length | dict(headers)).items()])
            for event in (request, h11.Data(data=body), h11.EndOfMessage()):
                writer.write(connection.send(event) or b"")
            await writer.drain()
            return Outcome(status := await _status(connection, reader), _words(status))
        finally:
            writer.transport.abort()


async def _status(connection: h11.Connection, reader: asyncio.StreamReader) -> int:
    """The answer's status; of its body nothing is wanted."""
    got = 0
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            return event.status_code
        if event is h11.NEED_DATA:
            piece = await reader.read(PIECE)
            got += len(piece)
            if not piece:
                raise EOFError("the connection ended without an answer")
            if got > MOST_BYTES:
                raise EOFError("the answer is too long")
            connection.receive_data(piece)


def _words(status: int) -> str:
    if 200 <= status < 300:
        return ""
    return f"answered {status}" + (", and redirects are not followed" if 300 <= status < 400 else "")
