"""A recogniser elsewhere, in the protocol of vosk-server, by a real connection to one that recognises."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection

from media.speech.io.vosk import VoskRecogniser
from media.speech.recogniser import RecogniserFault, Said
from media.speech.word import written
from tests.media.speech.spoken import spoken
from tests.media.speech.vosk_server import server

RATE = 16000


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with server() as url:
        yield url


def last_word(one: VoskRecogniser, name: str) -> Said:
    for _ in range(400):
        said = one.guesses([name], {name}, 0.0)
        if name in said:
            return said[name]
    raise AssertionError("no last word")


def fed() -> bytes:
    pcm = np.frombuffer(spoken("cancel my order", "en-us", RATE), "<i2")
    noise = np.random.default_rng(2).normal(0, 8, len(pcm))
    return (pcm + noise).clip(-32768, 32767).astype("<i2").tobytes()


def test_an_utterance_is_heard_elsewhere_with_its_words_times(address: str):
    one = VoskRecogniser(address, ["en-US"])
    for name in ("a", "b"):
        one.start(name, RATE, ["en-GB"])
    pcm = fed()
    for at in range(0, len(pcm), 6400):
        for name in ("a", "b"):
            one.feed(name, pcm[at : at + 6400])
        assert set(one.guesses(["a", "b"], set(), 0.0)) == {"a", "b"}, "nobody waits for partial guesses"
    for name in ("a", "b"):
        said = last_word(one, name)
        assert (written(said.guess.words), said.language, said.low) == ("cancel my order", "en-GB", False)
        times = [word.begin for word in said.guess.words]
        assert times == sorted(times) and said.guess.words[-1].end <= len(pcm) / 2 / RATE
        one.stop(name)
    one.close()


def test_where_nobody_answers_is_told_at_once():
    with pytest.raises(RecogniserFault, match="no speech server"):
        VoskRecogniser("ws://127.0.0.1:9")
    with pytest.raises(RecogniserFault, match="no address"):
        VoskRecogniser("http://example.test/")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ("no json", "JSONDecodeError"),
        ("[" * 100_000, "RecursionError"),
        ("[]", "no object"),
        (json.dumps({"text": "a", "result": [{"word": 7}]}), "a word that is none"),
        (json.dumps({"partial": "a " * 5000}), "more than"),
        ("x" * (2 << 20), "too big"),
        ("", "JSONDecodeError"),
    ],
)
def test_a_server_that_lies_spoils_one_utterance_and_nothing_else(answer: str, why: str):
    async def lies(connection: ServerConnection) -> None:
        async for _ in connection:
            await connection.send(answer)

    with server(lies) as url:
        one = VoskRecogniser(url)
        one.start("a", RATE)
        one.feed("a", bytes(3200))
        with pytest.raises(RecogniserFault, match=why) as fault:
            last_word(one, "a")
        assert not fault.value.ever
        one.close()


def test_a_server_that_hangs_up_leaves_what_it_had_understood():
    async def leaves(connection: ServerConnection) -> None:
        async for message in connection:
            if isinstance(message, bytes):
                strange = [{"word": "hello", "start": "x", "end": -5, "conf": 1e400}]
                await connection.send(json.dumps({"text": "hello", "result": strange}))
                return

    with server(leaves) as url:
        one = VoskRecogniser(url)
        one.start("a", RATE)
        one.feed("a", bytes(3200))
        (word,) = last_word(one, "a").guess.words
        assert (word.text, word.sure) == (" hello", 1.0) and 0.0 <= word.begin <= word.end <= 0.1
        one.close()
