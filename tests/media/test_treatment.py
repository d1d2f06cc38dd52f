"""What is done with legs' sound before it is heard, as the engine asks for it: through a whole worker."""

from __future__ import annotations

import numpy as np
import pytest

from media.codecs import g711
from media.legs import Way
from media.messages import CloseLeg, Dtmf, Play, PlayDone, SetGain, SetRemote
from media.wish import Duck, Treat
from tests.media import voices
from tests.media.stage import PCMU, Phone, Stage, strength, tone, write_wav
from tests.media.test_tones import dialled


@pytest.fixture
def stage() -> Stage:
    return Stage()


def say(stage: Stage, phone: Phone, sound: np.ndarray) -> None:
    """The phone says this, in packets of 20 ms, while time passes."""
    samples = np.clip(np.rint(sound), -32767, 32767).astype(np.int16)
    for block in samples[: len(samples) // 160 * 160].reshape(-1, 160):
        phone.send(g711.encode(phone.law, block).tobytes())
        stage.run(0.02)


def ways(stage: Stage, *legs: int) -> list[Way]:
    table = stage.control.core.table
    return [Way(table.common.way[table.find(leg).row]) for leg in legs]


def joined(stage: Stage, *legs: int) -> list[Phone]:
    phones = [stage.leg(leg) for leg in legs]
    stage.do(*(SetGain(a, b) for a in legs for b in legs if a != b))
    return phones


def test_a_call_that_nothing_is_wanted_of_stays_relayed(stage):
    joined(stage, 1, 2)
    stage.do(Treat(1))
    stage.run(0.1)
    assert ways(stage, 1, 2) == [Way.RELAYED, Way.RELAYED]


def test_noise_is_taken_from_a_leg_that_asks_for_it_and_its_listener_alone_is_rendered(stage):
    noisy, other = joined(stage, 1, 2)
    stage.do(Treat(1, noise=True))
    noise = voices.white(24_000, -40)
    say(stage, noisy, noise)
    assert ways(stage, 1, 2) == [Way.RELAYED, Way.RENDERED]
    assert voices.level(other.audio(stage.now - 1)) < voices.level(noise) - 9


def test_a_treatment_that_ends_gives_the_relay_back(stage):
    joined(stage, 1, 2)
    stage.do(Treat(1, noise=True, level=True))
    stage.run(0.1)
    stage.do(Treat(1))
    stage.run(0.1)
    assert ways(stage, 1, 2) == [Way.RELAYED, Way.RELAYED]
    assert not stage.control.core.studio.treatment.wants


def test_a_quiet_talker_is_brought_up(stage):
    talker, other = joined(stage, 1, 2)
    stage.do(Treat(1, level=True))
    said = np.concatenate(voices.speech(seconds=8))[:48_000] * 0.2
    say(stage, talker, said + voices.white(len(said), -75))
    assert voices.level(other.audio(stage.now - 2)) > voices.level(said[-16_000:]) + 5


def test_digits_in_the_sound_are_told_beside_the_relay(stage):
    caller, _ = joined(stage, 1, 2)
    stage.do(Treat(1, inband_dtmf=True))
    say(stage, caller, np.concatenate([np.zeros(800), dialled("42#", 80, 60), np.zeros(1600)]))
    assert "".join(each.digit for each in stage.told(Dtmf)) == "42#"
    assert all(each.leg == 1 for each in stage.told(Dtmf))
    assert ways(stage, 1, 2) == [Way.RELAYED, Way.RELAYED]


def test_digits_in_the_sound_are_not_listened_for_unasked(stage):
    caller, _ = joined(stage, 1, 2)
    say(stage, caller, dialled("42", 80, 60))
    assert not stage.told(Dtmf)


def prompt(stage: Stage, tmp_path, seconds: float = 10, **how) -> Phone:
    """A caller with a line as quiet as lines are, and a prompt of 440 Hz."""
    caller = stage.leg(1)
    path = write_wav(tmp_path / "prompt.wav", tone(440, seconds, 3000))
    stage.do(Play(1, 7, [path], barge=True, **how))
    say(stage, caller, voices.white(8000, -65))
    return caller


def words(seconds: float) -> np.ndarray:
    """Speech from its first loud block on."""
    said = voices.speech(seconds=8)[0].astype(float)
    power = (said[: len(said) // 160 * 160].reshape(-1, 160) ** 2).mean(axis=1)
    begin = int(np.argmax(power > power.max() / 30)) * 160
    return said[begin : begin + int(seconds * 8000)] + voices.white(int(seconds * 8000), -65)


def heard_until(phone: Phone, since: float) -> float:
    """s from `since` until the prompt was last heard."""
    last = since
    for each in phone.got:
        loud = np.abs(g711.decode(phone.law, np.frombuffer(each.payload, np.uint8)).astype(int)).max() > 300
        if each.at >= since and loud:
            last = each.at + 0.02
    return last - since


def test_a_caller_who_speaks_has_silence_within_200_ms_and_the_prompt_is_over(stage, tmp_path):
    caller = prompt(stage, tmp_path)
    began = stage.now
    say(stage, caller, words(1.4))
    assert heard_until(caller, began) <= 0.2
    assert stage.told(PlayDone) == [PlayDone(1, 7, False, True)]


def test_an_uh_huh_is_answered_by_a_pause_and_the_prompt_goes_on(stage, tmp_path):
    caller = prompt(stage, tmp_path, 3)
    say(stage, caller, words(0.24))
    say(stage, caller, voices.white(8000, -65))
    assert not stage.told(PlayDone) and strength(caller.audio(stage.now - 0.2), 440) > 2500
    say(stage, caller, voices.white(24_000, -65))
    assert stage.last(PlayDone) == PlayDone(1, 7, True)


@pytest.mark.parametrize("dbov", [-60, -45, -35])
def test_line_noise_interrupts_nothing(stage, tmp_path, dbov):
    caller = prompt(stage, tmp_path, 2)
    say(stage, caller, voices.white(16_000, dbov, seed=9))
    assert stage.last(PlayDone) == PlayDone(1, 7, True)


def test_a_prompt_that_may_not_be_interrupted_is_heard_to_its_end(stage, tmp_path):
    caller = stage.leg(1)
    path = write_wav(tmp_path / "prompt.wav", tone(440, 1, 3000))
    stage.do(Play(1, 7, [path]))
    say(stage, caller, words(1.4))
    assert stage.last(PlayDone) == PlayDone(1, 7, True) and not stage.control.core.studio.treatment.wants


def test_after_the_last_prompt_nobody_listens_any_more(stage, tmp_path):
    prompt(stage, tmp_path, 0.2)
    stage.run(0.5)
    core = stage.control.core
    assert not core.studio.treatment.wants and not core.plan.attended and not core.table.rx.heard.any()


def test_the_original_is_lowered_while_its_interpreter_speaks(stage):
    original, listener, interpreter = stage.leg(1), stage.leg(2), stage.leg(3)
    original.hertz = 440
    stage.do(SetGain(1, 2), SetGain(3, 2), Duck(1, 2, 3, 12.0))
    say(stage, interpreter, voices.white(8000, -65))
    before = strength(listener.audio(stage.now - 0.2), 440)
    say(stage, interpreter, words(1.0))
    during = strength(listener.audio(stage.now - 0.2), 440)
    say(stage, interpreter, voices.white(12_000, -65))
    after = strength(listener.audio(stage.now - 0.2), 440)
    assert before == pytest.approx(8000, rel=0.05) and after == pytest.approx(8000, rel=0.05)
    assert during == pytest.approx(2000, rel=0.25)


def test_nothing_of_a_closed_leg_is_wanted_of_the_next_in_its_row(stage, tmp_path):
    """It lowered somebody else, and was played something that it could have interrupted."""
    joined(stage, 1, 2, 3)
    prompt = write_wav(tmp_path / "prompt.wav", tone(300, 2))
    stage.do(Duck(1, 2, by=3), Treat(3, level=True), Play(3, 1, [prompt], barge=True))
    stage.run(0.1)
    stage.do(CloseLeg(3))
    core = stage.control.core
    assert not core.studio.treatment.wants
    assert not core.plan.attended | core.plan.altered


def test_ducking_that_ends_gives_the_relay_back(stage):
    joined(stage, 1, 2)
    stage.leg(3)
    stage.do(Duck(1, 2, 3))
    stage.run(0.1)
    assert ways(stage, 2) == [Way.RENDERED]
    stage.do(Duck(1, 2, 3, 0.0))
    stage.run(0.1)
    assert ways(stage, 2) == [Way.RELAYED]


def test_an_interpreter_who_hangs_up_lowers_nobody_any_more(stage):
    joined(stage, 1, 2)
    stage.leg(3)
    stage.do(Duck(1, 2, 3), CloseLeg(3))
    stage.run(0.1)
    assert ways(stage, 2) == [Way.RELAYED] and not stage.control.core.studio.treatment.wants


def test_a_codec_of_another_rate_takes_the_treatment_along(stage):
    noisy, other = joined(stage, 1, 2)
    stage.do(Treat(1, noise=True))
    say(stage, noisy, voices.white(1600, -40))
    stage.do(SetRemote(1, noisy.address, [PCMU], rtcp_mux=False))
    say(stage, noisy, voices.white(16_000, -40))
    assert voices.level(other.audio(stage.now - 0.5)) < -49


def test_legs_come_and_go_and_leave_no_slot_behind(stage):
    for number in range(1, 60):
        stage.leg(number)
        stage.do(Treat(number, noise=True, level=True, inband_dtmf=True))
        stage.phone("198.51.100.9", 30_000 + number)
    stage.run(0.06)
    stage.do(*(CloseLeg(number) for number in range(1, 60)))
    stage.run(0.06)
    treatment = stage.control.core.studio.treatment
    assert not treatment.wants and not any(room._slot_of for room in treatment._rooms)
