"""A recording as an answer: all of it, or the range of bytes that a player asks for (RFC 9110 section 14)."""

from __future__ import annotations

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import structlog
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from engine.access.errors import AuditUnavailable
from engine.views import SoundView
from media.sealed import SealBroken

ONCE_S = 600.0  # of asking for a recording's pieces are listening to it once
MOST_HEARD = 5000
MOST_BEGINNING = 500  # that wait for the store and the audit log at once
_ONE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")

log = structlog.get_logger("api")


class NoSuchRange(ValueError):
    """size: what there is."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the recording has {size} bytes")
        self.size = size


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """The first and last byte that are asked for; None: all, as for what asks for several ranges or for
    anything else. Raises NoSuchRange.
    """
    found = _ONE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        first, last = max(0, size - int(found[2])), size - 1
    else:
        first, last = int(found[1]), min(int(found[2] or size - 1), size - 1)
    if found[1] and found[2] and int(found[2]) < int(found[1]):
        return None
    if first >= size or last < first:
        raise NoSuchRange(size)
    return first, last


def cut(pieces: Iterator[bytes], first: int, last: int) -> Iterator[bytes]:
    """The bytes from first to last."""
    at = 0
    for piece in pieces:
        begin, end = max(first - at, 0), min(last + 1 - at, len(piece))
        if begin < end:
            yield piece[begin:end]
        at += len(piece)
        if at > last:
            return


async def sound_answer(
    name: str, sound: SoundView, *, asked: str = "", attached: bool = False
) -> StreamingResponse:
    """asked: the Range header. attached: to be saved, not played. What it reads first, it reads before it
    says that all is well: raises SealBroken, OSError, NoSuchRange.
    """
    headers = {"Cache-Control": "no-store"}
    headers["Content-Disposition"] = f'{"attachment" if attached else "inline"}; filename="{sound.file}"'
    pieces, status = sound.pieces, 200
    if sound.size is not None:
        headers["Accept-Ranges"] = "bytes"
        part = wanted(asked, sound.size)
        length = sound.size
        if part is not None:
            first, last = part
            status, length, pieces = 206, last - first + 1, cut(pieces, first, last)
            headers["Content-Range"] = f"bytes {first}-{last}/{sound.size}"
        headers["Content-Length"] = str(length)
    begun = await run_in_threadpool(next, pieces, b"")
    return StreamingResponse(_rest(name, begun, pieces), status, headers, sound.type)


def _rest(name: str, begun: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """A file that breaks off ends there, and the log says why."""
    yield begun
    try:
        yield from rest
    except (SealBroken, OSError) as broken:
        log.warning("recording ends early", recording=name, why=str(broken))


class Heard:
    """Who listens to what: a player asks for a recording piece by piece, which is listening to it once.
    clock: monotonic s.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._beginning: dict[tuple[str, str], asyncio.Task[bool]] = {}

    async def once(self, who: str, name: str, begin: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
        """Whether she may go on, or begin. begin: counts it and tells the audit log; asked once however many
        pieces are asked for meanwhile, and not left halfway by whoever goes. Until it says yes she did not
        begin; what it raises, all who waited for it do. Raises AuditUnavailable where too many begin.
        """
        key = who, name
        if self._lately(key):
            return True
        task = self._beginning.get(key)
        if task is None:
            if len(self._beginning) >= MOST_BEGINNING:
                raise AuditUnavailable("too many begin to listen at once")
            task = self._beginning[key] = asyncio.create_task(self._begin(key, begin))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # one may have gone
        return await asyncio.shield(task)

    async def _begin(self, key: tuple[str, str], begin: Callable[[], Coroutine[Any, Any, bool]]) -> bool:
        try:
            begun = await begin()
            if begun:
                self._since.pop(key, None)
                self._since[key] = self._clock()
                while len(self._since) > MOST_HEARD:
                    self._since.popitem(last=False)
            return begun
        finally:
            del self._beginning[key]

    def _lately(self, key: tuple[str, str]) -> bool:
        since = self._since.get(key)
        return since is not None and self._clock() - since < ONCE_S
