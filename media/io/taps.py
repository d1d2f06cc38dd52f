"""A worker's connections to the subscribers of its taps: Unix sockets that never make it wait."""

from __future__ import annotations

import socket

from media.tap import NoSubscriber

BUFFER = 4 * 1024 * 1024  # bytes asked of the kernel, which gives what its limits allow


class SocketOutlet:
    """One connection. Raises NoSubscriber when nobody listens there."""

    def __init__(self, to: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
            self._socket.setblocking(False)
            self._socket.connect(to)
        except OSError as error:
            self._socket.close()
            raise NoSubscriber(f"{to}: {error.strerror}") from error

    def send(self, data: memoryview) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ConnectionError(str(error)) from error

    def close(self) -> None:
        self._socket.close()
