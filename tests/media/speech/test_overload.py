"""More legs speak than can be heard: some have captions in time, the others are told, all comes back."""

from __future__ import annotations

import pytest

from media.speech.messages import Attend, Into, Said, Strained, Unable
from media.speech.recognition import BUSY, Terms
from media.speech.shedding import Level
from media.speech.utterance import Stage
from tests.media.speech.busy import BusyScene
from tests.media.speech.scene import SPEAKING, TRANSLATING, shout

COST = 0.25  # s of a core for a second of sound: of four legs that speak, three and a half are heard
LEGS = tuple(range(1, 17))
SETTLED_S = 8.0  # within which it is found what there is room for
IN_TIME_S = Terms().final_due_s  # after the end of speech, while what had piled up is worked off
SOON_S = 1.5  # once it is


def attended(cost: float, cores: float = 1.0) -> BusyScene:
    scene = BusyScene(cost, cores)
    scene.hand(2, shout, TRANSLATING, SPEAKING)
    for leg in LEGS:
        scene.ear.attend(Attend(leg, ("es",), (Into(leg + 100, "en", voice="over"),)))
    return scene


def captioned(scene: BusyScene, since: float) -> dict[int, list[float]]:
    """By leg, how late its sentences were written that ended after `since`; those that were."""
    found: dict[int, list[float]] = {}
    for each in scene.told(Said):
        if each.over and each.end >= since and len(each.stands.split()) > 3:
            found.setdefault(each.leg, []).append(each.lags[Stage.WRITTEN])
    return found


@pytest.mark.parametrize(("cost", "cores", "least"), [(COST, 1.0, 3), (0.06, 0.25, 3)])
def test_at_four_times_what_can_be_heard_some_legs_have_captions_in_time_and_others_are_told(
    cost: float, cores: float, least: int
) -> None:
    """The second: a machine that leaves speech a quarter of a core; what work costs would be done by one."""
    scene = attended(cost, cores)
    began = scene.now
    scene.talk(25.0, LEGS)
    assert [each.level for each in scene.told(Strained)][:3] == [1, 2, 3]
    late = captioned(scene, began + SETTLED_S)
    assert least <= len(late) < len(LEGS)
    assert max(max(each) for each in late.values()) < IN_TIME_S
    soon = captioned(scene, began + 20.0)
    assert soon and max(max(each) for each in soon.values()) < SOON_S
    without = {each.leg for each in scene.told(Unable) if each.why == BUSY}
    assert without >= set(LEGS) - set(late)


def test_what_waits_to_be_heard_stays_short() -> None:
    scene = attended(COST)
    longest = 0.0
    for _ in range(20):
        scene.talk(1.0, LEGS)
        longest = max(longest, scene.slow.waiting_s)
    assert longest < 16.0
    assert scene.slow.waiting_s < 4.0


def test_when_fewer_speak_all_of_them_have_all_of_it_again() -> None:
    scene = attended(COST)
    scene.talk(12.0, LEGS)
    scene.talk(25.0, LEGS[:2])
    assert scene.told(Strained)[-1].level is Level.NOTHING
    since = scene.now
    scene.talk(9.0, LEGS[:2])
    assert {leg: len(lags) for leg, lags in captioned(scene, since).items()} == {1: 2, 2: 2}
    told = {each.leg: each for each in scene.told(Unable)}
    assert all(told[leg].over for leg in LEGS[:2] if leg in told)


def test_nothing_is_kept_of_what_was_left_out() -> None:
    scene = attended(COST)
    scene.talk(12.0, LEGS)
    scene.listen(12.0, 0, LEGS)
    assert scene.slow.waiting_s == 0.0 and not scene.hearing.busy
    assert not scene.ear.dispatch.workers[1].owes


def test_a_machine_that_had_no_time_for_a_while_is_not_believed_to_have_none_for_ever() -> None:
    scene = attended(COST)
    scene.talk(4.0, LEGS[:2])
    scene.cores = 0.02
    scene.talk(8.0, LEGS[:2])
    assert scene.told(Strained)
    scene.cores = 1.0
    scene.talk(45.0, LEGS[:2])
    assert scene.told(Strained)[-1].level is Level.NOTHING
    late = captioned(scene, scene.now - 10.0)
    assert set(late) == set(LEGS[:2]) and max(max(each) for each in late.values()) < 1.0


def test_two_who_talk_all_the_time_are_not_taken_for_too_much() -> None:
    scene = attended(COST)
    scene.talk(15.0, LEGS[:2])
    assert not scene.told(Strained) and not scene.told(Unable)
