"""Whatever phones do to each other over whatever network: every call ends once, and nothing stays behind."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.rings import no_rings
from tests.sip.crowd import Crowd
from tests.sip.mutate import mutate
from tests.sip.network import Weather, drained

FAIR = Weather(delay=0.02)
ROUGH = Weather(delay=0.05, jitter=0.3, loss=0.1, duplication=0.1)
DREADFUL = Weather(delay=0.1, jitter=1.0, loss=0.4, duplication=0.3)


@pytest.mark.parametrize("weather", [FAIR, ROUGH, DREADFUL], ids=["fair", "rough", "dreadful"])
@pytest.mark.parametrize("seed", range(8))
def test_everything_at_random_drains_to_zero(seed: int, weather: Weather):
    crowd = Crowd(seed, weather)
    crowd.run(120)
    crowd.hang_up_all()
    crowd.network.settle(2000)
    assert drained(crowd.network.counts())
    assert not any(crowd.live.values())


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=some.integers(0, 2**32),
    loss=some.floats(0, 0.6),
    jitter=some.floats(0, 2),
    duplication=some.floats(0, 0.5),
    pause=some.floats(0.01, 20),
)
def test_no_seed_and_no_weather_leaves_anything_behind(
    seed: int, loss: float, jitter: float, duplication: float, pause: float
):
    crowd = Crowd(seed, Weather(0.02, jitter, loss, duplication))
    crowd.run(40, pause)
    crowd.hang_up_all()
    crowd.network.settle(2000)
    assert drained(crowd.network.counts())


@pytest.mark.parametrize("seed", range(10))
def test_messages_damaged_in_the_middle_of_calls_raise_nothing_and_leave_nothing(seed: int):
    crowd = Crowd(seed, ROUGH)
    rng = crowd.rng
    crowd.network.mangle = lambda data: mutate(data, rng) if rng.random() < 0.3 else data
    crowd.run(150)
    counts = crowd.network.counts()
    assert counts["sessions"] < 200
    assert counts["transactions"] < 3000
    crowd.network.mangle = None
    crowd.hang_up_all()
    crowd.network.settle(4000)
    assert drained(crowd.network.counts())


@pytest.mark.parametrize("weather", [FAIR, DREADFUL], ids=["fair", "dreadful"])
@pytest.mark.parametrize("seed", range(4))
def test_nothing_of_calls_that_are_over_waits_for_the_collector(seed: int, weather: Weather):
    with no_rings() as rings:
        crowd = Crowd(seed, weather)
        crowd.run(120)
        crowd.hang_up_all()
        crowd.network.settle(2000)
        for node in crowd.nodes:
            node.log.clear()
        assert crowd.over
        crowd.over.clear()
        assert not rings()
