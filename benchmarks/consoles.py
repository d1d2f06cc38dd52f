"""Consoles without browsers: sign in, open a page, follow it over its socket, as NiceGUI's own script would.

`python -m benchmarks.consoles ADDRESS TOKEN [COUNT [-]]` follows the wallboard for 20 s, or with `-` until
its input ends, says on a line when all have been told something, and at last what was told.
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

from benchmarks.percentile import percentile_ms

FOLLOWED_S = 20.0
MADE_AT = re.compile(r'"at":(\d+\.\d+)')  # when what a part shows was so
OPENED_AT_ONCE = 4  # pages


@dataclass
class Following:
    """What one console was told. lags: s from when something was so to its being told. gaps: s between the
    moments of which something was told. cut: the node closed it.
    """

    page_bytes: int = 0
    told: int = 0
    told_bytes: int = 0
    lags: list[float] = field(default_factory=list)
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
    address: str,
    cookie: str,
    until: Callable[[], bool],
    place: str = "wallboard",
    reads: bool = True,
    following: Following | None = None,
    room: asyncio.Semaphore | None = None,
) -> Following:
    """Open a page and take what it is told until `until`. reads: False for one that stalls. following: where
    what is told is noted. room: to open a page in.
    """
    following = following or Following()
    headers = {"Cookie": cookie, "Origin": address}
    async with room or asyncio.Semaphore(), httpx.AsyncClient(timeout=60.0) as client:
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
    last = 0.0
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
            following.told += 1
            following.told_bytes += len(word)
            made = max(map(float, MADE_AT.findall(word)), default=last)
            if made > last:
                following.lags.append(time.time() - made)
                following.gaps.append(made - last)
                last = made


async def main(address: str, token: str, count: int, until_input_ends: bool = False) -> None:
    cookie = await sign_in(address, token)
    over, begun = asyncio.Event(), time.monotonic()
    loop = asyncio.get_running_loop()
    if until_input_ends:
        loop.add_reader(sys.stdin.fileno(), over.set)
    else:
        loop.call_later(FOLLOWED_S, over.set)
    followings = [Following() for _ in range(count)]
    room = asyncio.Semaphore(OPENED_AT_ONCE)
    tasks = [
        loop.create_task(follow(address, cookie, over.is_set, following=each, room=room))
        for each in followings
    ]
    while not all(each.told for each in followings) and not over.is_set():
        await asyncio.sleep(0.1)
    print("told", flush=True)
    opened_s = time.monotonic() - begun
    await asyncio.gather(*tasks)
    followed_s = max(time.monotonic() - begun - opened_s, 1e-3)
    # The first is of the page itself, which was told while others opened theirs.
    lags = [lag for each in followings for lag in each.lags[1:]]
    gaps = [gap for each in followings for gap in each.gaps[1:]]
    told = {
        "consoles": count,
        "opened_s": round(opened_s, 2),
        "told_a_second": round(sum(each.told for each in followings) / followed_s / count, 2),
        "kbit_s": round(sum(each.told_bytes for each in followings) * 8 / 1000 / followed_s / count, 1),
        "page_kb": round(followings[0].page_bytes / 1000, 1),
        "lag_p95_ms": percentile_ms(lags, 95),
        "gap_p95_ms": percentile_ms(gaps, 95),
        "cut": sum(each.cut for each in followings),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int((*sys.argv, 50)[3]), sys.argv[4:] == ["-"]))
