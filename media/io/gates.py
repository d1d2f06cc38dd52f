"""A worker's end of what it and the gates say to each other: single datagrams over Unix sockets.

The socket lies in a folder that nobody else may enter, so that who can reach it is one of us.
"""

from __future__ import annotations

import logging
import select
import shutil
import socket
import tempfile
from pathlib import Path

import msgspec

from media.gate import Rare, Word, decode_word, encode

MOST = 64  # words taken at a time
SIZE = 4096  # bytes of a word

log = logging.getLogger("media.gates")


class SocketGates:
    """See media.entrance.Gates. The socket is made when the first leg has a door. urgent: told of it, so
    that whoever waits there wakes when a gate speaks.
    """

    def __init__(self, urgent: select.epoll) -> None:
        self._urgent = urgent
        self._socket: socket.socket | None = None
        self._folder = ""

    def tell(self, gate: str, rare: Rare) -> None:
        if self._socket is None:
            self._socket = self._open()
        try:
            self._socket.sendto(encode(rare), gate)
        except OSError:
            pass  # the gate is gone or behind: lost as on any network, and ICE and DTLS say it again

    def _open(self) -> socket.socket:
        self._folder = tempfile.mkdtemp(prefix="isogloss-gates-")
        one = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        one.bind(str(Path(self._folder) / "worker"))
        self._urgent.register(one.fileno(), select.EPOLLIN)
        return one

    def words(self) -> list[Word]:
        words: list[Word] = []
        while self._socket is not None and len(words) < MOST:
            try:
                data = self._socket.recv(SIZE)
            except OSError:
                break
            try:
                words.append(decode_word(data))
            except msgspec.DecodeError as error:
                log.error("a word of a gate is not understood: %s", error)
        return words

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            shutil.rmtree(self._folder, ignore_errors=True)
