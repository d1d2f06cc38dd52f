"""The craft of speaking: the urgent first, in pieces, bounded, and no fault of a voice goes further."""

from __future__ import annotations

import numpy as np
import pytest

from media.speech.jobs import Failed, Forget, Result, Speak, Spoken
from media.speech.speaking import Speaking, Terms
from media.speech.voice import VoiceFault

RATE = 16_000


class Hum:
    """A voice without a synthesiser: `seconds` of noise a text, `piece` s a reading, or as the text asks."""

    name, languages, why = "hum", ("en",), "made for tests"

    def __init__(self, seconds: float = 1.0, piece: float = 0.1) -> None:
        self.seconds, self.piece = seconds, piece
        self.said: list[str] = []
        self.open = 0

    def say(self, text: str, language: str, gender: str = "", voice: str = "") -> Humming:
        if text == "no voice":
            raise VoiceFault("there is none", ever=True)
        self.said.append(text)
        self.open += 1
        return Humming(self, text)

    def close(self) -> None: ...


class Humming:
    by, rate, cost_s, read_once = "hum", RATE, 0.25, False

    def __init__(self, hum: Hum, text: str) -> None:
        self.hum, self.text, self.left = hum, text, round(hum.seconds / hum.piece)

    def read(self, patience_s: float) -> np.ndarray | None:
        if self.text == "breaks" and self.read_once:
            raise VoiceFault("it broke", ever=False)
        if self.text == "hangs":
            return np.zeros(0, np.int16)
        if self.left <= 0:
            return None
        self.left -= 1
        self.read_once = True
        level = 0 if self.text == "mute" else 3000
        rng = np.random.default_rng(len(self.text))
        return np.rint(rng.normal(size=int(self.hum.piece * RATE)) * level).astype(np.int16)

    def close(self) -> None:
        self.hum.open -= 1


def speak(key: str, text: str = "good morning", due_s: float = 5.0, rate: int = RATE) -> Speak:
    return Speak(key, due_s, text, "en", rate=rate)


def all_work(craft: Speaking, now: float = 0.0, step: float = 0.01) -> list[Result]:
    found: list[Result] = []
    for _ in range(10_000):
        if not craft.busy:
            return found
        found += craft.work(now)
        now += step
    raise AssertionError("it is never done")


def test_a_text_comes_in_pieces_each_twice_as_long_and_the_last_says_so():
    craft = Speaking(Hum(seconds=6.0))
    craft.take(speak("a"), 0.0)
    told = all_work(craft)
    assert all(isinstance(each, Spoken) and each.key == "a" and each.by == "hum" for each in told)
    lengths = [len(each.pcm) / 2 / RATE for each in told]
    assert lengths[:4] == pytest.approx([0.3, 0.6, 1.2, 2.4], abs=0.15)
    assert [each.over for each in told] == [False] * (len(told) - 1) + [True]
    assert sum(lengths) == pytest.approx(6.0, abs=0.05)
    assert told[-1].cost_s == 0.25


def test_the_most_urgent_is_said_first_and_what_nobody_waits_for_any_more_is_not():
    hum = Hum()
    craft = Speaking(hum)
    for key, due_s in (("late", 9.0), ("soon", 3.0), ("past", 0.5)):
        craft.take(speak(key, key, due_s), 0.0)
    told = all_work(craft, now=1.0)
    assert hum.said == ["soon", "late"] and {each.key for each in told} == {"soon", "late"}


def test_what_was_said_before_is_given_at_once_at_the_same_rate_alone():
    hum = Hum()
    craft = Speaking(hum)
    for key, rate in (("a", RATE), ("b", RATE), ("c", 8_000)):
        craft.take(speak(key, rate=rate), 0.0)
        told = all_work(craft)
        if key == "b":
            assert [(each.key, each.over, each.cost_s) for each in told] == [("b", True, 0.0)]
    assert len(hum.said) == 2


def test_what_is_kept_has_a_bound():
    craft = Speaking(Hum(), Terms(kept_bytes=100_000))
    for at in range(20):
        craft.take(speak(str(at), f"text {at}"), 0.0)
        all_work(craft)
    assert craft._kept_bytes == sum(len(pcm) for _, pcm in craft._kept.values()) <= 100_000


def test_of_what_is_too_much_the_newest_is_refused_for_now():
    craft = Speaking(Hum(), Terms(waiting=3))
    for at in range(5):
        craft.take(speak(str(at), str(at)), 0.0)
    failed = [each for each in all_work(craft) if isinstance(each, Failed)]
    assert [(each.key, each.ever) for each in failed] == [("3", False), ("4", False)]


@pytest.mark.parametrize(
    ("job", "ever"),
    [
        (speak("a", "no voice"), True),
        (speak("a", "breaks"), False),
        (speak("a", "mute"), True),
        (speak("a", "?!"), True),
        (speak("a", "x" * 5_000), True),
        (speak("a", rate=11_025), True),
        (Forget("a", 1.0, "u"), True),
    ],
)
def test_what_cannot_be_said_is_told_and_the_next_is_said(job: Speak | Forget, ever: bool):
    hum = Hum()
    craft = Speaking(hum)
    craft.take(job, 0.0)
    craft.take(speak("next"), 0.0)
    told = all_work(craft)
    failed = [each for each in told if isinstance(each, Failed)]
    assert [(each.key, each.ever) for each in failed] == [("a", ever)] and failed[0].why
    assert told[-1].key == "next" and isinstance(told[-1], Spoken)
    assert hum.open == 0


def test_a_voice_that_hangs_is_given_up_when_nobody_waits_for_it_any_more():
    hum = Hum()
    craft = Speaking(hum)
    craft.take(speak("a", "hangs", due_s=1.0), 0.0)
    craft.take(speak("b", "hello", due_s=9.0), 0.0)
    assert {each.key for each in all_work(craft)} == {"b"} and hum.open == 0


def test_a_voice_that_never_ends_is_ended():
    craft = Speaking(Hum(seconds=1e9, piece=2.0))
    craft.take(speak("a"), 0.0)
    last = all_work(craft)[-1]
    assert isinstance(last, Failed) and last.ever


def test_closing_ends_what_is_being_said():
    hum = Hum()
    craft = Speaking(hum)
    craft.take(speak("a"), 0.0)
    craft.work(0.0)
    craft.close()
    assert hum.open == 0
