"""Every codec by itself: speech through it, silence, wishes, losses, and rubbish."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from pystoi import stoi

from benchmarks.hearing import passages
from media import codecs
from media.codecs import amr, opus
from media.codecs.amr import Modes
from media.codecs.interface import Tuning
from media.columns import I16

KINDS = [
    pytest.param(
        kind,
        id=f"{kind.name}-{kind.rate // 1000}k",
        marks=pytest.mark.skipif(
            not codecs.available(kind.number), reason=f"{codecs.missing().get(kind.name)} is not installed"
        ),
    )
    for kind in codecs.KINDS
]
# Intelligibility of clean speech through a codec. At 8 kHz the measure also counts noise above 4 kHz.
LEAST = {
    "PCMU": 0.92,
    "PCMA": 0.92,
    "L16": 0.9999,
    "G722": 0.99,
    "OPUS": 0.95,
    "AMR-WB": 0.95,
    "AMR": 0.9,
    "G729": 0.85,
}


@cache
def speech(rate: int) -> I16:
    return passages(rate, seconds=3.0, length=3.0)[0].samples[: 3 * rate]


def through(kind: codecs.Kind, sound: I16, ptime: int = 20, **params: str) -> tuple[I16, list[bytes]]:
    """Speech through an encoder and a decoder, and its packets."""
    encoder, decoder = codecs.encoder(kind.number, params), codecs.decoder(kind.number, params)
    size = kind.rate * ptime // 1000
    packets = [encoder.encode(sound[at : at + size]) for at in range(0, len(sound) - size + 1, size)]
    heard = [decoder.decode(packet) for packet in packets]
    assert all(each is not None and len(each) == size for each in heard)
    return np.concatenate([each for each in heard if each is not None]), packets


def shifted(reference: I16, heard: I16) -> tuple[I16, I16]:
    """Both without the codec's delay, which is under 20 ms."""
    size = len(heard) - 400
    fits = [
        int(np.dot(reference[:size].astype(float), heard[d : d + size].astype(float))) for d in range(400)
    ]
    delay = int(np.argmax(fits))
    return reference[:size], heard[delay : delay + size]


@pytest.mark.parametrize("kind", KINDS)
def test_speech_stays_speech(kind):
    heard, _ = through(kind, speech(kind.rate))
    assert stoi(*shifted(speech(kind.rate), heard), kind.rate) > LEAST[kind.name]


@pytest.mark.parametrize(("name", "least"), [("PCMU", 35), ("PCMA", 35), ("G722", 18), ("L16", 90)])
def test_waveform_codecs_keep_the_waveform(name, least):
    kind = codecs.find(name, 8000)
    sent, heard = shifted(speech(kind.rate), through(kind, speech(kind.rate))[0])
    noise = sent.astype(float) - heard
    ratio = 10 * np.log10(np.sum(sent.astype(float) ** 2) / max(np.sum(noise**2), 1e-9))
    assert ratio > least


@pytest.mark.parametrize("name", ["AMR", "AMR-WB"])
def test_both_payload_formats_carry_the_same_sound(name):
    kind = next(kind for kind in codecs.KINDS if kind.name == name)
    tight, short = through(kind, speech(kind.rate))
    wide, long = through(kind, speech(kind.rate), **{"octet-align": "1"})
    assert (tight == wide).all() and len(short[5]) < len(long[5])


@pytest.mark.parametrize(
    ("wanted", "cut"), [(10, 10), (20, 20), (30, 20), (40, 40), (50, 40), (60, 60), (5, 10), (200, 60)]
)
def test_opus_is_cut_as_opus_can_be(wanted, cut):
    assert codecs.packet_ms(codecs.OPUS, wanted) == cut


@pytest.mark.parametrize(
    ("number", "cut"), [(codecs.AMR, 20), (codecs.G722, 30), (codecs.PCMA, 30), (codecs.G729, 30)]
)
def test_the_others_are_cut_by_their_frames(number, cut):
    assert codecs.packet_ms(number, 30) == cut


def test_a_codec_is_found_by_name_and_clock():
    found = [
        codecs.find(*each) for each in [("g722", 8000), ("opus", 48000), ("AMR-WB", 16000), ("speex", 16000)]
    ]
    assert [kind.rate if kind else None for kind in found] == [16000, 16000, 16000, None]
    assert codecs.find("G722", 16000) is None


def test_a_missing_library_takes_its_codec_away_and_nothing_else(monkeypatch):
    monkeypatch.setattr(opus, "LIBRARY", "libopus.so.no")
    codecs.available.cache_clear()
    try:
        assert codecs.find("opus", 48000) is None and codecs.find("G722", 8000) is not None
        assert codecs.missing()["OPUS"] == "libopus.so.0"
    finally:
        codecs.available.cache_clear()


# --- silence --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["OPUS", "AMR", "AMR-WB"])
def test_silence_is_not_sent_when_asked_so(name):
    kind = next(kind for kind in codecs.KINDS if kind.name == name)
    encoder = codecs.encoder(kind.number, {})
    encoder.tune(Tuning(dtx=True))
    size = kind.rate // 50
    rng = np.random.default_rng(7)
    hush = (rng.normal(size=(150, size)) * 3).astype(np.int16)
    sent = [bool(encoder.encode(block)) for block in hush]
    assert sum(sent[75:]) < 15
    talk = speech(kind.rate)[kind.rate // 2 :]
    assert encoder.silent and all(encoder.encode(talk[i * size : (i + 1) * size]) for i in range(20))
    assert not encoder.silent


@pytest.mark.parametrize("name", ["AMR", "AMR-WB"])
def test_comfort_noise_frames_tell_that_the_far_end_is_silent(name):
    kind = next(kind for kind in codecs.KINDS if kind.name == name)
    encoder, decoder = codecs.encoder(kind.number, {}), codecs.decoder(kind.number, {})
    encoder.tune(Tuning(dtx=True))
    said = [encoder.encode(np.zeros(kind.rate // 50, np.int16)) for _ in range(100)]
    for packet in filter(None, said):
        decoder.decode(packet)
    assert decoder.silent
    assert np.abs(decoder.conceal(kind.rate // 10)).max() < 200, "comfort noise, not concealed speech"


# --- what the far end wants -----------------------------------------------------------------------


def sizes(kind: codecs.Kind, tuning: Tuning, **params: str) -> float:
    """Mean bytes of a packet of speech."""
    encoder = codecs.encoder(kind.number, params)
    encoder.tune(tuning)
    sound, size = speech(kind.rate), kind.rate // 50
    return float(np.mean([len(encoder.encode(sound[i * size : (i + 1) * size])) for i in range(100)]))


def test_opus_keeps_to_the_bitrate_of_adaptation_and_of_the_far_end():
    kind = codecs.KINDS[codecs.OPUS]
    full = sizes(kind, Tuning(bitrate=24_000))
    assert 45 < full < 75
    assert sizes(kind, Tuning(bitrate=8_000)) < 0.45 * full
    assert sizes(kind, Tuning(bitrate=24_000), maxaveragebitrate="8000") < 0.45 * full
    assert np.isclose(sizes(kind, Tuning(bitrate=16_000, fec_loss=0), cbr="1"), 40, atol=1)


def test_opus_sends_a_telephones_band_to_those_who_play_no_more():
    kind = codecs.KINDS[codecs.OPUS]
    heard, packets = through(kind, speech(16_000), maxplaybackrate="8000")
    spectrum = np.abs(np.fft.rfft(heard.astype(float))) ** 2
    assert spectrum[len(spectrum) * 5 // 8 :].sum() < 1e-4 * spectrum.sum()
    assert packets[10][0] >> 3 < 4, "SILK, narrow band"


def test_amr_sends_the_mode_that_is_asked_for():
    kind = codecs.KINDS[codecs.AMR_WB]
    assert sizes(kind, Tuning()) == 61 and sizes(kind, Tuning(mode=0)) == 18
    assert sizes(kind, Tuning(asked=2)) == 33 and sizes(kind, Tuning(bitrate=9_000)) == 24


def test_a_mode_request_of_the_far_end_arrives_and_ours_is_sent():
    encoder, decoder = codecs.encoder(codecs.AMR, {}), codecs.decoder(codecs.AMR, {})
    encoder.tune(Tuning(request=3))
    decoder.decode(encoder.encode(np.zeros(160, np.int16)))
    assert decoder.wish == 3
    encoder.tune(Tuning(request=-1))
    decoder.decode(encoder.encode(np.zeros(160, np.int16)))
    assert decoder.wish == -1


def test_modes_change_as_the_far_end_can_follow():
    """One mode of its set at a time, at every second frame."""
    modes = Modes(amr.WB.rates, {"mode-set": "0,1,2", "mode-change-period": "2", "mode-change-neighbor": "1"})
    assert modes.next() == 2
    modes.ask(0)
    assert [modes.next() for _ in range(6)] == [2, 1, 1, 0, 0, 0]
    modes.ask(7)
    assert [modes.next() for _ in range(5)] == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("given", ["", "9,10", "x", "x,,²", "0" * 5000])
def test_a_mode_set_of_rubbish_allows_all(given):
    assert Modes(amr.WB.rates, {"mode-set": given}).allowed == list(range(9))


# --- losses and rubbish ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["OPUS", "AMR", "AMR-WB", "G729"])
def test_lost_speech_is_left_to_the_plane_and_what_follows_is_loud_at_once(name):
    kind = next(kind for kind in codecs.KINDS if kind.name == name)
    if not codecs.available(kind.number):
        pytest.skip(f"{codecs.missing()[name]} is not installed")
    encoder, decoder = codecs.encoder(kind.number, {}), codecs.decoder(kind.number, {})
    time = np.arange(kind.rate) / kind.rate
    voice = (4000 * np.sin(2 * np.pi * 150 * time) + 2000 * np.sin(2 * np.pi * 450 * time)).astype(np.int16)
    size = kind.rate // 50
    for i in range(20):
        decoder.decode(encoder.encode(voice[i * size : (i + 1) * size]))
    encoder.encode(voice[20 * size : 21 * size])
    assert decoder.conceal(size) is None
    after = decoder.decode(encoder.encode(voice[21 * size : 22 * size]))
    assert np.std(after.astype(float)) > 1500


def test_opus_finds_a_lost_packet_in_the_next_one():
    encoder = codecs.encoder(codecs.OPUS, {"useinbandfec": "1"})
    whole, losing = codecs.decoder(codecs.OPUS, {}), codecs.decoder(codecs.OPUS, {})
    encoder.tune(Tuning(fec_loss=20, bitrate=32_000))
    sound = speech(16_000)
    packets = [encoder.encode(sound[i * 320 : (i + 1) * 320]) for i in range(140)]
    errors, power, found = 0.0, 0.0, 0
    for i, packet in enumerate(packets[:-1]):
        right = whole.decode(packet).astype(float)
        if i % 5 != 4:
            losing.decode(packet)
            continue
        copied = losing.conceal(320, packets[i + 1])
        assert (copied is not None) == opus.has_copy(packets[i + 1])
        if copied is not None:
            found, power, errors = found + 1, power + np.sum(right**2), errors + np.sum((copied - right) ** 2)
    assert found > 10 and errors < 0.25 * power


def test_a_copy_is_seen_where_there_is_one():
    """The flag behind those of voice activity, in packets of SILK and hybrid (RFC 6716 section 4.2.3)."""
    for config, flags in ((1, 1), (2, 2), (3, 3), (9, 1), (11, 3), (13, 1)):
        flag = 1 << 7 - flags
        assert opus.has_copy(bytes([config << 3, flag]))
        assert not opus.has_copy(bytes([config << 3, 0xFF ^ flag]))
    assert opus.has_copy(bytes([9 << 3 | 4, 0b0001_0000])), "of the side channel"
    assert not opus.has_copy(bytes([20 << 3, 0xFF])), "CELT"
    assert not opus.has_copy(b"\x48")


@pytest.mark.parametrize("kind", KINDS)
def test_rubbish_is_sound_or_nothing_and_speech_is_understood_after_it(kind):
    rng = np.random.default_rng(kind.number)
    encoder, decoder = codecs.encoder(kind.number, {}), codecs.decoder(kind.number, {})
    for size in rng.integers(0, 120, 1_000).tolist():
        sound = decoder.decode(rng.bytes(size))
        assert sound is None or (sound.dtype == np.int16 and 0 < len(sound) <= 6 * 640)
    size = kind.rate // 50
    whole = speech(kind.rate)
    heard = [decoder.decode(encoder.encode(whole[i * size : (i + 1) * size])) for i in range(140)]
    assert stoi(*shifted(whole[: 140 * size], np.concatenate(heard)), kind.rate) > LEAST[kind.name] - 0.1
