"""aiortc as it comes, joining legs: the peer of bench_webrtc, in a process of its own.

    python -m benchmarks.stock_aiortc ADDRESS [--lean]

It is what aiortc's own examples are: a connection a leg, and each leg's track given to the connection of
whoever hears it, so that aiortc decodes, resamples and encodes. Reads a JSON object a line: {"id", "offers":
{leg: SDP}, "hears": {leg: leg}}, answered with {"id", "answers": {leg: SDP}}, or {"id", "close": [leg, …]}.
A leg that is heard by legs of later lines is said once, with "heard": [leg]. The only thing changed is which
addresses aioice takes for the machine's: loopback, which it leaves out. aiortc's encoder makes 96 kb/s of
stereo at the greatest complexity, and has no setting for it; with --lean it is replaced by one that makes
what ours makes.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aioice import ice
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription, codecs
from aiortc.codecs.opus import SAMPLE_RATE, SAMPLES_PER_FRAME, TIME_BASE, OpusEncoder
from aiortc.contrib.media import MediaBlackhole, MediaRelay
from aiortc.mediastreams import MediaStreamTrack
from av import AudioResampler, CodecContext

from media.codecs import opus

LINE = 1 << 20


class Bridge:
    """The connections of all legs."""

    def __init__(self) -> None:
        self._connections: dict[str, RTCPeerConnection] = {}
        self._tracks: dict[str, MediaStreamTrack] = {}
        self._relay = MediaRelay()
        self._relayed: set[str] = set()
        self._holes: list[MediaBlackhole] = []

    async def join(self, offers: dict[str, str], hears: dict[str, str], heard: list[str]) -> dict[str, str]:
        for leg, sdp in offers.items():
            connection = self._connections[leg] = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
            self._tracks[leg] = connection.getReceivers()[0].track
        for leg in heard:
            await self._share(leg)
        for leg, other in hears.items():
            self._connections[leg].addTrack(self._track(str(other)))
        return {leg: await self._answer(self._connections[leg]) for leg in offers}

    async def _share(self, leg: str) -> None:
        """Several will hear it, or nobody for a while."""
        self._relayed.add(leg)
        hole = MediaBlackhole()
        hole.addTrack(self._relay.subscribe(self._tracks[leg]))
        await hole.start()
        self._holes.append(hole)

    def _track(self, leg: str) -> MediaStreamTrack:
        track = self._tracks[leg]
        return self._relay.subscribe(track) if leg in self._relayed else track

    @staticmethod
    async def _answer(connection: RTCPeerConnection) -> str:
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)

    async def close(self, legs: list[str]) -> None:
        for leg in legs:
            self._tracks.pop(leg, None)
        await asyncio.gather(*(self._connections.pop(leg).close() for leg in legs))

    async def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        if "close" in command:
            await self.close(command["close"])
            return {"id": command["id"]}
        answers = await self.join(command["offers"], command["hears"], command.get("heard", []))
        return {"id": command["id"], "answers": answers}


async def serve() -> None:
    """Until standard input ends."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    bridge, tasks = Bridge(), set()

    async def answer(line: bytes) -> None:
        print(json.dumps(await bridge.obey(json.loads(line))), flush=True)

    while line := await reader.readline():
        task = loop.create_task(answer(line))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


class LeanEncoder(OpusEncoder):
    """Mono at the bit rate and complexity of ours."""

    def __init__(self) -> None:
        super().__init__()
        self.codec = CodecContext.create("libopus", "w")
        self.codec.bit_rate, self.codec.format, self.codec.layout = opus.BITRATE, "s16", "mono"
        self.codec.options = {"application": "voip", "compression_level": str(opus.COMPLEXITY)}
        self.codec.sample_rate, self.codec.time_base = SAMPLE_RATE, TIME_BASE
        self.resampler = AudioResampler(
            format="s16", layout="mono", rate=SAMPLE_RATE, frame_size=SAMPLES_PER_FRAME
        )


def main(arguments: list[str]) -> int:
    address = arguments[0]
    if "--lean" in arguments:
        codecs.OpusEncoder = LeanEncoder  # type: ignore[misc]
    ice.get_host_addresses = lambda use_ipv4, use_ipv6: [address]  # type: ignore[assignment]
    asyncio.run(serve())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
