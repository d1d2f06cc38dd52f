"""Codecs against other implementations: FFmpeg through PyAV, spandsp where it is installed.

FFmpeg's Opus and AMR decoders share no code with libopus and OpenCORE. They work in floating point, so
"the same" is a noise far below the sound; where both must come to the same bits, they do.
"""

from __future__ import annotations

import ctypes
from functools import cache

import av
import numpy as np
import pytest

from benchmarks.hearing import passages
from media import codecs
from media.codecs import native
from media.codecs.interface import Tuning
from media.codecs.rfc4867 import NARROW, WIDE, unpack
from media.columns import I16

MU, A = codecs.PCMU, codecs.PCMA


@cache
def speech(rate: int) -> I16:
    return passages(rate, seconds=6.0, length=6.0)[0].samples[: 6 * rate]


def packets(number: int, tuning: Tuning, **params: str) -> list[bytes]:
    kind, encoder = codecs.KINDS[number], codecs.encoder(number, params)
    encoder.tune(tuning)
    size = kind.rate // 50
    return [encoder.encode(block) for block in speech(kind.rate)[: 300 * size].reshape(300, size)]


def decoded(number: int, sent: list[bytes], **params: str) -> I16:
    decoder = codecs.decoder(number, params)
    return np.concatenate([sound for packet in sent if (sound := decoder.decode(packet)) is not None])


def by_ffmpeg(name: str, sent: list[bytes], rate: int, **options: object) -> I16:
    """Packets through one of FFmpeg's decoders, as int16 at the decoder's rate."""
    context = av.CodecContext.create(name, "r")
    context.sample_rate, context.layout = rate, "mono"
    for option, value in options.items():
        setattr(context, option, value)
    frames = [frame.to_ndarray() for data in sent for frame in context.decode(av.Packet(data))]
    frames += [frame.to_ndarray() for frame in context.decode(None)]
    sound = np.concatenate([frame.reshape(frame.shape[0], -1)[0] for frame in frames])
    if sound.dtype != np.int16:
        sound = np.clip(np.rint(sound * 32768), -32768, 32767).astype(np.int16)
    return sound


def ratio_db(ours: I16, theirs: I16) -> float:
    """How far the difference lies below the sound."""
    size = min(len(ours), len(theirs))
    a, b = ours[:size].astype(float), theirs[:size].astype(float)
    return float(10 * np.log10(np.sum(a**2) / max(np.sum((a - b) ** 2), 1e-9)))


@pytest.mark.parametrize("mode", range(9))
def test_amr_wb_decodes_as_ffmpeg_does(mode):
    sent = packets(codecs.AMR_WB, Tuning(mode=mode))
    stored = [unpack(packet, WIDE, octets=False).frames[0] for packet in sent]
    # In the lowest modes part of the upper band is noise, which each decoder throws its own dice for.
    least = 20 if mode > 1 else 14
    assert ratio_db(decoded(codecs.AMR_WB, sent), by_ffmpeg("amrwb", stored, 16_000)) > least


@pytest.mark.parametrize("mode", range(8))
def test_amr_decodes_as_ffmpeg_does(mode):
    sent = packets(codecs.AMR, Tuning(mode=mode))
    stored = [unpack(packet, NARROW, octets=False).frames[0] for packet in sent]
    assert ratio_db(decoded(codecs.AMR, sent), by_ffmpeg("amrnb", stored, 8_000)) > 15


@pytest.mark.parametrize("mode", range(8))
def test_amr_decodes_to_the_bits_of_another_build_of_the_library(mode):
    """PyAV carries an OpenCORE of its own."""
    sent = packets(codecs.AMR, Tuning(mode=mode))
    stored = [unpack(packet, NARROW, octets=False).frames[0] for packet in sent]
    assert (decoded(codecs.AMR, sent) == by_ffmpeg("libopencore_amrnb", stored, 8_000)).all()


def test_amr_wb_decodes_to_the_bits_of_another_build_of_the_library():
    sent = packets(codecs.AMR_WB, Tuning(), **{"octet-align": "1"})
    stored = [unpack(packet, WIDE, octets=True).frames[0] for packet in sent]
    ours = decoded(codecs.AMR_WB, sent, **{"octet-align": "1"})
    assert (ours == by_ffmpeg("libopencore_amrwb", stored, 16_000)).all()


@pytest.mark.parametrize("bitrate", [8_000, 16_000, 24_000, 40_000])
def test_opus_decodes_as_ffmpeg_does(bitrate):
    """FFmpeg's own decoder gives 48 kHz; what is compared is its sound below 8 kHz."""
    sent = packets(codecs.OPUS, Tuning(bitrate=bitrate), useinbandfec="1")
    theirs = by_ffmpeg("opus", sent, 48_000).astype(float)
    ours = decoded(codecs.OPUS, sent).astype(float)
    size = min(len(theirs) // 3, len(ours))
    ours_power, theirs_power = (
        np.abs(np.fft.rfft(sound.reshape(-1, width) * np.hanning(width), axis=1)[:, 4:140])
        for sound, width in ((ours[: size // 320 * 320], 320), (theirs[: size // 320 * 960], 960))
    )
    likeness = np.corrcoef(np.log(ours_power + 50).ravel(), np.log(theirs_power / 3 + 50).ravel())[0, 1]
    assert likeness > 0.9


def test_opus_of_another_encoder_is_decoded():
    """FFmpeg encodes with a newer libopus, at 48 kHz and in stereo."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format, context.bit_rate = 48_000, "stereo", "s16", 48_000
    frames = []
    sound = speech(16_000)
    for start in range(0, len(sound) - 320, 320):
        block = np.repeat(np.repeat(sound[start : start + 320], 3), 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(block, format="s16", layout="stereo")
        frame.sample_rate = 48_000
        frames += [bytes(packet) for packet in context.encode(frame)]
    heard = decoded(codecs.OPUS, frames)
    fits = [np.dot(sound[:60_000].astype(float), heard[d : d + 60_000].astype(float)) for d in range(400)]
    d = int(np.argmax(fits))
    assert np.corrcoef(sound[:60_000], heard[d : d + 60_000])[0, 1] > 0.95


def test_g722_decodes_to_the_same_bits():
    sent = packets(codecs.G722, Tuning())
    assert (decoded(codecs.G722, sent) == by_ffmpeg("g722", sent, 16_000)).all()


@pytest.mark.parametrize(("law", "name"), [(MU, "pcm_mulaw"), (A, "pcm_alaw")])
def test_g711_decodes_all_codes_to_the_same_bits(law, name):
    codes = bytes(range(256))
    ours = codecs.decode(np.full(1, law, np.int8), np.frombuffer(codes, np.uint8)[None])[0]
    assert (ours == by_ffmpeg(name, [codes], 8_000)).all()


def spandsp() -> ctypes.CDLL:
    library = native.load("libspandsp.so.2")
    if library is None:
        pytest.skip("libspandsp2 is not installed")
    return library


def test_g722_encodes_to_the_bits_of_spandsp():
    library = spandsp()
    library.g722_encode_init.restype = ctypes.c_void_p
    library.g722_encode.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int]
    state = library.g722_encode_init(None, 64_000, 0)
    sound, coded = speech(16_000)[: 300 * 320], ctypes.create_string_buffer(300 * 160)
    library.g722_encode(state, coded, sound.tobytes(), len(sound))
    assert b"".join(packets(codecs.G722, Tuning())) == coded.raw


@pytest.mark.parametrize("law", [MU, A])
def test_g711_of_every_sample_decodes_within_a_step_of_spandsps(law):
    """Encoders may round ties either way; what is heard must not differ by more than a step."""
    library = spandsp()
    library.g711_init.restype = ctypes.c_void_p
    library.g711_init.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.g711_encode.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_int]
    state = library.g711_init(None, 0 if law == A else 1)
    samples = np.arange(-32768, 32768).astype(np.int16)
    coded = ctypes.create_string_buffer(len(samples))
    library.g711_encode(state, coded, samples.tobytes(), len(samples))
    kinds = np.full(1, law, np.int8)
    ours = codecs.decode(kinds, codecs.encode(kinds, samples[None]))[0].astype(int)
    theirs = codecs.decode(kinds, np.frombuffer(coded.raw, np.uint8)[None])[0].astype(int)
    true = samples.astype(int)
    assert np.abs(ours - true).sum() <= 1.001 * np.abs(theirs - true).sum()
    assert (np.abs(ours - theirs) <= np.maximum(np.abs(true) // 16 + 16, 8)).all()
