"""How late a call's words were: told by the ear, kept with the call, counted by language and queue."""

from __future__ import annotations

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from config.load import SHIPPED, load
from engine.events import CallRecord
from engine.speech.meters import Meters
from media.speech.messages import Rendered, Said
from media.speech.utterance import Stage
from routing.queue import SpeechTerms
from tests.engine.test_speech import Scene, to_talk


def said(leg: int, utterance: int, written_s: float | None, stands: str = "hola", over: bool = True) -> Said:
    lags = {Stage.SPOKEN: 0.0, Stage.NOTICED: 0.4} if written_s is not None else {}
    if over and written_s is not None:
        lags[Stage.WRITTEN] = written_s
    return Said(leg, utterance, 1, stands, "", 1.0, 2.0, over, "es", lags=lags)


def rendered(leg: int, reader: int, *took_s: float, utterance: int = 1, serial: int = 1) -> Rendered:
    return Rendered(leg, utterance, reader, serial, "en", "hello", "", False, took_s=took_s)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path, SpeechTerms(captions=True))
    to_talk(made)
    return made


def record(scene: Scene) -> CallRecord:
    """Of its one call, once that is over."""
    id = scene.call.id
    scene.house.switch.hang_up(id, scene.world.now)
    scene.house.host.pump()
    scene.run(6.0)
    return scene.house.ledger.records[id]


def test_a_record_has_how_late_texts_and_translations_of_both_sides_were(scene: Scene) -> None:
    customer, agent = scene.legs
    scene.told(said(customer, 1, 0.8), said(agent, 1, 0.4))
    scene.told(rendered(customer, agent, 0.1, 0.3), rendered(agent, customer, 0.2))
    kept = record(scene)
    asr, mt = kept.asr_latency, kept.mt_latency
    assert asr is not None and mt is not None
    assert (asr.n, asr.mean_ms, mt.n, mt.mean_ms) == (2, 600.0, 3, 200.0)
    assert (sum(asr.counts), sum(mt.counts)) == (2, 3)
    assert 750.0 < asr.p95_ms <= 1000.0 and 200.0 < mt.p95_ms <= 300.0


def test_what_may_yet_change_and_what_came_to_nothing_counts_for_nothing(scene: Scene) -> None:
    customer, agent = scene.legs
    scene.told(said(customer, 1, 0.5, over=False), said(customer, 2, 0.5, stands=""))
    scene.told(said(customer, 3, None))  # nobody heard the end of it: the ear is gone
    scene.told(rendered(customer, agent, utterance=3))
    kept = record(scene)
    assert (kept.asr_latency, kept.mt_latency) == (None, None)


def test_words_that_come_after_a_hold_are_still_the_calls(scene: Scene) -> None:
    customer, _ = scene.legs
    scene.told(said(customer, 1, None, over=False))
    scene.agent.hold()
    scene.run(1.0)
    assert not scene.attended
    scene.told(Said(customer, 1, 2, "hola", "", 1.0, 2.0, True, "es", lags={Stage.WRITTEN: 1.2}))
    assert scene.call.asr_latency.n == 1


def test_prometheus_has_both_by_the_language_spoken_and_the_queue(scene: Scene) -> None:
    registry, config = CollectorRegistry(), load(SHIPPED, {})
    scene.speech.observers.append(Meters(registry, lambda: config).told)
    talk = scene.speech.talk(scene.call.id)
    assert talk is not None
    customer, agent = scene.legs
    talk.languages |= {customer: "tlh", agent: config.language.agents}  # nobody here is to speak the first
    scene.told(said(customer, 1, 0.8), said(agent, 1, 0.4), rendered(agent, customer, 0.2, 0.1))

    def of(stage: str, what: str, language: str) -> float | None:
        labels = {"language": language, "queue": "support"}
        return registry.get_sample_value(f"isogloss_{stage}_latency_seconds_{what}", labels)

    ours = config.language.agents
    assert (of("asr", "sum", "other"), of("asr", "sum", ours), of("asr", "sum", "tlh")) == (0.8, 0.4, None)
    assert (of("mt", "count", ours), of("mt", "sum", ours)) == (2, pytest.approx(0.3))
