"""A speech server in the protocol of vosk-server, over a real recogniser: some phrases of English."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pocketsphinx
from websockets.asyncio.server import ServerConnection, serve

Serve = Callable[[ServerConnection], object]
WORDS = {"cancel": "K AE N S AH L", "my": "M AY", "order": "AO R D ER", "hello": "HH AH L OW"}
GRAMMAR = "#JSGF V1.0; grammar g; public <g> = cancel my order | hello;"


def decoder() -> pocketsphinx.Decoder:
    made = pocketsphinx.Decoder(lm=None, dict=None, loglevel="FATAL", fwdflat=False)
    for word, phones in WORDS.items():
        made.add_word(word, phones, False)
    made.add_jsgf_string("g", GRAMMAR)
    made.activate_search("g")
    return made


async def answers(connection: ServerConnection) -> None:
    """As vosk-server's asr_server.py does it: an answer to each message but the configuration."""
    engine = decoder()
    engine.start_utt()
    async for message in connection:
        if isinstance(message, str):
            told = json.loads(message)
            if "config" in told:
                assert told["config"]["sample_rate"] == 16000
                continue
            engine.end_utt()
            await connection.send(json.dumps(final(engine)))
            return
        engine.process_raw(message)
        found = engine.hyp()
        await connection.send(json.dumps({"partial": found.hypstr if found else ""}))


def final(engine: pocketsphinx.Decoder) -> dict[str, object]:
    words = [
        {"word": each.word, "start": each.start_frame / 100, "end": each.end_frame / 100, "conf": 1.0}
        for each in engine.seg() or ()
        if each.word in WORDS
    ]
    return {"result": words, "text": " ".join(str(word["word"]) for word in words)}


@contextmanager
def server(handler: Serve = answers) -> Iterator[str]:
    """Its address."""
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), 0
    stop = asyncio.Event()

    async def run() -> None:
        nonlocal port
        async with serve(handler, "127.0.0.1", 0) as listening:
            port = listening.sockets[0].getsockname()[1]
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield f"ws://127.0.0.1:{port}"
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
