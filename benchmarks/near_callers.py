"""Callers' pages of one region, as engine/web/near.js has them: they measure ways and ask where to call.

Reads lines of JSON (`Ask`) and answers each with one: for every caller the node that she was told, "" for
none.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence

import msgspec

from benchmarks.near_node import KEY, PORT
from engine import tokens
from engine.tokens import Claims

ROUNDS = 4
AT_ONCE = 2  # a caller has a machine of her own; here all share one
PATIENCE_S = 5.0


class Call(msgspec.Struct):
    """caller: address of hers. asks: address of the node that gave her token. token: a number of its own."""

    caller: str
    asks: str
    token: int


class Ask(msgspec.Struct):
    """nodes: address by name."""

    calls: Sequence[Call]
    nodes: Mapping[str, str]


class Http:
    """One connection from a caller to a node."""

    def __init__(self, caller: str, node: str) -> None:
        self._caller, self._node = caller, node
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._node, PORT, local_addr=(self._caller, 0))
        reader, writer = self._streams
        length = f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n" if body else ""
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._node}\r\n{headers}{length}\r\n".encode() + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        size = next(
            (
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            ),
            0,
        )
        return status, await reader.readexactly(size) if size else b""

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()


async def way(caller: str, node: str) -> float | None:
    """Milliseconds, as near.js has them: the least of four after the one that opens the connection."""
    http, found = Http(caller, node), []
    try:
        async with asyncio.timeout(PATIENCE_S):
            await http.ask("GET", "/near")
            for _ in range(ROUNDS):
                began = time.perf_counter()
                status, _ = await http.ask("GET", "/near")
                if status == 204:
                    found.append((time.perf_counter() - began) * 1000)
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        pass  # a node that is gone
    finally:
        http.close()
    return min(found) if found else None


async def call(what: Call, nodes: Mapping[str, str], gate: asyncio.Semaphore) -> str:
    async with gate:
        ways = await asyncio.gather(*(way(what.caller, address) for address in nodes.values()))
        ms = {name: each for name, each in zip(nodes, ways, strict=True) if each is not None}
        now = time.time()
        claims = Claims(f"caller-{what.token:08}", "support", now, now + 60)
        token = tokens.sign(claims, "k", KEY)
        http = Http(what.caller, what.asks)
        try:
            async with asyncio.timeout(PATIENCE_S):
                body = msgspec.json.encode({"ms": ms})
                status, told = await http.ask("POST", "/near", body, f"Authorization: Bearer {token}\r\n")
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return ""
        finally:
            http.close()
        return str(msgspec.json.decode(told)["node"]) if status == 200 else ""


async def answer(ask: Ask) -> list[str]:
    gate = asyncio.Semaphore(AT_ONCE)
    return await asyncio.gather(*(call(each, ask.nodes, gate) for each in ask.calls))


def main() -> int:
    with asyncio.Runner() as runner:
        for line in sys.stdin.buffer:
            told = runner.run(answer(msgspec.json.decode(line, type=Ask)))
            sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
            sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
