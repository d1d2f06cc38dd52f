"""DTMF heard in the sound itself (ITU-T Q.23, Q.24), for far ends that send no telephone events.

Windows of 20 ms, a new one every 10 ms, are matched with the eight frequencies by one matrix product over
all rows. A window has a digit when one frequency of each group holds nearly all its power, at Q.24's levels
and twist; how far its phase turns from one window to the next tells the frequency to a hertz or so, which
speech hardly ever keeps. A digit is two such windows in a row, and is told once, when it has ended.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from media.columns import F32, I8, I64, Bool, Column, Columns
from media.dtmf import Heard

LOW, HIGH = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # Hz, Q.23
KEYPAD = "123A456B789C*0#D"
HOP = 0.010  # s
AT_ONCE = 96  # rows worked on together: a product so small that BLAS starts no threads for it
LEAST = np.float32(10 ** (-34.0 / 10) * 2**30)  # power of a tone: -28 dBm0 (0 dBm0 is -6.2 dBov)
OVER_LOW, UNDER_LOW = np.float32(10**0.6), np.float32(10**-0.95)  # the high tone by the low one: +6, -9.5 dB
ALONE = np.float32(4.0)  # power of a tone by any other's of its group
PURE = np.float32(0.75)  # share of the window's power that the two tones hold
OFF = np.float32(0.025)  # of a frequency: between the 1.5 % to be taken and the 3.5 % to be refused
STEADY = np.float32(1.6)  # power of a window by that of the one before, either way
CONFIRM = 2  # windows in a row that make a digit
OVER = 4  # windows without it that end it: an interruption of 10 ms spoils three
NONE = -1
MOST_MS = 60_000


class Tones(Columns):
    """Digits in the sound of each row.

    before: the half window that the next one begins with. phases: of the window before, as complex numbers.
    power: of that window. wanted, agreed: the digit it had, and in how many windows in a row. digit: that
    which is pressed. missed: windows since it was last seen. lasted: ms from its first window to its last.
    """

    SPEC: ClassVar[dict[str, Column]] = {
        "before": Column(np.float32, 0, 80),
        "phases": Column(np.complex64, 0, 8),
        "power": Column(np.float32),
        "wanted": Column(np.int8, NONE),
        "digit": Column(np.int8, NONE),
        "agreed": Column(np.int64),
        "missed": Column(np.int64),
        "lasted": Column(np.int64),
    }
    before: F32
    phases: NDArray[np.complex64]
    power: F32
    wanted: I8
    digit: I8
    agreed: I64
    missed: I64
    lasted: I64

    def __init__(self, rows: int, rate: int) -> None:
        self._half = half = rate // 100
        turn = 2j * np.pi * np.array(LOW + HIGH) / rate
        match = np.exp(-turn[None, :] * np.arange(2 * half)[:, None]) * (np.sqrt(2) / (2 * half))
        self._match = np.concatenate([match.real, match.imag], axis=1).astype(np.float32)
        self._turned = np.exp(-turn * half).astype(np.complex64)
        super().__init__(rows, before=half)

    def listen(self, rows: I64, blocks: NDArray[np.int16]) -> list[tuple[int, Heard]]:
        """Digits that ended within blocks int16[n, rate / 50], with their rows."""
        parts = [slice(at, at + AT_ONCE) for at in range(0, len(rows), AT_ONCE)]
        return [heard for part in parts for heard in self._listen(rows[part], blocks[part])]

    def _listen(self, rows: I64, blocks: NDArray[np.int16]) -> list[tuple[int, Heard]]:
        half = self._half
        sound = np.concatenate([self.before[rows], blocks], axis=1, dtype=np.float32)
        self.before[rows] = sound[:, -half:]
        heard: list[tuple[int, Heard]] = []
        for at in (0, half):
            window = sound[:, at : at + 2 * half]
            power = np.einsum("ij,ij->i", window, window) / np.float32(2 * half)
            parts = window @ self._match
            phases = parts[:, :8] + 1j * parts[:, 8:]
            near = power > LEAST  # a window too quiet for one tone is never looked at closer
            near &= (parts * parts).sum(axis=1) > PURE / 4 * power
            digits = np.full(len(rows), NONE, np.int8)
            some = np.flatnonzero(near)
            if len(some):
                digits[some] = self._digits(rows[some], phases[some], power[some])
            self.phases[rows] = phases
            self.power[rows] = power
            if len(some) or (self.digit[rows] != NONE).any():
                heard += self._count(rows, digits)
        return heard

    def _digits(self, rows: I64, phases: NDArray[np.complex64], power: F32) -> I8:
        """Which digit each window has, NONE for none."""
        turned = phases * np.conj(self.phases[rows]) * self._turned
        off = np.angle(turned) / np.float32(2 * np.pi * HOP)  # Hz
        bare = phases.real**2 + phases.imag**2
        low, high = np.argmax(bare[:, :4], axis=1), np.argmax(bare[:, 4:], axis=1) + 4
        at = np.arange(len(rows))
        right = np.ones(len(rows), bool)
        tones = []
        for best, group in ((low, slice(0, 4)), (high, slice(4, 8))):
            others = bare[:, group].copy()
            others[at, best - group.start] = 0
            shift = off[at, best]
            right &= bare[at, best] > ALONE * others.max(axis=1)
            right &= np.abs(shift) < OFF * _HERTZ[best]
            tones.append(bare[at, best] / np.sinc(shift * (2 * HOP)) ** 2)  # what the shift took away
        lower, higher = tones
        right &= (lower > LEAST) & (higher > LEAST)
        right &= (higher < OVER_LOW * lower) & (higher > UNDER_LOW * lower)
        right &= lower + higher > PURE * power
        before = self.power[rows]
        digit = (low * 4 + high - 4).astype(np.int8)
        same = self.wanted[rows] == digit
        right &= ~same | ((power < STEADY * before) & (before < STEADY * power))
        return np.where(right, digit, np.int8(NONE))

    def _count(self, rows: I64, digits: I8) -> list[tuple[int, Heard]]:
        """Let a window's digits count; returns those that are over."""
        seen = digits != NONE
        agreed = np.where(seen, np.where(digits == self.wanted[rows], self.agreed[rows] + 1, 1), 0)
        self.wanted[rows], self.agreed[rows] = digits, agreed
        pressed = self.digit[rows]
        on = (pressed != NONE) & (digits == pressed)
        missed = np.where(on, 0, self.missed[rows] + 1)
        self.lasted[rows] += np.where(on, 10 * (self.missed[rows] + 1), 0)
        self.missed[rows] = missed
        begins = (agreed >= CONFIRM) & (digits != pressed)
        over = (pressed != NONE) & ((missed >= OVER) | begins | (self.lasted[rows] >= MOST_MS))
        heard = [
            (row, Heard(KEYPAD[digit], lasted))
            for row, digit, lasted in zip(
                rows[over].tolist(), pressed[over].tolist(), self.lasted[rows[over]].tolist()
            )
        ]
        self._change(rows[over], np.full(int(over.sum()), NONE, np.int8))
        self._change(rows[begins], digits[begins])
        return heard

    def _change(self, rows: I64, digits: I8) -> None:
        """These are pressed from now on."""
        self.digit[rows] = digits
        self.lasted[rows] = 10 * CONFIRM + 10
        self.missed[rows] = 0

    def pressed(self, rows: I64) -> Bool:
        """Whether a digit is being pressed."""
        down: Bool = self.digit[rows] != NONE
        return down


_HERTZ = np.array(LOW + HIGH, np.float32)
