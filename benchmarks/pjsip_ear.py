"""PJSIP as a listener: RTP packets sent to softphones in real time, and what their users would have heard.

Each stream is a call of a softphone process (four a process) to a user agent that knows three answers. All
streams run side by side, so that an hour of sound takes minutes.
"""

from __future__ import annotations

import socket
import tempfile
import time
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from media.codecs import g711
from media.columns import I16, U8, Bool
from sip.message import Request, Response, parse
from sip.pjsip.process import Softphone

HOST = "127.0.0.1"
CALLS_A_PHONE = 4
FRAME = 160  # samples of 20 ms
LEAD = 100  # packets of silence before, in which its jitter buffer settles
TRAIL = 25
SSRC = bytes((0, 0, 16, 1))


@dataclass(frozen=True)
class Stream:
    """samples: at 8 kHz. lost: which of its packets of 20 ms are not sent."""

    samples: I16
    lost: Bool


class _Callee:
    """Answers calls with PCMU at a port of its own, and their BYE."""

    def __init__(self) -> None:
        self.sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sip.bind((HOST, 0))
        self.sip.settimeout(5)
        self.port = self.sip.getsockname()[1]

    def answer(self, rtp: socket.socket) -> tuple[str, int]:
        """Take one call; where its sound goes."""
        while True:
            request, source = self._next()
            if request.method == "INVITE":
                break
        lines = request.body.decode().split("\r\n")
        port = next(int(line.split()[1]) for line in lines if line.startswith("m=audio"))
        offer = (
            "v=0", f"o=- 1 1 IN IP4 {HOST}", "s=-", f"c=IN IP4 {HOST}", "t=0 0",
            f"m=audio {rtp.getsockname()[1]} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", "a=ptime:20", "",
        )  # fmt: skip
        self._reply(request, source, "\r\n".join(offer).encode())
        return HOST, port

    def part(self) -> None:
        """Answer one BYE."""
        while True:
            request, source = self._next()
            if request.method == "BYE":
                self._reply(request, source, b"")
                return

    def _next(self) -> tuple[Request, tuple[str, int]]:
        while True:
            data, source = self.sip.recvfrom(65_536)
            message = parse(data)
            if isinstance(message, Request):
                return message, source

    def _reply(self, request: Request, source: tuple[str, int], body: bytes) -> None:
        headers = [("Contact", f"<sip:{HOST}:{self.port}>")]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        response: Response = request.respond(200, headers=headers, body=body)
        self.sip.sendto(response.encode(), source)


class _Line:
    """One call through which a stream is heard."""

    def __init__(self, phone: Softphone, callee: _Callee, stream: Stream, record: Path) -> None:
        self.phone, self.callee, self.file = phone, callee, record
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind((HOST, 0))
        self.call = phone.call(f"sip:speech@{HOST}:{callee.port}")
        self.target = callee.answer(self.rtp)
        phone.expect("media", call=self.call, state="active")
        phone.ask("record", call=self.call, file=str(record))
        self.packets = _packets(stream)

    def send(self, turn: int) -> None:
        if turn < len(self.packets) and self.packets[turn]:
            self.rtp.sendto(self.packets[turn], self.target)

    def end(self) -> None:
        self.phone.send("hangup", call=self.call, code=0)
        self.callee.part()
        self.phone.expect("ended", call=self.call)
        self.rtp.close()


def _packets(stream: Stream) -> list[bytes]:
    """RTP packets of the stream with silence around it; empty where one is lost."""
    count = len(stream.lost)
    codes: U8 = np.full((LEAD + count + TRAIL) * FRAME, g711.SILENCE[g711.MU])
    codes[LEAD * FRAME : LEAD * FRAME + len(stream.samples)] = g711.encode(g711.MU, stream.samples)
    lost = np.zeros(LEAD + count + TRAIL, bool)
    lost[LEAD : LEAD + count] = stream.lost
    packets = []
    for i in range(len(lost)):
        header = b"\x80\x00" + (i & 0xFFFF).to_bytes(2) + (i * FRAME).to_bytes(4) + SSRC
        packets.append(b"" if lost[i] else header + codes[i * FRAME : (i + 1) * FRAME].tobytes())
    return packets


def heard(streams: Sequence[Stream]) -> list[I16]:
    """What PJSIP played of each, at 8 kHz, from some time before the stream to some time after it."""
    phones: list[Softphone] = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            lines: list[_Line] = []
            for number, stream in enumerate(streams):
                if number % CALLS_A_PHONE == 0:
                    callee = _Callee()
                    phones.append(Softphone("ear", codecs=("PCMU",)))
                    phones[-1].account("ear", HOST, f"{HOST}:{callee.port}")
                lines.append(_Line(phones[-1], callee, stream, Path(folder) / f"{number}.wav"))
            _stream(lines)
            for line in lines:
                line.end()
            return [_read(line.file) for line in lines]
        finally:
            for phone in phones:
                phone.close()


def _stream(lines: list[_Line]) -> None:
    """Send everything, a packet a line every 20 ms."""
    start = time.monotonic()
    for turn in range(max(len(line.packets) for line in lines)):
        time.sleep(max(0.0, start + turn * 0.02 - time.monotonic()))
        for line in lines:
            line.send(turn)


def _read(file: Path) -> I16:
    with wave.open(str(file)) as wav:
        return np.frombuffer(wav.readframes(wav.getnframes()), "<i2").astype(np.int16)
