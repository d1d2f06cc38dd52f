"""What workers tell of a phone's network: troubles in the journal and the live view, wishes as re-INVITEs."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine import network
from engine.events import CodecWished, Event, LegTroubled, Side
from engine.leg import Leg
from engine.metrics import Metrics
from engine.states import State
from media.messages import Trouble, Wish
from tests.sim.house import SELDOM
from tests.sim.stage import Stage, Voice


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path, ticks_in_one=SELDOM)


@pytest.fixture
def seen(stage: Stage) -> list[Event]:
    """What the journal is told from now on."""
    noted: list[Event] = []
    stage.house.switch.observers.append(lambda item: noted.append(item) if isinstance(item, Event) else None)
    return noted


@pytest.fixture
def talking(stage: Stage, seen: list[Event]) -> Voice:
    customer = stage.customer()
    stage.run(60.0)
    assert stage.call.state is State.TALKING
    seen.clear()
    return customer


def leg(stage: Stage) -> Leg:
    assert stage.call.customer is not None
    return stage.call.customer


def tell(stage: Stage, event: Trouble | Wish) -> None:
    stage.house.switch.heard(event, stage.world.now)
    stage.house.host.pump()
    stage.run(1.0)


def trouble(stage: Stage, over: bool = False, kind: str = "clipping") -> Trouble:
    return Trouble(leg(stage).number, kind, "its microphone is too loud; turn it down", 1_700_000_000.0, over)


def test_a_trouble_and_its_end_are_in_the_journal_once_each(stage, talking, seen):
    tell(stage, trouble(stage))
    tell(stage, trouble(stage))
    tell(stage, trouble(stage, over=True))
    told = [event for event in seen if isinstance(event, LegTroubled)]
    assert [(event.trouble, event.side, event.over) for event in told] == [
        ("clipping", Side.CUSTOMER, False),
        ("clipping", Side.CUSTOMER, True),
    ]
    assert "turn it down" in told[0].cause and told[0].call == stage.call.id


def test_troubles_are_counted_by_kind_and_side(stage, talking):
    metrics = Metrics()
    stage.house.switch.observers.append(metrics.notice)
    tell(stage, trouble(stage))
    tell(stage, trouble(stage, over=True))
    assert b'isogloss_leg_troubles_total{kind="clipping",side="customer"} 1.0' in metrics.render()


def test_a_phone_that_is_silent_while_it_rings_is_in_no_trouble(stage, seen):
    customer = stage.customer()
    customer.speaks = False
    for agent in stage.agents:
        agent.answers = False
    stage.run(1.0)
    known = stage.call.legs[-1]
    known.connected = False
    event = Trouble(known.number, "no_rtp", "nothing comes; check the firewall", 1_700_000_000.0)
    stage.house.switch.heard(event, stage.world.now)
    assert not [event for event in seen if isinstance(event, LegTroubled) and event.leg == known.number]
    known.connected = True
    stage.run(network.LATER_S + 1.0)
    assert [event.trouble for event in seen if isinstance(event, LegTroubled) and event.leg == known.number]


def wish(stage: Stage, codec: str = "OPUS") -> Wish:
    return Wish(leg(stage).number, codec, "64 kb/s where 15 fit")


def wishes(seen: list[Event]) -> list[str]:
    return [event.codec for event in seen if isinstance(event, CodecWished)]


def test_a_wish_is_a_re_invite_and_not_more_than_one_a_minute(stage, talking, seen):
    for _ in range(30):
        tell(stage, wish(stage))
    assert talking.asked == 1 and wishes(seen) == ["OPUS"]
    stage.run(network.AGAIN_S)
    tell(stage, wish(stage))
    assert wishes(seen) == ["OPUS", "OPUS"] and stage.call.state is State.TALKING


def test_a_phone_that_never_follows_is_left_in_peace(stage, talking, seen):
    for _ in range(8):
        tell(stage, wish(stage))
        stage.run(network.AGAIN_S)
    assert len(wishes(seen)) == network.IN_VAIN


def test_a_wish_for_what_is_spoken_already_or_of_a_phone_on_hold_asks_nothing(stage, talking):
    tell(stage, wish(stage, leg(stage).codec.upper()))
    talking.hold()
    stage.run(2.0)
    before = talking.asked
    tell(stage, wish(stage))
    assert talking.asked == before == 0


def test_the_line_s_profile_goes_before_the_region_s(stage, talking):
    settings = stage.house.switch.config
    assert network.profile(leg(stage)) == settings.media.network.profile == "standard"
