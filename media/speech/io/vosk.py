"""A recogniser on another machine, over a WebSocket in the protocol of vosk-server.

An utterance has a connection of its own: what it is (`{"config": {"sample_rate": …}}`), its sound as binary
messages, and `{"eof": 1}` at the end; the server answers each message with {"partial": "…"} or, where it has
found an end by itself, {"text": "…", "result": [{"word", "start", "end", "conf"}]}. What it ended stays, and
what follows is added. A phrase list goes along as the grammar, which servers with a small model take.

The connections live on a loop of their own thread; the worker waits for a last word a moment at a time. What
a server says is not trusted: its messages, their number and the words in them are bounded.
"""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import Coroutine, Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from media.speech.recogniser import RecogniserFault, Said
from media.speech.word import Guess, Word

OPEN_S = 3.0  # for a connection
LAST_S = 5.0  # for the last word
WAIT_S = 0.02  # that a worker waits for it at once
MESSAGE = 1 << 20  # bytes
WORDS = 2000  # of an utterance
HOLD_S = 1.0  # for how long a word changes
EACH_S = 0.3  # that a word takes whose times are not told
UNSENT = 1 << 21  # bytes of sound that a server may be behind


@dataclass(slots=True)
class Stream:
    """inbox: sound to be sent, None for its end; waiting: bytes of it. ended: words of what the server has
    ended; partial: of what goes on. owed: answers, one to each message.
    """

    rate: int
    language: str
    config: dict[str, Any]
    inbox: asyncio.Queue[bytes | None] = field(default_factory=asyncio.Queue)
    waiting: int = 0
    heard_s: float = 0.0
    ended: list[Word] = field(default_factory=list)
    partial: list[Word] = field(default_factory=list)
    finished: bool = False
    owed: int = 0
    sent: bool = False
    over: threading.Event = field(default_factory=threading.Event)
    fault: str = ""
    task: Future[None] | None = None
    waited_s: float = 0.0


class VoskRecogniser:
    """url: ws:// or wss://. languages: that the server's model hears; low: whether it is to be marked."""

    streams = True
    batch = 1
    closed: tuple[str, ...] = ()

    def __init__(self, url: str, languages: Sequence[str] = (), *, low: bool = False) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("ws", "wss") or not parts.hostname:
            raise RecogniserFault(f"'{url}' is no address of a server: ws://host:port or wss://host:port")
        self.url = url
        self.low = low
        self.languages = tuple(languages)
        self.name = f"Vosk at {parts.hostname}"
        self._streams: dict[str, Stream] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vosk", daemon=True)
        self._thread.start()
        try:
            self._do(self._greet()).result()
        except RecogniserFault:
            self.close()
            raise

    def start(
        self,
        stream: str,
        rate: int,
        languages: Sequence[str] = (),
        hints: Sequence[str] = (),
        phrases: Sequence[str] = (),
    ) -> None:
        config: dict[str, Any] = {"sample_rate": rate, "words": 1}
        if phrases:
            config["phrase_list"] = [phrase.casefold() for phrase in phrases]
        language = (*languages, *self.languages, "")[0]
        made = self._streams[stream] = Stream(rate, language, config)
        made.task = self._do(self._hear(made))

    def feed(self, stream: str, pcm: bytes) -> None:
        each = self._streams[stream]
        each.heard_s += len(pcm) / 2 / each.rate
        each.waiting += len(pcm)
        if each.waiting > UNSENT:
            each.fault = each.fault or "the server is too far behind"
        self._loop.call_soon_threadsafe(each.inbox.put_nowait, pcm)

    def guesses(self, streams: Sequence[str], finals: AbstractSet[str], now: float) -> Mapping[str, Said]:
        said = {}
        for name in streams:
            stream, final = self._streams[name], name in finals
            if final and not stream.finished:
                stream.finished = True
                self._loop.call_soon_threadsafe(stream.inbox.put_nowait, None)
            if final and not stream.fault and not stream.over.wait(WAIT_S):
                stream.waited_s += WAIT_S
                if stream.waited_s < LAST_S:
                    continue
                stream.fault = f"no last word within {LAST_S:.0f} s"
            if stream.fault:
                raise RecogniserFault(f"{self.name}: {stream.fault}", ever=False)
            words = (*stream.ended, *stream.partial)
            guess = Guess(0, words, final)
            said[name] = Said(guess, stream.language, low=self.low, hold_s=HOLD_S)
        return said

    def stop(self, stream: str) -> None:
        each = self._streams.pop(stream, None)
        if each is not None and each.task is not None:
            each.task.cancel()

    def close(self) -> None:
        for stream in list(self._streams):
            self.stop(stream)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(OPEN_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _do(self, work: Coroutine[Any, Any, None]) -> Future[None]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _connect(self) -> connect:
        return connect(self.url, open_timeout=OPEN_S, close_timeout=0.5, max_size=MESSAGE, proxy=None)

    async def _greet(self) -> None:
        """Whether anybody is there at all."""
        try:
            async with self._connect():
                pass
        except (OSError, TimeoutError, WebSocketException) as error:
            raise RecogniserFault(f"no speech server at {self.url}: {error}", ever=False) from error

    async def _hear(self, stream: Stream) -> None:
        """One utterance, from its connection to its last word."""
        try:
            async with self._connect() as server:
                await server.send(json.dumps({"config": stream.config}))
                sending = asyncio.create_task(self._send(stream, server))
                try:
                    await self._receive(stream, server)
                finally:
                    sending.cancel()
        except (OSError, TimeoutError, WebSocketException, ValueError, RecursionError) as error:
            stream.fault = stream.fault or f"{type(error).__name__}: {error}"
        finally:
            stream.over.set()

    async def _send(self, stream: Stream, server: ClientConnection) -> None:
        while (pcm := await stream.inbox.get()) is not None:
            stream.owed += 1
            await server.send(pcm)
            stream.waiting -= len(pcm)
        stream.owed += 1
        stream.sent = True
        await server.send('{"eof" : 1}')

    async def _receive(self, stream: Stream, server: ClientConnection) -> None:
        """Until the answer to the end, or the server ends it."""
        async for message in server:
            told = json.loads(message)
            stream.owed -= 1
            if not isinstance(told, dict):
                raise ValueError("an answer that is no object")
            if "text" in told:
                stream.ended += _ended(told, _end(stream.ended), stream.heard_s)
                stream.partial = []
            elif isinstance(told.get("partial"), str):
                stream.partial = _spread(told["partial"], _end(stream.ended), stream.heard_s)
            if len(stream.ended) + len(stream.partial) > WORDS:
                raise ValueError(f"more than {WORDS} words")
            if stream.sent and stream.owed <= 0:
                return


def _end(words: Sequence[Word]) -> float:
    return words[-1].end if words else 0.0


def _ended(told: Mapping[str, Any], since: float, until: float) -> list[Word]:
    """Words of a text with the times that the server tells, where it tells any that can be."""
    result = told.get("result")
    if not isinstance(result, list) or not result:
        return _spread(str(told["text"]), since, until)
    words, last = [], since
    for each in result[:WORDS]:
        if not isinstance(each, dict) or not isinstance(each.get("word"), str):
            raise ValueError("a word that is none")
        begin, end = (_number(each.get(name), last) for name in ("start", "end"))
        begin = min(max(begin, last), until)
        last = min(max(end, begin), until)
        words.append(Word(f" {each['word']}", begin, last, min(1.0, _number(each.get("conf"), 1.0))))
    return words


def _spread(text: str, since: float, until: float) -> list[Word]:
    """Words whose times are not told: the newest ends where the sound does."""
    parts = text.split()
    each = min(EACH_S, max(0.0, until - since) / max(1, len(parts)))
    first = until - each * len(parts)
    return [Word(f" {part}", first + at * each, first + (at + 1) * each) for at, part in enumerate(parts)]


def _number(value: object, otherwise: float) -> float:
    if isinstance(value, int | float) and math.isfinite(value) and value >= 0:
        return float(value)
    return otherwise
