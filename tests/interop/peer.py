"""A stock aiortc peer as a page's sound, in an event loop and a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from aiortc import RTCConfiguration
from aiortc.mediastreams import AudioStreamTrack
from av import AudioFrame
from scipy import signal

from engine.hearing import heard, read_wav
from sip.pjsip.process import Softphone
from tests.interop.test_phones import listen
from tests.media.browser import PATIENCE, RATE, Browser
from tests.turns import turns

TELEPHONE = 8000


def caught(phone: Softphone, call: int, said: Path, file: Path, seconds: float = 3.0) -> bool:
    """Whether the phone hears what a peer says over and over. file: where it is kept."""
    sound = read_wav(said, TELEPHONE)
    return any(
        heard(sound, read_wav(listen(phone, call, file, seconds), TELEPHONE), TELEPHONE)
        for _ in turns(f"what {phone.name} catches")
    )


class Voice(AudioStreamTrack):
    """Says the file over and over, in time."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._sound = read_wav(file, TELEPHONE)
        self._at = 0

    async def recv(self) -> AudioFrame:
        frame = await super().recv()
        said = np.take(self._sound, np.arange(self._at, self._at + frame.samples), mode="wrap")
        self._at += frame.samples
        spoken = AudioFrame.from_ndarray(said[None, :], format="s16", layout="mono")
        spoken.pts, spoken.sample_rate = frame.pts, frame.sample_rate
        spoken.time_base = Fraction(1, frame.sample_rate)
        return spoken


class Peer:
    """One that says a file."""

    def __init__(self, says: Path, configuration: RTCConfiguration | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.browser = self.do(self._open(says, configuration))

    async def _open(self, says: Path, configuration: RTCConfiguration | None) -> Browser:
        return Browser(Voice(says), configuration=configuration)

    def do(self, what: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(PATIENCE)

    def hears(self, seconds: float) -> np.ndarray[Any, Any]:
        """At the telephone's rate."""
        sound = self.do(self.browser.hear(seconds))
        return np.rint(signal.resample_poly(sound, TELEPHONE, RATE)).clip(-32768, 32767).astype(np.int16)

    def understands(self, phone: Softphone, call: int, said: Path) -> bool:
        """What the phone says. A machine that was held up tears sound, and makes none: it is said again."""
        for _ in turns(f"what {phone.name} says"):
            phone.ask("play", call=call, file=str(said))
            if heard(read_wav(said, TELEPHONE), self.hears(3.0), TELEPHONE):
                return True
        return False

    def catches(self, said: Path) -> bool:
        """What another peer says over and over."""
        sound = read_wav(said, TELEPHONE)
        return any(heard(sound, self.hears(4.0), TELEPHONE) for _ in turns("what a peer says"))

    def talks(self, phone: Softphone, call: int, said: tuple[Path, Path], file: Path) -> bool:
        """Both at once: whether the phone hears what the peer says over and over, the first of what is said,
        and the peer what the phone says. file: where what the phone hears is kept.
        """
        ours, theirs = (read_wav(each, TELEPHONE) for each in said)
        for _ in turns(f"what {phone.name} and a peer say at once"):
            phone.ask("record", call=call, file=str(file))
            phone.ask("play", call=call, file=str(said[1]))
            here = self.hears(4.0)
            phone.ask("stop", call=call, what="record")
            if heard(theirs, here, TELEPHONE) and heard(ours, read_wav(file, TELEPHONE), TELEPHONE):
                return True
        return False

    def close(self) -> None:
        self.do(self.browser.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()
