"""How late words are, for Prometheus: engine/speech/latency.py by the language that was spoken and the queue.

A language that nobody configured is counted as `other`, for callers choose theirs and recognisers find some.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Histogram

from engine.bounds import OTHER
from engine.latency import BOUNDS_S
from engine.speech.latency import heard_s, translated_s
from media.speech.messages import Rendered, Said, SpeechEvent

if TYPE_CHECKING:
    from config.schema import Config
    from engine.speech.talk import Talk


class Meters:
    def __init__(self, registry: CollectorRegistry, config: Callable[[], Config]) -> None:
        self._config = config
        self._asr = _histogram(registry, "asr", "From the end of an utterance to its text.")
        self._mt = _histogram(registry, "mt", "From a clause's text to its translation.")

    def told(self, talk: Talk, event: SpeechEvent, now: float) -> None:
        """For the observers of engine/speech/speech.py."""
        if (seconds := heard_s(event)) is not None:
            self._asr.labels(*self._labels(talk, event)).observe(seconds)
        for seconds in translated_s(event):
            self._mt.labels(*self._labels(talk, event)).observe(seconds)

    def _labels(self, talk: Talk, event: SpeechEvent) -> tuple[str, str]:
        config, call = self._config(), talk.call
        known = {config.node.language, config.language.agents}
        for queue in config.queues.values():
            known.update((queue.language, *queue.speech.detect))
        known.update(tongue for each in config.agents.values() for tongue in each.languages)
        spoken = talk.languages.get(event.leg, "") if isinstance(event, Said | Rendered) else ""
        named = call.queue.name if call.queue is not None else ""
        return spoken if spoken in known else OTHER, named


def _histogram(registry: CollectorRegistry, what: str, words: str) -> Histogram:
    name = f"isogloss_{what}_latency_seconds"
    return Histogram(name, words, ("language", "queue"), buckets=BOUNDS_S, registry=registry)
