"""Consoles without browsers: sign in, open a page, follow it over its socket, as NiceGUI's own script would.

`python -m benchmarks.consoles ADDRESS TOKEN [COUNT]` follows the wallboard for 20 s and says what was told.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

FOLLOWED_S = 20.0


@dataclass
class Following:
    """What one console was told. gaps: s between one word and the next. cut: the node closed it."""

    page_bytes: int = 0
    told: int = 0
    told_bytes: int = 0
    gaps: list[float] = field(default_factory=list)
    cut: bool = False


async def sign_in(address: str, token: str) -> str:
    """The cookie of a session. Raises ValueError for a token that is refused."""
    async with httpx.AsyncClient() as client:
        headers = {"Origin": address}
        answer = await client.post(f"{address}/console/sign-in", data={"password": token}, headers=headers)
        if answer.status_code != 303:
            raise ValueError("the console refused the token")
        return f"isogloss_session={answer.cookies['isogloss_session']}"


async def follow(
    address: str, cookie: str, until: Callable[[], bool], place: str = "wallboard", reads: bool = True
) -> Following:
    """Open a page and take what it is told until `until`. reads: False for one that stalls."""
    following = Following()
    headers = {"Cookie": cookie, "Origin": address}
    async with httpx.AsyncClient(timeout=60.0) as client:
        page = (await client.get(f"{address}/console/{place}", headers=headers)).text
    following.page_bytes = len(page)
    found = re.search(r"""["']client_id["']:\s*["']([0-9a-f-]+)""", page)
    if found is None:
        raise ValueError("that is no page of the console")
    asked = {
        "EIO": "4",
        "transport": "websocket",
        "client_id": found[1],
        "next_message_id": "0",
        "implicit_handshake": "true",
        "document_id": secrets.token_hex(16),
        "tab_id": secrets.token_hex(16),
    }
    url = f"{address.replace('http', 'ws', 1)}/console/_nicegui_ws/socket.io/?{urlencode(asked)}"
    async with connect(url, additional_headers=headers, max_size=None, ping_interval=None) as socket:
        try:
            await _read(socket, following, until, reads)
        except ConnectionClosed:
            following.cut = True
    return following


async def _read(
    socket: ClientConnection, following: Following, until: Callable[[], bool], reads: bool
) -> None:
    """Engine.IO 4: 0 opens, 2 is a ping and 3 its answer, 4 a message; Socket.IO's 40 joins."""
    last = time.monotonic()
    while not until():
        if not reads:
            await asyncio.sleep(0.5)
            continue
        try:
            word = await asyncio.wait_for(socket.recv(), 1.0)
        except TimeoutError:
            continue
        if word in ("2", b"2"):
            await socket.send("3")
        elif isinstance(word, str) and word.startswith("0"):
            await socket.send("40")
        elif isinstance(word, str) and word.startswith("42"):
            now = time.monotonic()
            following.told += 1
            following.told_bytes += len(word)
            following.gaps.append(now - last)
            last = now


async def main(address: str, token: str, count: int) -> None:
    cookie = await sign_in(address, token)
    ends = time.monotonic() + FOLLOWED_S
    over = [follow(address, cookie, lambda: time.monotonic() > ends) for _ in range(count)]
    found = await asyncio.gather(*over)
    told = {
        "consoles": count,
        "told_a_second": round(sum(each.told for each in found) / FOLLOWED_S / count, 2),
        "kbit_s": round(sum(each.told_bytes for each in found) * 8 / 1000 / FOLLOWED_S / count, 1),
        "page_kb": round(found[0].page_bytes / 1000, 1),
        "cut": sum(each.cut for each in found),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 50))
