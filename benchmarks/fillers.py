"""Ways to fill what lost packets leave: ours, the simplest two, spandsp's, and what Opus brings along.

All take speech at 8 kHz and which packets of 20 ms are lost, and return what is heard, of the same length.
The G.711 ones start from what mu-law leaves of the speech.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from media.codecs import g711, opus
from media.codecs.interface import Tuning
from media.columns import I16, Bool
from media.plc import HISTORY_MS, Concealer
from media.resample import resample

RATE = 8000
FRAME = RATE // 50
LISTENED = 16  # blocks from one measuring of the background to the next


def coded(samples: I16) -> I16:
    """What mu-law leaves."""
    return g711.decode(g711.MU, g711.encode(g711.MU, samples))


def silence(samples: I16, lost: Bool) -> I16:
    heard = coded(samples)
    heard[np.repeat(lost, FRAME)[: len(heard)]] = 0
    return heard


def repetition(samples: I16, lost: Bool) -> I16:
    """The packet before, once more."""
    heard = coded(samples)
    for at in (np.flatnonzero(lost) * FRAME).tolist():
        gap = heard[at : at + FRAME]
        gap[:] = heard[at - FRAME : at - FRAME + len(gap)]
    return heard


def spandsp(samples: I16, lost: Bool) -> I16:
    """plc_rx and plc_fillin of libspandsp2. Raises OSError where it is not installed."""
    library = ctypes.CDLL("libspandsp.so.2")
    library.plc_init.restype = ctypes.c_void_p
    state = ctypes.c_void_p(library.plc_init(None))
    heard = coded(samples)
    for number, gone in enumerate(lost.tolist()):
        part = heard[number * FRAME : (number + 1) * FRAME]
        step = library.plc_fillin if gone else library.plc_rx
        step(state, ctypes.c_void_p(part.ctypes.data), len(part))
    library.plc_free(state)
    return heard


def ours(passages: Sequence[I16], losses: Sequence[Bool], ahead: int) -> list[I16]:
    """Each passage in a slot of one Concealer.

    ahead: packets after the one that is due which are there already, if they are not lost: the delay of the
    jitter buffer in packets. 0 is what spandsp's gets.
    """
    count, blocks = len(passages), max(map(len, losses))
    span, history, future = FRAME, HISTORY_MS * RATE // 1000, ahead * FRAME
    sent = np.zeros((count, (blocks + ahead) * span), np.int16)
    there = np.ones((count, blocks + ahead), bool)
    for slot, (samples, lost) in enumerate(zip(passages, losses)):
        sent[slot, : len(samples)] = coded(samples)
        there[slot, : len(lost)] = ~lost
    known = np.repeat(there, span, axis=1)
    sent[~known] = 0
    heard = np.zeros((count, history + blocks * span), np.int16)
    concealer, slots = Concealer(count, RATE), np.arange(count)
    for number in range(blocks):
        now, after = number * span, (number + 1) * span
        block = sent[:, now:after].copy()
        hurt = ~there[:, number] | concealer.concealing(slots)
        if hurt.any():
            mended = block[hurt]
            concealer.fill(
                slots[hurt],
                heard[hurt, now : now + history],
                mended,
                known[hurt, now:after],
                sent[hurt, after : after + future],
                known[hurt, after : after + future],
            )
            block[hurt] = mended
        heard[:, history + now : history + after] = block
        listens = slots[~hurt & (slots % LISTENED == number % LISTENED)]
        concealer.listen(listens, block[listens])
    return [heard[slot, history : history + len(samples)] for slot, samples in enumerate(passages)]


def through_opus(samples: I16, lost: Bool, *, wide: I16, percent: int) -> I16:
    """The speech at 16 kHz through Opus; percent: of loss that its encoder prepares for by FEC, 0: none.

    A lost packet is made from the copy in the next one where that is there: 20 ms of delay.
    """
    encoder = opus.Encoder({"useinbandfec": "1"})
    encoder.tune(Tuning(fec_loss=percent))
    decoder = opus.Decoder(2 * FRAME)
    whole = np.zeros(len(lost) * 2 * FRAME, np.int16)
    whole[: len(wide)] = wide[: len(whole)]
    packets = [encoder.encode(frame) for frame in whole.reshape(-1, 2 * FRAME)]
    parts = []
    for number, gone in enumerate(lost.tolist()):
        if gone:
            last = number + 1 == len(lost) or lost[number + 1]
            parts.append(decoder.conceal(2 * FRAME, None if last or not percent else packets[number + 1]))
        else:
            parts.append(decoder.decode(packets[number]))
    sound = np.concatenate([np.zeros(2 * FRAME, np.int16) if part is None else part for part in parts])
    narrow = resample(sound.astype(np.float32), 2 * RATE, RATE)[: len(samples)]
    return np.clip(np.rint(narrow), -32768, 32767).astype(np.int16)
