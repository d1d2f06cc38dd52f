"""Far ends that describe the noise of their pauses (RFC 3389) and send nothing else until they speak."""

from __future__ import annotations

import numpy as np
import pytest

from media import codecs, comfort
from media.legs import Way
from media.messages import Codec, SetGain
from tests.media.stage import PCMA, PCMU, Phone, Stage, strength
from tests.media.test_planes import G722, skip_if_missing, way

CN = Codec(13, "CN")
LEVEL = -40.0  # dBov of the noise described


@pytest.fixture
def stage() -> Stage:
    return Stage()


def speak_then_pause(stage: Stage, phone: Phone, seconds: float = 1.0) -> None:
    """A second of tone, then comfort noise told every 200 ms."""
    phone.hertz = 440
    stage.run(1.0)
    pause(stage, phone, seconds)


def pause(stage: Stage, phone: Phone, seconds: float) -> None:
    phone.hertz = 0
    for _ in range(round(seconds / 0.2)):
        phone.send(comfort.encode(LEVEL), CN.pt, span=1600)
        stage.run(0.2)
    phone.next_at = stage.now


def loudness(samples: np.ndarray) -> float:
    return float(20 * np.log10(samples.astype(float).std() / 32768 + 1e-9))


@pytest.mark.parametrize("codec", [PCMU, G722], ids=lambda codec: codec.name)
def test_who_hears_a_pause_rendered_hears_noise_of_the_level_told(stage: Stage, codec: Codec) -> None:
    skip_if_missing(codec)
    speaker, listener = stage.leg(1, codec, CN), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2))
    speak_then_pause(stage, speaker, 2.0)
    # half of a wide codec's noise is above what a telephone hears
    assert loudness(listener.audio(stage.now - 1.2)) == pytest.approx(LEVEL - 3 * (codec is G722), abs=2)
    speaker.hertz = 440
    stage.run(1.0)
    assert strength(listener.audio(stage.now - 0.6), 440) > 7500, "and speech again when it comes"


def test_noise_is_relayed_as_it_is_where_both_ends_agreed_on_it(stage: Stage) -> None:
    speaker, listener = stage.leg(1, PCMU, CN), stage.leg(2, PCMU, Codec(98, "CN"))
    stage.do(SetGain(1, 2))
    speak_then_pause(stage, speaker)
    assert way(stage, 2) == Way.RELAYED
    told = [heard for heard in listener.got if heard.pt == 98]
    assert [heard.payload for heard in told] == [comfort.encode(LEVEL)] * 5
    assert set(np.diff([heard.timestamp for heard in told])) == {1600}
    assert set(np.diff([heard.sequence for heard in listener.got])) == {1}


def test_a_listener_who_cannot_be_told_of_noise_hears_it_made_from_the_first_pause_on(stage: Stage) -> None:
    speaker, listener = stage.leg(1, PCMU, CN), stage.leg(2, PCMU)
    stage.do(SetGain(1, 2))
    speaker.hertz = 440
    stage.run(1.0)
    assert way(stage, 2) == Way.RELAYED
    pause(stage, speaker, 2.0)
    assert way(stage, 2) == Way.RENDERED
    assert loudness(listener.audio(stage.now - 1.2)) == pytest.approx(LEVEL, abs=2.5)
    assert not any(heard.pt == CN.pt for heard in listener.got)


def test_noise_of_the_static_type_is_understood_without_agreement(stage: Stage) -> None:
    speaker, listener = stage.leg(1, PCMU), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2))
    speak_then_pause(stage, speaker, 2.0)
    assert stage.control.core.table.rx.foreign.sum() == 0
    assert loudness(listener.audio(stage.now - 1.2)) == pytest.approx(LEVEL, abs=2.5)


def test_a_pause_is_no_jitter(stage: Stage) -> None:
    speaker, _ = stage.leg(1, PCMU, CN), stage.leg(2, PCMU, CN)
    stage.do(SetGain(1, 2))
    speak_then_pause(stage, speaker)
    speaker.hertz = 440
    stage.run(0.5)
    assert stage.control.core.table.rx.jitter.max() < 40, "units of 1/8000 s"


def test_an_older_description_that_comes_late_silences_nobody(stage: Stage) -> None:
    speaker, listener = stage.leg(1, PCMU, CN), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2))
    speaker.hertz = 440
    stage.run(0.5)
    speaker.sequence += 1  # the number of a packet that is on its way
    speaker.timestamp += 160
    stage.run(0.1)
    late, now = speaker.sequence - 6, (speaker.sequence, speaker.timestamp)
    speaker.sequence, speaker.timestamp = late, now[1] - 960
    speaker.send(comfort.encode(-90.0), CN.pt, span=160)
    speaker.sequence, speaker.timestamp = now
    stage.run(0.5)
    assert strength(listener.audio(stage.now - 0.4), 440) > 7500
    assert codecs.COMFORT_NOISE not in stage.control.core.table.rx.codec


def test_a_codec_of_another_clock_takes_no_noise(stage: Stage) -> None:
    wide = Codec(100, "L16", 16000)
    speaker, listener = stage.leg(1, wide, CN), stage.leg(2, PCMA)
    stage.do(SetGain(1, 2))
    speak_then_pause(stage, speaker, 0.4)
    speaker.hertz = 440
    stage.run(1.0)
    assert strength(listener.audio(stage.now - 0.6), 440) > 7500
