"""Processes of this machine and user that talk over Unix sockets: who may connect, and how busy one is."""

from __future__ import annotations

import os
import socket
import struct
import time
from logging import Logger
from pathlib import Path

CREDENTIALS = struct.Struct("3i")  # process, user and group: unix(7), SO_PEERCRED
WAITING = 64  # connections that nobody has accepted yet
SPAN_S = 1.0  # that a load is of, at least


def listen(path: str, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """A Unix socket that only this user may connect to, in the place of whoever had it before; it blocks
    nobody.
    """
    Path(path).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, kind)
    listener.bind(path)
    os.chmod(path, 0o600)
    if kind is socket.SOCK_STREAM:
        listener.listen(WAITING)
    listener.setblocking(False)
    return listener


def peer(connection: socket.socket) -> tuple[int, int]:
    """Process and user at the other end."""
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
    process, user, _ = CREDENTIALS.unpack(credentials)
    return process, user


def accept(listener: socket.socket, log: Logger) -> tuple[socket.socket, int] | None:
    """A connection that blocks nobody, and the process at its other end; None where there is none, or it is a
    stranger's.
    """
    try:
        connection, _ = listener.accept()
    except (BlockingIOError, ConnectionAbortedError):
        return None
    process, user = peer(connection)
    if user not in (os.getuid(), 0):
        log.warning("a stranger's connection was refused (uid %d)", user)
        connection.close()
        return None
    connection.setblocking(False)
    return connection, process


class Load:
    """Which share of a core this process used of late; looked at now and then."""

    def __init__(self, now: float) -> None:
        self.share = 0.0
        self._measured = (now, time.process_time())

    def measure(self, now: float) -> float:
        """now: of the monotonic clock."""
        then, used = self._measured
        if now - then >= SPAN_S:
            using = time.process_time()
            self.share, self._measured = (using - used) / (now - then), (now, using)
        return self.share
