"""Who speaks: a gate that is cheap, a detector that is right, of many legs at once."""

from __future__ import annotations

from pathlib import Path

import faster_whisper
import numpy as np
import onnxruntime
import pytest

from media.speech.io.vad import Detector, Gate, TwoStage, loaded
from media.speech.onnx import initializers
from media.speech.segment import BLOCK_S, Began, Ended, Segments
from media.speech.silero import CONTEXT, STATE, WINDOW
from tests.media.speech.spoken import spoken

MODEL = Path(faster_whisper.__file__).parent / "assets" / "silero_vad_v6.onnx"
SENTENCE = "Your parcel has left the depot this morning."


def blocks_of(pcm: bytes, rate: int) -> np.ndarray:
    samples, size = np.frombuffer(pcm, "<i2"), rate // 50
    return samples[: len(samples) // size * size].reshape(-1, size)


def noise(rate: int, seconds: float, level: float = 300.0) -> np.ndarray:
    samples = np.random.default_rng(7).normal(0.0, level, int(rate * seconds))
    return samples.astype(np.int16).reshape(-1, rate // 50)


def events(blocks: np.ndarray, rate: int) -> list[Began | Ended]:
    """What the segments of one leg are, the detector asked where they ask for it."""
    vad, segments, rows, found = TwoStage(), Segments(1), np.arange(1), []
    for at, block in enumerate(blocks):
        gate, sure = vad.passes(rows, block[None], rate), np.full(1, np.nan, np.float32)
        if segments.asks(rows)[0]:
            sure = vad.sure(rows, block[None], rate)
        found += segments.hear(rows, gate, sure, np.zeros(1, bool), (at + 1) * BLOCK_S)
    return found


def test_many_legs_at_once_are_heard_as_the_published_model_hears_one():
    session = onnxruntime.InferenceSession(MODEL)
    legs = [blocks_of(spoken(SENTENCE, voice), 16000)[:100] for voice in ("en-us", "es", "de")]
    detector, rows = Detector(8), np.array([5, 0, 3])
    ours = np.stack([detector.sure(rows, np.stack(each)) for each in zip(*legs)])
    for leg, got in zip(legs, ours.T):
        windows = leg.reshape(-1)[: 62 * WINDOW].reshape(-1, WINDOW).astype(np.float32) / 32768
        before = np.zeros((len(windows), CONTEXT), np.float32)
        before[1:] = windows[:-1, -CONTEXT:]
        zero = np.zeros((1, 1, STATE), np.float32)
        given = {"input": np.concatenate([before, windows], axis=1), "h": zero, "c": zero}
        theirs = session.run(None, given)[0]
        ends = -(-WINDOW * np.arange(1, len(windows) + 1) // 320) - 1
        np.testing.assert_allclose(got[ends], theirs, atol=1e-4)
        assert np.isnan(got[0]) and not np.isnan(got[1:]).any()


@pytest.mark.parametrize("rate", [8000, 16000])
def test_speech_is_found_where_it_is_and_noise_is_none(rate: int):
    quiet = noise(rate, 1.0)
    speech = blocks_of(spoken(SENTENCE, rate=rate), rate) + noise(rate, 60.0)[0]
    began, ended = events(np.concatenate([quiet, speech, quiet]), rate)
    assert isinstance(began, Began) and isinstance(ended, Ended)
    length = len(speech) * BLOCK_S
    assert 0.7 < began.at < 1.4
    assert length + 0.3 < ended.voiced < length + 1.2
    assert events(noise(rate, 5.0), rate) == []


def test_a_row_that_another_leg_takes_over_knows_nothing_of_the_one_before():
    speech = blocks_of(spoken(SENTENCE), 16000)[20:60]
    vad, rows = TwoStage(), np.array([40])

    def heard() -> list[float]:
        found = []
        for block in speech:
            vad.passes(rows, block[None], 16000)
            found.append(float(vad.sure(rows, block[None], 16000)[0]))
        return found

    first = heard()
    assert heard() != first, "it goes on"
    vad.forget(40)
    assert heard() == pytest.approx(first, nan_ok=True)
    for _ in range(3):
        vad.passes(rows, speech[:1], 16000)
    assert heard() == pytest.approx(first, nan_ok=True), "begins anew after a pause"


def test_digital_silence_does_not_pass_and_a_strange_rate_is_refused():
    gate = Gate()
    assert not gate.passes(np.arange(4), np.zeros((4, 320), np.int16), 16000).any()
    with pytest.raises(ValueError, match="44100"):
        gate.passes(np.arange(1), np.zeros((1, 882), np.int16), 44100)
    with pytest.raises(ValueError, match="at most 512"):
        Detector(1).sure(np.arange(1), np.zeros((1, 960), np.int16))


def test_what_is_no_model_is_refused(tmp_path: Path):
    data = MODEL.read_bytes()
    assert len(initializers(data)) > 12
    for broken in (b"\xff" * 40, data[: len(data) // 2], data[5:]):
        path = tmp_path / "model.onnx"
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"ONNX|Silero"):
            loaded(path)
