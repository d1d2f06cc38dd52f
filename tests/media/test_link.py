"""The connection of a worker or recorder to its engine."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator

import pytest

from media.io.link import LIMIT, Link, Lost
from media.messages import AnyCommand, Frames, Ping, Pong, decode_events, encode

Ends = tuple[socket.socket, Link]


@pytest.fixture
def ends() -> Iterator[Ends]:
    """The engine's socket, and the link of its process."""
    engine, other = socket.socketpair()
    other.setblocking(False)
    with engine, other:
        yield engine, Link(other, logging.getLogger("media.worker"))


def heard(link: Link) -> list[AnyCommand]:
    return [command for commands in link.hear() for command in commands]


def test_commands_come_frame_by_frame_however_the_stream_is_cut(ends: Ends):
    engine, link = ends
    stream = encode([Ping(1), Ping(2)]) + encode([Ping(3)])
    engine.send(stream[:-1])
    assert list(link.hear()) == [[Ping(1), Ping(2)]]
    assert heard(link) == []
    engine.send(stream[-1:])
    assert list(link.hear()) == [[Ping(3)]]


def test_a_frame_that_is_not_understood_is_told_and_the_next_one_counts(ends: Ends, caplog):
    engine, link = ends
    engine.send((3).to_bytes(4, "big") + b"???" + encode([Ping(1)]))
    assert heard(link) == [Ping(1)]
    assert [record.name for record in caplog.records] == ["media.worker"]


@pytest.mark.parametrize("last", [b"", b"\xff" * 4], ids=["the end", "a frame without measure"])
def test_after_that_the_engine_is_lost(ends: Ends, last: bytes):
    engine, link = ends
    engine.sendall(last)
    engine.shutdown(socket.SHUT_WR)
    with pytest.raises(Lost):
        heard(link)


def test_what_the_engine_does_not_take_yet_is_kept_in_order(ends: Ends):
    engine, link = ends
    said = 0
    while not link.unsent:
        link.tell([Pong(said + n) for n in range(1000)])
        said += 1000
    frames, told = Frames(), []
    while len(told) < said:
        for body in frames.feed(engine.recv(65536)):
            told += decode_events(body)
        link.flush()
    assert told == [Pong(n) for n in range(said)] and not link.unsent


def test_an_engine_that_takes_nothing_is_lost_before_memory_is(ends: Ends):
    _, link = ends
    pongs = [Pong(n) for n in range(50_000)]
    kept = len(encode(pongs))
    while link.unsent + kept < LIMIT:
        link.tell(pongs)
    with pytest.raises(Lost):
        link.tell(pongs)
