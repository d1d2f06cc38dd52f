"""The sound of a far end whose signalling is sipp's: says a passage again and again, keeps what it hears."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from itertools import count

import numpy as np
from scipy import signal

from media import codecs
from media.codecs import g711
from media.columns import I16
from tests.interop.sipp import free_port

HEADER = struct.Struct("!BBHII")
TELEPHONE = 8000
FRAME_S, PATIENCE_S = 0.02, 0.5


class Talker:
    """One RTP port. codec: AMR-WB or PCMA. aligned: AMR-WB in its octet-aligned form. Who speaks to it is
    spoken to, under the same payload type, until nothing more comes. says: at the telephone's rate.
    """

    def __init__(self, address: str, codec: str, says: I16, aligned: bool = False) -> None:
        name = {"AMR-WB": codecs.AMR_WB, "PCMA": codecs.PCMA}[codec]
        self._rate = 16_000 if codec == "AMR-WB" else TELEPHONE
        self._params = {"octet-align": "1"} if aligned else {}
        self._packets = _coded(name, says, self._rate, self._params)
        self._name = name
        self.port = free_port(address)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, self.port))
        self._heard: list[bytes] = []
        self._quiet = threading.Event()
        self._thread = threading.Thread(target=self._talk, daemon=True)
        self._thread.start()

    def _talk(self) -> None:
        at, due, to, pt, last = count(), 0.0, None, 0, 0.0
        while not self._quiet.is_set():
            wait = max(0.0, due - time.monotonic()) if to is not None else 0.1
            if select.select([self._socket], [], [], wait)[0]:
                data, source = self._socket.recvfrom(2048)
                if len(data) > HEADER.size and not 64 <= data[1] & 0x7F < 96:
                    self._heard.append(data)
                    last = time.monotonic()
                    due = last if to is None else due
                    to, pt = source, data[1] & 0x7F
            elif to is not None and time.monotonic() > last + PATIENCE_S:
                to = None
            elif to is not None:
                index = next(at)
                due += FRAME_S
                stamp = index * round(self._rate * FRAME_S)
                head = HEADER.pack(0x80, pt, index & 0xFFFF, stamp & 0xFFFFFFFF, 4711)
                self._socket.sendto(head + self._packets[index % len(self._packets)], to)

    def hush(self) -> None:
        """It is gone: it says nothing any more and hears nothing."""
        self._quiet.set()
        self._thread.join(5)
        self._socket.close()

    def forget(self) -> None:
        """What was heard so far was of another call."""
        self._heard.clear()

    def heard(self) -> I16:
        """Everything so far, at the telephone's rate; what did not come is silence."""
        decoder = codecs.decoder(self._name, self._params)
        pieces: list[tuple[int, I16]] = []
        first: int | None = None
        for data in list(self._heard):
            stamp = HEADER.unpack_from(data)[3]
            first = stamp if first is None else first
            sound = decoder.decode(data[HEADER.size :])
            if sound is not None and 0 <= stamp - first < self._rate * 60:
                pieces.append((stamp - first, sound))
        whole = np.zeros(max((at + len(sound) for at, sound in pieces), default=0), np.int16)
        for at, sound in pieces:
            whole[at : at + len(sound)] = sound
        slow = signal.resample_poly(whole, TELEPHONE, self._rate) if len(whole) else whole
        return np.asarray(np.clip(np.rint(slow), -32768, 32767), dtype=np.int16)


def _coded(name: int, says: I16, rate: int, params: dict[str, str]) -> list[bytes]:
    span = round(rate * FRAME_S)
    sound = np.rint(signal.resample_poly(says, rate, TELEPHONE)).clip(-32768, 32767).astype(np.int16)
    pieces = [sound[at : at + span] for at in range(0, len(sound) - span + 1, span)]
    if name == codecs.PCMA:
        return [g711.ENCODE[g711.A][piece.view(np.uint16)].tobytes() for piece in pieces]
    encoder = codecs.encoder(name, params)
    return [encoder.encode(piece) for piece in pieces]
