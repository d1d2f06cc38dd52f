"""A voice's sound made fit for a call as it comes: without the silence around it, and as loud as others are.

A synthesiser's level is its own and known only when a text is over, which nobody waits for. So the first
third of a second is looked at, together with what the same voice's level was before, and the gain follows in
slow lines. What would clip is bent under the ceiling.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

I16 = NDArray[np.int16]
F32 = NDArray[np.float32]

TARGET = -23.0  # dBov of active speech (ITU-T P.56): a voice over another that is lowered
FULL = 32768.0  # root mean square of 0 dBov
MOST_GAIN, SLOPE = 20.0, 0.15  # dB; dB a block of 20 ms that the gain may move
CEILING = 10 ** (-3 / 20) * FULL
QUIET, FAINT = 1e-4, 1e-6  # of the loudest block's power; of full power: below either nothing is speech
LOOK = 15  # blocks of speech that the first gain is taken from
LEAD, TAIL = 1, 6  # blocks of silence that are kept before and after
KNOWN = 75.0  # blocks of speech that what was known of a voice before counts for


class Loudness:
    """One text's sound at `rate` Hz. known: level of the voice in dBov, as `level` told of it before."""

    def __init__(self, rate: int, known: float | None = None) -> None:
        self._block = rate // 50
        self._rest = np.zeros(0, np.float32)
        self._held = np.zeros((0, self._block), np.float32)  # waits for the first gain, or may be the end
        self._powers = np.zeros(0, np.float64)  # of the blocks that are held, 1.0 = 0 dBov
        self._loudest = 0.0
        self._heard, self._power = 0, 0.0  # blocks of speech, and the sum of theirs
        self._known = known
        self._gain: float | None = None

    @property
    def level(self) -> float | None:
        """Of its speech so far, with what was known before; dBov. None where nothing is."""
        power, count = self._power, float(self._heard)
        if self._known is not None:
            power, count = power + KNOWN * 10 ** (self._known / 10), count + KNOWN
        return 10 * float(np.log10(power / count)) if count else None

    def feed(self, samples: F32, *, over: bool = False) -> I16:
        """float32[n] of int16's scale; what is ready, int16[m]. over: nothing follows."""
        joined = np.concatenate([self._rest, samples])
        if over:
            joined = np.pad(joined, (0, -len(joined) % self._block))
        whole = len(joined) // self._block * self._block
        self._rest = joined[whole:]
        self._hold(joined[:whole].reshape(-1, self._block))
        if not self._heard or (self._gain is None and self._heard < LOOK and not over):
            return np.zeros(0, np.int16)
        silent = self._silent_end()
        ready = len(self._held) - (max(0, silent - TAIL) if over else silent)
        given, self._held, self._powers = self._held[:ready], self._held[ready:], self._powers[ready:]
        return self._levelled(given.reshape(-1))

    @property
    def _floor(self) -> float:
        """Power under which nothing is speech."""
        return max(FAINT, self._loudest * QUIET)

    def _hold(self, blocks: F32) -> None:
        powers = np.atleast_1d(np.mean(np.square(blocks / FULL), axis=1, dtype=np.float64))
        self._loudest = max(self._loudest, float(powers.max(initial=0.0)))
        speech = powers[powers > self._floor]
        first = not self._heard
        self._heard += len(speech)
        self._power += float(speech.sum())
        self._held = np.concatenate([self._held, blocks])
        self._powers = np.concatenate([self._powers, powers])
        if first:
            silent = int(np.argmax(self._powers > self._floor)) if self._heard else len(self._powers)
            before = max(0, silent - LEAD)
            self._held, self._powers = self._held[before:], self._powers[before:]

    def _silent_end(self) -> int:
        """Blocks at the end of what is held that are silent."""
        loud = np.flatnonzero(self._powers > self._floor)
        return len(self._powers) - 1 - int(loud[-1]) if len(loud) else len(self._powers)

    def _levelled(self, sound: F32) -> I16:
        level = self.level
        if level is None or not len(sound):
            return np.zeros(0, np.int16)
        wanted = float(np.clip(TARGET - level, -MOST_GAIN, MOST_GAIN))
        before = wanted if self._gain is None else self._gain
        most = SLOPE * len(sound) / self._block
        self._gain = before + float(np.clip(wanted - before, -most, most))
        line = np.linspace(before, self._gain, len(sound), dtype=np.float32)
        return bent(sound * np.power(np.float32(10), line / 20))


def bent(sound: F32) -> I16:
    """Peaks over half the ceiling bent smoothly under it."""
    knee = np.float32(CEILING / 2)
    over = np.maximum(np.abs(sound) - knee, 0)
    softer = np.sign(sound) * (knee + knee * np.tanh(over / knee))
    return np.rint(np.where(over > 0, softer, sound)).astype(np.int16)
