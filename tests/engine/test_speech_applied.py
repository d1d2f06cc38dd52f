"""Speech of a running node follows its configuration: who hears is there once somebody is wanted."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.reload import Effect
from engine.speech import house
from media.io.process import Supervisor, WorkerFailed
from tests.engine.operating_stand import Stand, shipped


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(shipped(tmp_path / "config"), tmp_path / "data")
    yield made
    made.close()


def hears_as_configured(stand: Stand) -> bool:
    house = stand.engine.house
    return house is not None and house is stand.engine.switch.speech.ear and house.fits(stand.engine.config)


def test_the_first_queue_that_is_to_be_put_into_words_is(stand: Stand) -> None:
    with_words = (stand.folder / "queues.yaml").read_text("utf-8")
    stand.edit("queues.yaml", "    captions: true ", "    captions: false ")
    stand.edit("queues.yaml", "    voice: over ", "    voice: 'off' ")
    stand.begun = stand.again()
    assert stand.engine.house is None
    (stand.folder / "queues.yaml").write_text(with_words, "utf-8")
    stand.do(stand.operating.apply("console"))
    assert hears_as_configured(stand)


def test_what_only_the_next_call_has_of_speech_leaves_its_processes_alone(stand: Stand) -> None:
    house = stand.engine.house
    stand.edit("language.yaml", "lag_s: 6 ", "lag_s: 9 ")
    applied = stand.do(stand.operating.apply("console"))
    assert [change.effect for change in applied.plan.changes] == [Effect.NEXT_CALL]
    assert house is not None and stand.engine.house is house


def test_processes_that_a_busy_machine_did_not_bring_up_are_tried_again(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    async def start(client: Supervisor) -> None:
        tried.append(type(client).__name__)
        if tried.count("EarClient") < 3:
            raise WorkerFailed("no answer within 20 s")

    monkeypatch.setattr(Supervisor, "start", start)
    monkeypatch.setattr(house, "AGAIN_S", (0.0,))
    assert stand.engine.house is not None
    stand.do(stand.engine.house.up())
    assert tried.count("EarClient") == 3


def test_a_house_that_nobody_closed_leaves_nothing_on_the_disk(stand: Stand) -> None:
    """Keys may stand in it."""
    made = stand.engine.new_house(stand.engine.config)
    folder = Path(made.taps).parent
    assert list(folder.iterdir())
    del made
    gc.collect()
    assert not folder.exists()
