"""A long road to a node, for pages: every byte takes its time, either way."""

from __future__ import annotations

import asyncio
import threading


class LongRoad:
    """Forwards TCP from a port of `host` to a node's API, later by half of `rtt_s` each way."""

    def __init__(self, host: str, to: tuple[str, int], rtt_s: float) -> None:
        self._to, self._half = to, rtt_s / 2
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(asyncio.start_server(self._came, host, 0))
        self.origin = f"http://{host}:{self._server.sockets[0].getsockname()[1]}"
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    async def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection(*self._to)
        except OSError:
            writer.close()
            return
        await asyncio.gather(self._carry(reader, forth), self._carry(back, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What comes, in its order."""

        def pass_on(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data) if data else writer.close()

        try:
            while data := await reader.read(65536):
                self._loop.call_later(self._half, pass_on, data)
        except OSError:
            pass  # hung up
        self._loop.call_later(self._half, pass_on, b"")

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._server.close()
